"""An address that bounced for good or complained gets no more letters; what happened is kept, whose it was is not."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
import structlog
from sqlalchemy import text

from amply.adapters.ses.feedback import feedback_of
from amply.modules import mail
from amply.modules.donations import resend_receipt
from amply.modules.mail import Feedback, FeedbackDependencies, FeedbackReceived, hear_feedback
from tests.backend.ledger_world import LedgerWorld
from tests.backend.receipt_office import ReceiptOffice
from tests.backend.unit.ses_events import event
from tests.backend.world import NOW, FakeFeedback, death


@pytest.fixture
def office(books: LedgerWorld) -> ReceiptOffice:
    return ReceiptOffice(books)


def heard(office: ReceiptOffice, *messages: Sequence[Feedback], queue: FakeFeedback | None = None) -> int:
    queue = queue or FakeFeedback()
    queue.waiting += [
        FeedbackReceived(receipt=f"receipt-{number}", said=said) for number, said in enumerate(messages)
    ]
    return hear_feedback(FeedbackDependencies(database=office.database, queue=queue), now=NOW)


BOUNCE = feedback_of(event(eventType="Bounce", bounceType="Permanent"))
COMPLAINT = feedback_of(event(eventType="Complaint", event_id="evt-2"))
SOFT = feedback_of(event(eventType="Bounce", bounceType="Transient", event_id="evt-3"))


@pytest.mark.parametrize(("said", "reason"), [(BOUNCE, "hard_bounce"), (COMPLAINT, "complaint")])
def test_nothing_more_is_sent_to_who_bounced_or_complained(
    said: list[Feedback], reason: str, office: ReceiptOffice
) -> None:
    assert heard(office, said) == 1
    donation_id = office.gives()
    office.publish_and_send()

    assert office.mailer.sent == []
    assert office.waiting(donation_id).withheld == "suppressed"
    assert [row.reason for row in office.rows("mail_suppression")] == [reason]
    assert len(office.issued()) == 1, (
        "the receipt has its number, and can be sent when the address is put right"
    )


def test_a_withheld_receipt_is_not_tried_again_and_again(office: ReceiptOffice) -> None:
    heard(office, BOUNCE)
    donation_id = office.gives()
    office.publish_and_send()
    office.send(later=timedelta(days=30))

    assert office.waiting(donation_id).attempts == 1


def test_a_letter_that_may_arrive_another_time_is_sent(office: ReceiptOffice) -> None:
    heard(office, SOFT)
    office.gives()
    office.publish_and_send()

    assert len(office.mailer.sent) == 1
    assert office.rows("mail_suppression") == []


def test_what_became_of_a_letter_leads_to_its_receipt(office: ReceiptOffice) -> None:
    donation_id = office.gives()
    office.publish_and_send()
    heard(office, BOUNCE)

    with office.database.transaction() as session:
        found = session.execute(
            text("SELECT donation_id, kind FROM receipt JOIN mail_feedback USING (message_id)")
        ).all()
    assert found == [(donation_id, "hard_bounce")]


def test_the_same_event_twice_is_kept_once(office: ReceiptOffice) -> None:
    assert heard(office, BOUNCE, BOUNCE, COMPLAINT) == 3
    assert heard(office, COMPLAINT, BOUNCE) == 2

    assert len(office.rows("mail_feedback")) == 2
    assert [row.reason for row in office.rows("mail_suppression")] == ["hard_bounce"]


def test_killed_before_the_message_left_the_queue_it_is_heard_again(office: ReceiptOffice) -> None:
    queue = FakeFeedback(dies_before_done=True)
    with death():
        heard(office, BOUNCE, queue=queue)
    queue.dies_before_done = False
    assert heard(office, queue=queue) == 1

    assert len(office.rows("mail_feedback")) == 1
    assert queue.waiting == []


def test_no_address_is_kept_or_logged(office: ReceiptOffice) -> None:
    with structlog.testing.capture_logs() as lines:
        heard(office, BOUNCE, COMPLAINT, SOFT)

    kept = str(office.rows("mail_feedback")) + str(office.rows("mail_suppression")) + str(lines)
    assert "ada" not in kept
    assert "example.org" not in kept
    assert [line["kind"] for line in lines] == ["hard_bounce", "complaint", "soft_bounce"]


def test_asking_for_the_receipt_again_does_not_write_to_a_suppressed_address(office: ReceiptOffice) -> None:
    donation_id = office.gives()
    office.publish_and_send()
    heard(office, COMPLAINT)
    with office.database.transaction() as session:
        resend_receipt(session, donation_id=donation_id, now=NOW)
        assert mail.suppressed_because(session, address=" ADA@example.org ") is mail.FeedbackKind.COMPLAINT
    office.send()

    assert len(office.mailer.sent) == 1
    assert office.waiting(donation_id).withheld == "suppressed"
