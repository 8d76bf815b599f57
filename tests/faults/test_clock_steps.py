"""The machines' clocks jump to and fro by an hour, each its own: what is booked, published and sent stays the same.

The API's stays: Stripe's signatures are good for five minutes, and a clock that is further off must refuse them.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from stacks.contracts import CONTAINERS, TaskName
from tests.faults import stepped_clock
from tests.faults.books import Books
from tests.faults.gifts import Crowd
from tests.faults.platform import Organization, Platform
from tests.faults.waiting import until

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.slow,
    pytest.mark.xdist_group("faults-stores"),
    pytest.mark.allow_hosts(["127.0.0.1"]),
]

STEPPED = (TaskName.WORKER, TaskName.SCHEDULER, TaskName.SEQUENCER, TaskName.PUBLISHER)
HOUR = 3_600
STEPS = ((HOUR, -HOUR, HOUR, -HOUR), (-HOUR, HOUR, -HOUR, HOUR), (0, 0, 0, 0))
"""Seconds that each of the four is off, one row after the other."""

Clocks = dict[TaskName, Path]


@pytest.fixture
def clocks(platform: Platform, tmp_path: Path) -> Iterator[Clocks]:
    """The four services run by clocks that the test sets; the platform's own wait meanwhile."""
    files = {task: tmp_path / f"{task}.offset" for task in STEPPED}
    started = []
    for task, told in files.items():
        told.write_text("0")
        platform[task].kill()
        service = platform.service(task, name=f"{task}-stepped")
        python, _, module = CONTAINERS[task].command[:3]
        service.command = (python, stepped_clock.__file__, str(told), module)
        service.start()
        started.append(service)
    yield files
    for service in started:
        service.kill()
    for task in STEPPED:
        platform[task].start()


def step(clocks: Clocks, seconds: tuple[int, ...]) -> None:
    """Each to its own, in one write that is not seen half-done."""
    for told, offset in zip(clocks.values(), seconds, strict=True):
        beside = told.with_suffix(".new")
        beside.write_text(str(offset))
        beside.replace(told)


def checkpoints(platform: Platform) -> int:
    """How many were published."""
    found: int = platform.database.value("SELECT count(*) FROM checkpoint WHERE published_at IS NOT NULL")
    return found


def hours_off(platform: Platform) -> set[int]:
    """By how many hours the publisher's word for when it published differs from the database's own clock."""
    rows = platform.database.rows(
        "SELECT DISTINCT round(extract(epoch FROM published_at - now()) / 3600)::int AS hours "
        "FROM checkpoint WHERE published_at IS NOT NULL"
    )
    return {row["hours"] for row in rows}


def test_clocks_that_jump_change_nothing_that_counts(
    platform: Platform, organization: Organization, books: Books, clocks: Clocks
) -> None:
    with Crowd(platform, organization, donors=2, pause=0.2) as crowd:
        for seconds in STEPS:
            published = checkpoints(platform)
            step(clocks, seconds)
            crowd.wait_for_answers(5)
            until(
                lambda published=published: checkpoints(platform) > published,  # type: ignore[misc] # mypy gives a lambda's default no type
                otherwise=f"no checkpoint is published while clocks are off by {seconds}",
            )
    crowd.finish()
    assert {-1, 0, 1} <= hours_off(platform), "the clocks were not off at all"

    books.come_to_rest()
    books.check_published()
    letters = {row["donor_email"] for row in books.wait_for_receipts()}
    assert {gift.email for gift in crowd.gifts} <= letters
