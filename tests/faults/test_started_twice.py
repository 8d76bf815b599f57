"""Two sequencers and two publishers: one of each works, the other takes over, and there is one log."""

from collections.abc import Iterator

import pytest

from stacks.contracts import TaskName
from tests.faults.books import Books
from tests.faults.gifts import Crowd
from tests.faults.platform import Organization, Platform
from tests.faults.process import Process
from tests.faults.waiting import until

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.slow,
    pytest.mark.xdist_group("faults"),
    pytest.mark.allow_hosts(["127.0.0.1"]),
]

LEADERS = (TaskName.SEQUENCER, TaskName.PUBLISHER)


@pytest.fixture
def twins(platform: Platform) -> Iterator[list[Process]]:
    """A second one of each, started while the first ones lead."""
    started = [platform.twin(task) for task in LEADERS]
    for twin in started:
        twin.start()
    yield started
    for twin in started:
        twin.kill()


def says(process: Process, event: str) -> bool:
    return f'"event": "{event}"' in process.log.read_text()


def test_the_second_ones_wait_and_take_over_when_the_first_ones_die(
    platform: Platform, organization: Organization, books: Books, twins: list[Process]
) -> None:
    for twin in twins:
        until(lambda twin=twin: says(twin, "waiting_idle"), otherwise=f"{twin.name} does not wait")  # type: ignore[misc] # mypy gives a lambda's default no type

    with Crowd(platform, organization, donors=2, pause=0.2) as crowd:
        crowd.wait_for_answers(5)
        assert not any(says(twin, "leading") for twin in twins)
        for task in LEADERS:
            platform[task].kill()
        crowd.wait_for_answers(5)
    crowd.finish()
    books.come_to_rest()
    books.check_published()
    assert all(says(twin, "leading") for twin in twins)

    for task in LEADERS:
        platform[task].start()
    for twin in twins:
        twin.kill()
    with Crowd(platform, organization, donors=2, pause=0.2) as crowd:
        crowd.wait_for_answers(2)
    crowd.finish()
    books.come_to_rest()
    books.check_published()
