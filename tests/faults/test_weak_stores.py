"""Buckets and the key failing in the middle of a publication: nothing half-done is shown, and it is done in the end."""

from collections.abc import Iterator, Mapping

import pytest

from stacks.contracts import TaskName
from tests.faults.books import Books
from tests.faults.gifts import Crowd
from tests.faults.platform import Organization, Platform
from tests.faults.process import Process
from tests.faults.waiting import until
from tests.faults.weak_cloud import SLOW_DOWN, THROTTLED, Asked, Refusal, WeakCloud, weak_cloud

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.slow,
    pytest.mark.xdist_group("faults-stores"),
    pytest.mark.allow_hosts(["127.0.0.1"]),
]

TRIES = 3
"""How often the client itself asks before it gives up."""


@pytest.fixture(scope="module")
def way(platform: Platform) -> Iterator[WeakCloud]:
    with weak_cloud(platform.cloud.url) as cloud:
        yield cloud


@pytest.fixture
def weak(way: WeakCloud) -> WeakCloud:
    """Well again, whatever the last test did to it."""
    way.heal()
    return way


@pytest.fixture(scope="module")
def publisher(platform: Platform, way: WeakCloud) -> Iterator[Process]:
    """The publisher, with the weak way to its stores; the platform's own waits meanwhile."""
    platform[TaskName.PUBLISHER].kill()
    started = platform.service(TaskName.PUBLISHER, name="publisher-weak", AWS_ENDPOINT_URL=way.url)
    started.log.unlink(missing_ok=True)
    started.start()
    yield started
    started.kill()
    platform[TaskName.PUBLISHER].start()


def puts(part: str) -> Asked:
    return lambda method, path, _: method == "PUT" and part in path


def signs(_method: str, _path: str, headers: Mapping[str, str]) -> bool:
    return headers.get("X-Amz-Target") == "TrentService.Sign"


@pytest.mark.parametrize(
    ("asked", "passes", "times", "refusal"),
    [
        pytest.param(puts("/log/tile/"), 1, 2 * TRIES, SLOW_DOWN, id="half of the files"),
        pytest.param(puts("/log/checkpoint"), 0, 1, None, id="the checkpoint's answer is lost"),
        pytest.param(puts("/log/checkpoint"), 0, TRIES, SLOW_DOWN, id="the checkpoint is refused"),
        pytest.param(puts("/checkpoints/"), 0, TRIES, SLOW_DOWN, id="the archive is refused"),
        pytest.param(puts("/checkpoints/"), 0, TRIES, None, id="the archive's answers are lost"),
        pytest.param(signs, 0, 2 * TRIES, THROTTLED, id="the key is throttled"),
    ],
)
@pytest.mark.usefixtures("publisher")
def test_a_publication_that_fails_half_way_is_finished_later(
    asked: Asked,
    passes: int,
    times: int,
    refusal: Refusal | None,
    platform: Platform,
    organization: Organization,
    books: Books,
    weak: WeakCloud,
) -> None:
    weak.fail(asked, passes=passes, times=times, refusal=refusal)
    with Crowd(platform, organization, donors=2, pause=0.2) as crowd:
        until(lambda: not weak.has_more(), otherwise="the faults are not met")
    crowd.finish()

    books.come_to_rest()
    books.check_published()
    assert weak.happened == times


def test_nothing_new_is_shown_while_the_key_is_throttled(
    platform: Platform, organization: Organization, books: Books, weak: WeakCloud, publisher: Process
) -> None:
    books.published()
    before, said = platform.cloud.archived_notes(), publisher.log.stat().st_size
    weak.fail(signs, times=10_000, refusal=THROTTLED)
    with Crowd(platform, organization, donors=1, pause=0.1) as crowd:
        crowd.wait_for_answers(1)
        until(
            lambda: b'"event": "turn_failed"' in publisher.log.read_bytes()[said:], otherwise="no turn fails"
        )
    assert platform.cloud.archived_notes() == before
    weak.heal()
    crowd.finish()

    books.come_to_rest()
    books.check_published()
