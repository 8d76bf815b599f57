"""What a release takes away goes with the next one, once nobody runs who names it; a release may not be skipped."""

import importlib.resources
from pathlib import Path
from typing import Final

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from amply.infra import migrate as migrations
from amply.infra.migrate import ReleaseSkipped, configuration, migrate, target
from tests.backend.conftest import Databases

OURS: Final = importlib.resources.files("amply") / "migrations"
FIRST_OF_NEXT_RELEASE: Final[dict[str, str | None]] = {"0053": None}
"""By revision that takes away: the first one of the release after it, or None while there is none.

A revision that comes before that release stands before the one that takes away, and leaves this as it is.
"""


def below(revision: str) -> str:
    """The one that a database has whose release left this one to the next."""
    return str(ScriptDirectory(str(OURS)).get_revision(revision).down_revision)


BELOW: Final = below("0053")


@pytest.fixture
def later(tmp_path: Path) -> Path:
    """A folder of revisions of later releases, behind ours."""
    return tmp_path


def add(folder: Path, revision: str, *, down: str, takes_away: bool = False) -> None:
    (folder / f"{revision}_later.py").write_text(
        f"revision = {revision!r}\ndown_revision = {down!r}\nbranch_labels = depends_on = None\n"
        f"TAKES_AWAY = {takes_away}\n\n\ndef upgrade() -> None: ...\n"
    )


def ours_and(folder: Path) -> ScriptDirectory:
    return ScriptDirectory(str(OURS), version_locations=[str(OURS / "versions"), str(folder)])


def test_revisions_are_one_line() -> None:
    assert ScriptDirectory(str(OURS)).get_heads() == ["0053"]


def test_what_the_release_takes_away_waits(later: Path) -> None:
    assert target(ours_and(later), "0045") == BELOW
    assert target(ours_and(later), BELOW) == BELOW
    assert target(ours_and(later), "0053") == "0053"


def test_the_next_release_takes_it_away(later: Path) -> None:
    add(later, "9001", down="0053")
    assert target(ours_and(later), BELOW) == "9001"
    add(later, "9002", down="9001", takes_away=True)
    assert target(ours_and(later), BELOW) == "9001"
    assert target(ours_and(later), None) == "head"


def test_a_release_that_skips_the_one_before_is_refused(later: Path) -> None:
    add(later, "9001", down="0053")
    with pytest.raises(
        ReleaseSkipped, match=r"deploy the release that brought revision 0053 first, then this"
    ):
        target(ours_and(later), "0045")


def test_several_in_a_row_are_taken_away_together(later: Path) -> None:
    add(later, "9001", down="0053", takes_away=True)
    add(later, "9002", down="9001")
    assert target(ours_and(later), BELOW) == "9002"
    assert target(ours_and(later), "0053") == "9002", "it goes on where it was cut off"
    with pytest.raises(ReleaseSkipped):
        target(ours_and(later), "0051")


def test_one_release_in_turn_does_not_let_another_be_skipped(later: Path) -> None:
    add(later, "9001", down="0053")
    add(later, "9002", down="9001", takes_away=True)
    add(later, "9003", down="9002")
    with pytest.raises(ReleaseSkipped) as skipped:
        target(ours_and(later), BELOW)
    assert skipped.value.revision == "9002"


def test_a_database_that_skipped_a_release_is_left_as_it_is(
    later: Path, databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(later, "9001", down="0053")
    add(later, "9002", down="9001", takes_away=True)
    add(later, "9003", down="9002")

    def with_later(connection: Connection) -> Config:
        config = configuration(connection)
        config.set_main_option("path_separator", "newline")
        config.set_main_option("version_locations", f"{OURS / 'versions'}\n{later}")
        return config

    monkeypatch.setattr(migrations, "configuration", with_later)
    master = databases.as_role("master")
    with pytest.raises(ReleaseSkipped):
        migrate(master.engine)
    with master.transaction() as session:
        assert session.scalar(text("SELECT version_num FROM alembic_version")) == "0053"

    (later / "9003_later.py").unlink()
    migrate(master.engine)
    with master.transaction() as session:
        assert session.scalar(text("SELECT version_num FROM alembic_version")) == "9001"
    master.close()


def test_what_takes_away_stands_behind_all_others_of_its_release() -> None:
    found: dict[str, str | None] = {}
    above = None
    for script in ScriptDirectory(str(OURS)).walk_revisions():
        if getattr(script.module, "TAKES_AWAY", False):
            found[script.revision] = above
        above = script.revision
    assert found == FIRST_OF_NEXT_RELEASE
