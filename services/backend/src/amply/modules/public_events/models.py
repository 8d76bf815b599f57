from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from amply.infra.due_rows import DueRow


class PublicEventRow(DueRow):
    """`subject_id`: the donation, payout or plan it is about. `fanned_out_at`: when each endpoint got its delivery.
    `published_at`: when it was put on the event bus; `attempts` and `next_attempt_at` are of that.
    """

    __tablename__ = "public_event"

    id: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[str]
    type: Mapped[str]
    subject_id: Mapped[str]
    data: Mapped[dict[str, Any]]
    occurred_at: Mapped[datetime]
    created_at: Mapped[datetime]
    fanned_out_at: Mapped[datetime | None]
    published_at: Mapped[datetime | None]
