"""Witnesses killed: with one away everything goes on; with two away nothing new is shown, and nothing else stops."""

import json
from collections import Counter

import pytest

from ledger_format.checkpoints import open_checkpoint
from stacks.contracts import TaskName
from tests.faults.books import Books
from tests.faults.cloud import LOG_ADDRESS
from tests.faults.gifts import Gift
from tests.faults.partners import WITNESSES
from tests.faults.platform import Organization, Platform
from tests.faults.waiting import until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("faults-stores"),
    pytest.mark.allow_hosts(["127.0.0.1"]),
]

_PUBLISHED = "SELECT coalesce(max(size), 0) FROM checkpoint WHERE published_at IS NOT NULL"


def give_and_pay(platform: Platform, organization: Organization) -> Gift:
    gift = Gift(platform=platform, organization=organization)
    gift.send_until_answered()
    gift.pay()
    return gift


def shown(platform: Platform) -> int:
    size: int = platform.database.value(_PUBLISHED)
    return size


def witnesses_of_newest(platform: Platform) -> set[str]:
    """Who has cosigned what everyone sees now."""
    note = platform.cloud.get(f"{LOG_ADDRESS}/checkpoint", limit=200_000).decode()
    opened = open_checkpoint(note, [platform.cloud.verifier_key()], policy=platform.policy)
    return {witness.name for witness in opened.witnessed}


def lines(platform: Platform, task: str, event: str) -> list[dict[str, object]]:
    told = (json.loads(line) for line in platform[task].log.read_text().splitlines() if line.startswith("{"))
    return [line for line in told if line.get("event") == event]


def test_one_of_three_witnesses_may_be_away(
    platform: Platform, organization: Organization, books: Books
) -> None:
    platform["witness-3"].kill()
    before = shown(platform)

    give_and_pay(platform, organization)
    books.come_to_rest()
    books.check_published()

    assert shown(platform) > before
    assert witnesses_of_newest(platform) == {"witness-1", "witness-2"}
    assert {
        line["witnesses_missing"] for line in lines(platform, TaskName.PUBLISHER, "witnesses_measured")
    } >= {1}
    platform["witness-3"].start()


def test_without_a_quorum_receipts_wait_and_gifts_do_not(
    platform: Platform, organization: Organization, books: Books
) -> None:
    books.published()
    platform["witness-1"].kill()
    platform["witness-2"].kill()
    before = shown(platform)
    newest = witnesses_of_newest(platform)

    gift = give_and_pay(platform, organization)
    books.come_to_rest()

    until(
        lambda: lines(platform, TaskName.PUBLISHER, "checkpoint_waits_for_witnesses"),
        otherwise="the publisher does not say that it waits",
    )
    assert shown(platform) == before, "booked and sequenced, and not shown"
    assert witnesses_of_newest(platform) == newest
    assert gift.email not in platform.cloud.mails()

    for name in WITNESSES[:2]:
        platform[name].start()
    books.check_published()
    books.wait_for_receipts()

    assert shown(platform) > before
    assert Counter(platform.cloud.mails())[gift.email] >= 1


def test_a_publisher_restarts_and_the_log_goes_on_while_no_witness_answers(
    platform: Platform, organization: Organization, books: Books
) -> None:
    books.published()
    for name in WITNESSES:
        platform[name].kill()
    platform.restart(TaskName.PUBLISHER, TaskName.SEQUENCER)

    give_and_pay(platform, organization)
    books.come_to_rest()

    for name in WITNESSES:
        platform[name].start()
    books.check_published()
    assert len(witnesses_of_newest(platform)) >= 2
