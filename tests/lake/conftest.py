"""Paths of external test vectors."""

from tests.verify.conftest import vectors  # noqa: F401 -- a fixture of the tests below
