from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from amply.infra.orm import Record


class FeedbackRow(Record):
    __tablename__ = "mail_feedback"

    event_id: Mapped[str] = mapped_column(primary_key=True)
    address_sha256: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    message_id: Mapped[str]
    occurred_at: Mapped[datetime]
    received_at: Mapped[datetime]


class SuppressionRow(Record):
    __tablename__ = "mail_suppression"

    address_sha256: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str]
    since: Mapped[datetime]
