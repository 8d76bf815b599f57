"""Where the outside vectors are; properties are not timed."""

from tests.verify.conftest import vectors  # noqa: F401 -- a fixture of the tests below; and it sets hypothesis's profile
