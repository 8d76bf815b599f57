"""The worker killed in the middle of a task: what it had begun is done once, by whoever comes after."""

import pytest

from stacks.contracts import TaskName
from tests.faults.books import Books
from tests.faults.gate import CLAIMED, SENT, gate
from tests.faults.gifts import Gift
from tests.faults.platform import Organization, Platform
from tests.faults.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.allow_hosts(["127.0.0.1"])]


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
        "SELECT kind FROM entry WHERE idempotency_key LIKE %s ORDER BY kind", f"stripe:{gift.intent_id}:%"
    )
    assert booked == [{"kind": "donation.succeeded"}, {"kind": "processor.fee"}]


def start_and_look_for_unsent_receipts(platform: Platform) -> None:
    """A scheduler looks when it starts, and twice a minute.

    It comes after the worker: the killed one's last poll may still take messages with it.
    """
    platform[TaskName.WORKER].start()
    platform.restart(TaskName.SCHEDULER)


def test_killed_before_and_after_a_letter_left_it_is_sent_twice_and_not_never(
    platform: Platform, organization: Organization, books: Books
) -> None:
    books.wait_for_receipts()
    gift = Gift(platform=platform, organization=organization)
    with gate(platform.database, CLAIMED) as claimed:
        gift.send_until_answered()
        gift.pay()
        claimed.wait_for_someone()
        platform[TaskName.WORKER].kill()
        claimed.open()
    assert platform.cloud.mails()[gift.email] == 0, "it died between the claim and the letter"

    with gate(platform.database, SENT) as sent:
        platform.database.let_waits_pass()
        start_and_look_for_unsent_receipts(platform)
        sent.wait_for_someone()
        platform[TaskName.WORKER].kill()
        sent.open()
    assert platform.cloud.mails()[gift.email] == 1, "it died between the letter and its record"

    platform.database.let_waits_pass()
    start_and_look_for_unsent_receipts(platform)
    receipts = {row["donor_email"]: row["attempts"] for row in books.wait_for_receipts()}
    assert receipts[gift.email] == 3
    assert platform.cloud.mails()[gift.email] == 2
    books.check_published()
