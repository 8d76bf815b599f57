"""Amazon SES's events, as its documentation shows them, and what follows from each."""

import json
from typing import Any

import pytest

from amply.adapters.ses.feedback import FeedbackMalformed, feedback_of
from amply.modules.mail import FeedbackKind, address_digest
from tests.backend.unit.ses_events import event

ADA = address_digest("ada@example.org")


@pytest.mark.parametrize(
    ("detail", "kind", "suppresses"),
    [
        ({"eventType": "Bounce", "bounceType": "Permanent"}, FeedbackKind.HARD_BOUNCE, True),
        ({"eventType": "Bounce", "bounceType": "Transient"}, FeedbackKind.SOFT_BOUNCE, False),
        ({"eventType": "Bounce", "bounceType": "Undetermined"}, FeedbackKind.SOFT_BOUNCE, False),
        ({"eventType": "Complaint", "complaintFeedbackType": "abuse"}, FeedbackKind.COMPLAINT, True),
        ({"eventType": "Complaint"}, FeedbackKind.COMPLAINT, True),
        ({"eventType": "DeliveryDelay"}, FeedbackKind.DELAY, False),
        ({"eventType": "Reject"}, FeedbackKind.REJECTED, False),
    ],
)
def test_what_ses_tells_is_understood(
    detail: dict[str, str], kind: FeedbackKind, *, suppresses: bool
) -> None:
    (said,) = feedback_of(event(**detail))

    assert (said.kind, said.kind.suppresses) == (kind, suppresses)
    assert (said.event_id, said.message_id, said.address_sha256) == ("evt-1", "mail-1", ADA)


def test_who_took_a_letter_out_of_the_spam_did_not_complain() -> None:
    assert feedback_of(event(eventType="Complaint", complaintFeedbackType="not-spam")) == []


def test_an_address_as_it_stood_in_the_header_is_the_same_address() -> None:
    (said,) = feedback_of(
        event(eventType="Bounce", bounceType="Permanent", address="Ada L. <ADA@example.org>")
    )

    assert said.address_sha256 == ADA


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "not json",
        event(eventType="Bounce", bounceType="Permanent").replace("aws.ses", "somebody"),
        event(eventType="Open"),
        json.dumps({"detail": {"eventType": "Bounce"}}),
    ],
)
def test_what_is_no_event_of_ses_is_refused_without_being_repeated(body: str) -> None:
    with pytest.raises(FeedbackMalformed) as refused:
        feedback_of(body)

    assert str(refused.value) == ""
    assert refused.value.__suppress_context__


def test_unknown_fields_do_no_harm() -> None:
    more: dict[str, Any] = json.loads(event(eventType="Bounce", bounceType="Permanent"))
    more["detail"]["mail"]["somethingNew"] = {"x": 1}

    assert feedback_of(json.dumps(more))
