"""Types and payloads of public events. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from amply.kernel.clock import iso


class EventType(StrEnum):
    """All types there are (docs/webhooks.md). Names are for ever: one is added, and none renamed."""

    DONATION_SUCCEEDED = "donation.succeeded"
    DONATION_REFUNDED = "donation.refunded"
    DONATION_DISPUTED = "donation.disputed"
    DONATION_REVERSED = "donation.reversed"
    PAYOUT_PAID = "payout.paid"
    PAYOUT_FAILED = "payout.failed"
    PLAN_STARTED = "plan.started"
    PLAN_PAUSED = "plan.paused"
    PLAN_RESUMED = "plan.resumed"
    PLAN_ENDED = "plan.ended"


@dataclass(frozen=True, kw_only=True)
class PublicEvent:
    """An event as integrators read it. `data` holds ids, amounts and states, and nothing personal."""

    id: str
    type: str
    organization_id: str
    data: Mapping[str, Any]
    occurred_at: datetime

    def body(self) -> bytes:
        """The JSON body, always the same bytes (Standard Webhooks, "Payload structure")."""
        said = {
            "id": self.id,
            "type": self.type,
            "timestamp": iso(self.occurred_at),
            "organization_id": self.organization_id,
            "data": self.data,
        }
        return json.dumps(said, ensure_ascii=True, separators=(",", ":")).encode("ascii")
