"""Paths of external test vectors and golden receipts."""

import os
from pathlib import Path

import pytest

from tests.verify.javascript_runner import ask  # noqa: F401 -- a fixture of every test below

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def vectors() -> Path:
    """The folder of outside test vectors: `AMPLY_VECTORS`, or beside this repository.

    Whoever names a folder wants them tried: then a missing one fails, where otherwise the tests are skipped and say so.
    """
    named = os.environ.get("AMPLY_VECTORS")
    folder = Path(named or ROOT.parent / "shared" / "vectors")
    if not folder.is_dir():
        missing = f"outside vectors are not at {folder}; set AMPLY_VECTORS to the folder that holds them"
        (pytest.fail if named else pytest.skip)(missing)
    return folder


@pytest.fixture
def golden() -> Path:
    """The folder of golden receipts."""
    return Path(__file__).parent / "golden"
