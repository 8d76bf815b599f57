"""The cache gone: requests are not counted against limits, and no gift is refused because of that."""

from collections.abc import Iterator

import pytest

from stacks.contracts import TaskName
from tests.faults.books import Books
from tests.faults.gifts import Gift
from tests.faults.platform import Organization, Platform

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults"), pytest.mark.allow_hosts(["127.0.0.1"])]


@pytest.fixture
def _without_cache(platform: Platform) -> Iterator[None]:
    platform["valkey"].kill()
    yield
    platform["valkey"].start()


@pytest.mark.usefixtures("_without_cache")
def test_gifts_are_taken_by_an_api_that_lost_its_cache_and_by_one_that_never_had_one(
    platform: Platform, organization: Organization, books: Books
) -> None:
    lost, never_had = (Gift(platform=platform, organization=organization) for _ in range(2))

    assert lost.send()
    platform.restart(TaskName.API)
    assert never_had.send()

    for gift in (lost, never_had):
        gift.pay()
    books.come_to_rest()
