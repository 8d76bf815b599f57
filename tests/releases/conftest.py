"""A release desk for each test, in its own directory."""

from pathlib import Path

import pytest

from tests.releases.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)
