"""A desk for each test, in a folder of its own."""

from pathlib import Path

import pytest

from tests.releases.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)
