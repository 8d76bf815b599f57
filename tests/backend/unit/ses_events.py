"""SES events as EventBridge delivers them (docs.aws.amazon.com/ses, "Contents of event data")."""

import json


def event(
    *,
    eventType: str,  # noqa: N803 -- as SES spells it
    bounceType: str = "Permanent",  # noqa: N803 -- as SES spells it
    complaintFeedbackType: str | None = None,  # noqa: N803 -- as SES spells it
    address: str = "ada@example.org",
    event_id: str = "evt-1",
    message_id: str = "mail-1",
) -> str:
    recipient = {"emailAddress": address}
    more: dict[str, dict[str, object]] = {
        "Bounce": {
            "bounce": {
                "feedbackId": "0100018",
                "bounceType": bounceType,
                "bounceSubType": "General",
                "bouncedRecipients": [{**recipient, "action": "failed", "status": "5.1.1"}],
                "timestamp": "2026-11-21T09:00:00.000Z",
            }
        },
        "Complaint": {
            "complaint": {
                "feedbackId": "0100018",
                "complainedRecipients": [recipient],
                **({"complaintFeedbackType": complaintFeedbackType} if complaintFeedbackType else {}),
                "timestamp": "2026-11-21T09:00:00.000Z",
            }
        },
        "DeliveryDelay": {"deliveryDelay": {"delayType": "MailboxFull", "delayedRecipients": [recipient]}},
        "Reject": {"reject": {"reason": "Bad content"}},
    }
    return json.dumps(
        {
            "version": "0",
            "id": event_id,
            "detail-type": f"Email {eventType}",
            "source": "aws.ses",
            "account": "123456789012",
            "time": "2026-11-21T09:00:00Z",
            "region": "eu-west-1",
            "resources": ["arn:aws:ses:eu-west-1:123456789012:configuration-set/amply"],
            "detail": {
                "eventType": eventType,
                "mail": {"messageId": message_id, "destination": [address], "source": "gifts@amply.example"},
                **more.get(eventType, {}),
            },
        }
    )
