"""Rows that are due: taken by one worker at a time, and due to nobody else while they are in hand."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime, timedelta

from sqlalchemy import insert, select

from amply.infra.database import Database
from amply.infra.due_rows import LASTS, MINUTE, work_off
from amply.kernel.clock import Clock
from amply.modules.sharing.models import BatchRow
from tests.backend.conftest import Databases
from tests.backend.world import NOW


class Passing:
    """A clock that is moved on by what is done."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def passes(self, time: timedelta) -> None:
        self.now += time


def wait(database: Database, *names: str, since: datetime = NOW) -> None:
    with database.transaction() as session:
        for number, name in enumerate(names):
            due = since - timedelta(seconds=len(names) - number)
            session.execute(insert(BatchRow).values(id=name, path=name, next_attempt_at=due))


def take(
    database: Database,
    *,
    now: datetime | Clock = NOW,
    do: Callable[[], object] = lambda: None,
    of: str = "%",
    starts_at_once: bool = False,
) -> list[str]:
    """The rows of one run, in order."""
    taken: list[str] = []

    def work(row: BatchRow) -> int:
        taken.append(row.id)
        do()
        return 1

    is_meant = BatchRow.id.like(of)
    done = work_off(database, BatchRow, is_meant, do=work, most=10, now=now, starts_at_once=starts_at_once)
    assert done == len(taken)
    return taken


def test_of_workers_beside_each_other_the_second_takes_the_next_row_and_the_third_finds_none(
    database: Database, databases: Databases
) -> None:
    wait(database, "first", "second")
    beside = databases.as_role("amply_app")
    found: list[list[str]] = []
    with ThreadPoolExecutor() as workers, closing(beside), database.transaction() as session:
        session.scalars(select(BatchRow).where(BatchRow.id == "first").with_for_update()).one()
        second = workers.submit(take, beside, do=lambda: found.append(take(beside)))
        assert second.result() == ["second"]
    assert found == [[]]


def test_late_in_a_run_a_row_is_due_to_nobody_else_while_it_is_in_hand(database: Database) -> None:
    wait(database, "first", "second")
    clock = Passing()
    found: list[list[str]] = []

    def slowly() -> None:
        clock.passes(timedelta(seconds=40))
        if clock() > NOW + MINUTE:
            found.append(take(database, now=clock(), of="second"))

    assert take(database, now=clock, do=slowly) == ["first", "second"]
    assert found == [[]], "taken 40 seconds after the run began, it is due again a minute after that"


def test_after_a_minute_a_run_takes_no_further_row(database: Database) -> None:
    wait(database, "first", "second")
    clock = Passing()
    assert take(database, now=clock, do=lambda: clock.passes(LASTS)) == ["first"]
    assert take(database, now=clock()) == ["second", "first"]


def test_what_starts_at_once_waits_for_no_clock_and_its_second_attempt_does(database: Database) -> None:
    wait(database, "early", since=NOW + timedelta(hours=1))
    behind = NOW - MINUTE
    assert take(database, now=behind) == []
    assert take(database, now=behind, starts_at_once=True) == ["early"]
    assert take(database, now=behind, starts_at_once=True) == []
