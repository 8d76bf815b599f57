"""The worker killed in the middle of a task: what it had begun is done once, by whoever comes after."""

from collections.abc import Callable

import pytest

from amply.modules import ledger
from stacks.contracts import TaskName
from tests.faults.books import Books
from tests.faults.gate import CLAIMED, SENT, gate
from tests.faults.gifts import Gift
from tests.faults.platform import Organization, Platform
from tests.faults.waiting import until, within

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults"), pytest.mark.allow_hosts(["127.0.0.1"])]

_LOOK_SECONDS, _LOOKS_MAX = 4.0, 20


def test_killed_while_it_asks_what_was_moved(
    platform: Platform, organization: Organization, books: Books
) -> None:
    gift = Gift(platform=platform, organization=organization)
    gift.send_until_answered()
    for _ in ("the success", "the fee"):
        platform.processor.hold("GET", f"/v1/payment_intents/{gift.intent_id}")
    gift.pay()
    until(lambda: platform.processor.held() == 2, otherwise="the worker does not ask")
    platform[TaskName.WORKER].kill()
    platform.processor.release()
    assert gift.look()["status"] == "pending", "the task died before its transaction"

    platform[TaskName.WORKER].start()

    books.come_to_rest()
    assert gift.look()["status"] == "succeeded"
    success = platform.processor.events(organization.account, intent_id=gift.intent_id)[
        "payment_intent.succeeded"
    ]
    handled = platform.database.rows("SELECT outcome FROM provider_event WHERE id = %s", success)
    assert handled == [{"outcome": "applied"}]
    booked = platform.database.rows(
        "SELECT kind FROM entry WHERE idempotency_key IN (%s, %s) ORDER BY kind",
        ledger.stored_key(f"stripe:{gift.intent_id}:donation.succeeded"),
        ledger.stored_key(f"stripe:{gift.intent_id}:processor.fee"),
    )
    assert booked == [{"kind": "donation.succeeded"}, {"kind": "processor.fee"}]


def start_and_look_for_unsent_receipts(platform: Platform, *, found: Callable[[], bool]) -> None:
    """A scheduler looks when it starts, and twice a minute.

    It may have to start again: the killed worker's last poll, still open for seconds, takes messages with it.
    """
    platform[TaskName.WORKER].start()
    for _ in range(_LOOKS_MAX):
        platform.restart(TaskName.SCHEDULER)
        if within(_LOOK_SECONDS, found):
            return
    pytest.fail("nobody looked for unsent receipts")


@pytest.mark.nightly  # the worker starts again and again
def test_killed_before_and_after_a_letter_left_it_is_sent_twice_and_not_never(
    platform: Platform, organization: Organization, books: Books
) -> None:
    books.wait_for_receipts()
    gift = Gift(platform=platform, organization=organization)
    with gate(platform.database, CLAIMED) as claimed:
        gift.send_until_answered()
        gift.pay()
        until(claimed.has_someone, otherwise="nobody claims the receipt")
        platform[TaskName.WORKER].kill()
        claimed.open()
    assert platform.cloud.mails()[gift.email] == 0, "it died between the claim and the letter"

    with gate(platform.database, SENT) as sent:
        platform.database.let_waits_pass()
        start_and_look_for_unsent_receipts(platform, found=sent.has_someone)
        platform[TaskName.WORKER].kill()
        sent.open()
    assert platform.cloud.mails()[gift.email] == 1, "it died between the letter and its record"

    platform.database.let_waits_pass()
    start_and_look_for_unsent_receipts(platform, found=lambda: platform.cloud.mails()[gift.email] > 1)
    receipts = {row["donor_email"]: row["attempts"] for row in books.wait_for_receipts()}
    assert receipts[gift.email] == 3
    assert platform.cloud.mails()[gift.email] == 2
    books.check_published()
