"""Witnesses killed: with one away everything goes on; with two away nothing new is shown, and what restarts waits."""

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
    pytest.mark.nightly,
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


def waits_for_witnesses(platform: Platform) -> int:
    return len(lines(platform, TaskName.PUBLISHER, "clearance_waits_for_witnesses"))


def test_a_log_that_restarts_while_witnesses_are_silent_waits_until_they_cannot_know_more(
    platform: Platform, organization: Organization, books: Books
) -> None:
    books.published()
    for name in WITNESSES:
        platform[name].kill()
    leaves, told = platform.database.value("SELECT count(*) FROM leaf"), waits_for_witnesses(platform)
    platform.restart(TaskName.PUBLISHER, TaskName.SEQUENCER)

    gift = give_and_pay(platform, organization)
    until(lambda: gift.look()["status"] == "succeeded", otherwise="gifts are not booked meanwhile")
    platform["witness-1"].start()
    until(
        lambda: waits_for_witnesses(platform) > told + 1, otherwise="the publisher does not say that it waits"
    )
    assert platform.database.value("SELECT count(*) FROM leaf") == leaves, "no place is given away"

    platform["witness-2"].start()
    books.come_to_rest()
    books.check_published()
    assert witnesses_of_newest(platform) >= {"witness-1", "witness-2"}
    platform["witness-3"].start()


def test_a_database_that_restarts_while_witnesses_are_silent_books_nothing_until_they_answer(
    platform: Platform, organization: Organization, books: Books
) -> None:
    books.published()
    for name in WITNESSES[:2]:
        platform[name].kill()
    entries, told = platform.database.value("SELECT count(*) FROM entry"), waits_for_witnesses(platform)
    platform.database.stop_fast()
    platform.database.start_again()

    gift = give_and_pay(platform, organization)
    until(lambda: waits_for_witnesses(platform) > told, otherwise="the publisher does not say that it waits")
    until(lambda: gift.look()["waits_for_books"], otherwise="the donor is not told")
    until(
        lambda: lines(platform, TaskName.WORKER, "bookings_paused"),
        otherwise="the worker does not find the books closed",
    )
    assert platform.database.value("SELECT count(*) FROM entry") == entries

    platform["witness-1"].start()
    books.come_to_rest()
    books.check_published()
    platform["witness-2"].start()
