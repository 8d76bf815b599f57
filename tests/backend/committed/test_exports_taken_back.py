"""Files from before a donor kept a gift from its organisation: found by an index, taken back where begun, and in nobody's way."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from amply.infra.database import Database
from amply.modules import donations, mail
from amply.modules.exports import export_jobs
from amply.modules.exports.service import _TAKEN_BACK_AS_HIDDEN
from tests.backend.committed.test_exports import PERSONAL, asked, erase, give, rows, work
from tests.backend.conftest import Databases
from tests.backend.member_world import House


@pytest.fixture
def house(database: Database, databases: Databases) -> Iterator[House]:
    made = House(database, databases)
    made.run("UPDATE organization SET takes_anonymous_gifts = true")
    yield made
    made.close()


def hide(house: House, donation_id: str, *, seconds: int = 0) -> None:
    """The gift of Ada 1, by a clock so many seconds behind."""
    api = house.databases.as_role("amply_api")
    with api.transaction() as session:
        donations.change_anonymity(
            session,
            donation_id=donation_id,
            email_sha256=mail.address_digest("ada1@example.org"),
            anonymity=donations.Anonymity.ORGANIZATION,
            now=house.clock() - timedelta(seconds=seconds),
        )
    api.close()


def state(house: House, export_id: str) -> str:
    said: str = house.ask("GET", f"/exports/{export_id}", by="usr_owner").json()["state"]
    return said


def test_a_file_that_was_not_begun_is_made_without_the_donor(house: House) -> None:
    given = give(house, 1)
    give(house, 2)
    house.arrive()
    hidden = asked(house)
    hide(house, given)
    assert work(house) == 1
    erased = asked(house)
    erase(house, "ada2@example.org")
    assert work(house) == 1
    assert ["ada2@example.org" in row.values() for row in rows(house, hidden)].count(True) == 1
    assert not any("ada1@example.org" in row.values() for row in rows(house, hidden))
    assert {row[column] for row in rows(house, erased) for column in PERSONAL} == {""}
    assert state(house, erased) == "ready"


def test_a_file_that_was_begun_after_a_donor_kept_their_gift_stays(house: House) -> None:
    given = give(house, 1)
    house.arrive()
    export_id = asked(house)
    hide(house, given, seconds=-30)
    house.clock.advance(minutes=2)
    assert work(house) == 1
    work(house)
    assert state(house, export_id) == "ready"


@pytest.mark.parametrize(("seconds", "left"), [(59, "failed"), (61, "ready")])
def test_a_clock_that_is_a_minute_behind_leaves_no_file_with_the_donor(
    house: House, seconds: int, left: str
) -> None:
    given = give(house, 1)
    house.arrive()
    export_id = asked(house)
    work(house)
    hide(house, given, seconds=seconds)
    work(house)
    assert state(house, export_id) == left


def test_where_none_can_be_taken_back_files_are_made_all_the_same(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(house, 1)
    house.arrive()
    asked(house)

    def fail(session: Session) -> None:
        session.execute(text("SELECT 1 / 0"))

    monkeypatch.setattr(export_jobs, "withdraw_hidden", fail)
    with capture_logs() as logs:
        assert work(house) == 1
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["exports_not_taken_back"]


def test_facts_of_hidden_gifts_are_found_by_their_index(house: House) -> None:
    dialect = house.database.engine.dialect
    words = str(_TAKEN_BACK_AS_HIDDEN.compile(dialect=dialect))
    assert f"'{donations.TOPIC_HIDDEN}'" in words, "a parameter would not choose the index"
    asked_for = _TAKEN_BACK_AS_HIDDEN.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
    with house.database.transaction() as session:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        plan = session.connection().exec_driver_sql(f"EXPLAIN {asked_for}").scalars().all()
    assert "ix_outbox_gift_hidden" in "".join(plan)
