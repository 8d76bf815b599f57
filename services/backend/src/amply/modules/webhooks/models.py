from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from amply.infra.orm import Record


class ProviderEventRow(Record):
    __tablename__ = "provider_event"

    id: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str]
    account_id: Mapped[str | None]
    livemode: Mapped[bool]
    payload: Mapped[dict[str, Any]]
    occurred_at: Mapped[datetime]
    received_at: Mapped[datetime]
    attempts: Mapped[int]
    next_attempt_at: Mapped[datetime]
    handled_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    last_failure: Mapped[str | None]
    traceparent: Mapped[str | None]


class EventWatermarkRow(Record):
    __tablename__ = "event_watermark"

    account_id: Mapped[str] = mapped_column(primary_key=True)
    seen_to: Mapped[datetime]
    began_at: Mapped[datetime | None]
    walked_to: Mapped[datetime | None]
    looked_at: Mapped[datetime | None]
