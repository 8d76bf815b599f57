"""Delivery of events through Amazon EventBridge (https://docs.stripe.com/event-destinations/eventbridge).

For tests and laptops: the bus is an emulator's on this machine. Stripe's own source, `aws.partner/stripe.com/…`, is refused to
everybody but AWS's partners, there as at AWS: a rule's target has to write it into what it passes on.
"""

import json
from typing import Any

from stripe_sandbox.errors import Json
from stripe_sandbox.webhooks.deliveries import Outcome

SOURCE = "stripe.sandbox"
_OK, _FAILED = 200, 500


class EventBus:
    """One bus, by its name."""

    def __init__(self, name: str, url: str) -> None:
        import boto3  # noqa: PLC0415  # only who asks for a bus needs AWS's client

        self._name = name
        self._client: Any = boto3.client(
            "events",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106  # an emulator's, which takes any
        )

    def put(self, event: Json) -> Outcome:
        """Hand one event over, as it would be pushed to a webhook."""
        entry = {
            "Source": SOURCE,
            "DetailType": event["type"],
            "Detail": json.dumps(event),
            "EventBusName": self._name,
        }
        try:
            answer = self._client.put_events(Entries=[entry])
        except Exception as error:  # noqa: BLE001  # whatever it is, the delivery is owed again
            return Outcome(None, f"{type(error).__name__}: {error}")
        if answer["FailedEntryCount"]:
            return Outcome(_FAILED, json.dumps(answer["Entries"]))
        return Outcome(_OK)
