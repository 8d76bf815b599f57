"""Publishes public events on the environment's EventBridge bus (`stacks/events.py`)."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Final

import boto3
import structlog
from botocore.config import Config

from amply.infra import tracing
from amply.infra.database import forbid_transaction
from amply.infra.settings import EventBusSettings
from amply.modules.public_events import PublicEvent

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

SOURCE: Final = "amply"
"""What the bus lets in (`FACTS` of `stacks/events.py`)."""
_LIMITS: Final = Config(
    connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 1}
)
"""Gifts' events wait behind this call, and what it did not put is tried again by its row."""

_log = structlog.get_logger()


class EventBridgeBus:
    """The bus, as the public events module's `EventBus`."""

    def __init__(self, settings: EventBusSettings) -> None:
        self._name = settings.event_bus
        self._client: EventBridgeClient = boto3.client("events", config=_LIMITS)

    def put(self, events: Sequence[PublicEvent]) -> Collection[str]:
        """Each entry is taken or not by itself: a request of which some are not is answered 200 all the same."""
        forbid_transaction("EventBridge: put events")
        with tracing.call("EventBridge: put events"):
            answer = self._client.put_events(
                Entries=[
                    {
                        "EventBusName": self._name,
                        "Source": SOURCE,
                        "DetailType": event.type,
                        "Time": event.occurred_at,
                        "Detail": event.body().decode("ascii"),
                    }
                    for event in events
                ]
            )
        taken = []
        for event, entry in zip(events, answer["Entries"], strict=True):
            if "ErrorCode" in entry:
                _log.warning("event_not_taken", event_id=event.id, reason=entry["ErrorCode"])
            else:
                taken.append(event.id)
        return taken
