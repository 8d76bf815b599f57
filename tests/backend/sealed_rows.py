"""Reads rows with encrypted fields decrypted."""

from types import SimpleNamespace
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from amply.infra.vault import SealedRecord
from amply.modules.donations.models import DedicationRow, DonationRow, OfflineGiftRow
from amply.modules.giving.models import LinkRequestRow
from amply.modules.members.models import InvitationRow as MemberInvitationRow
from amply.modules.onboarding.models import InvitationRow
from amply.modules.organizations.models import ContactRow
from amply.modules.receipts.models import IssuedReceiptRow, ReceiptFactsRow
from amply.modules.recurring.models import PlanRow

SEALED: Final[dict[str, type[SealedRecord]]] = {
    kind.__tablename__: kind
    for kind in (
        *(DonationRow, PlanRow, DedicationRow, OfflineGiftRow, ReceiptFactsRow, IssuedReceiptRow),
        *(LinkRequestRow, MemberInvitationRow, InvitationRow, ContactRow),
    )
}
"""By table: the class of its rows."""


def rows_in(session: Session, table: str, *, order: str = "1, 2") -> list[Any]:
    """Every row of a table, in the order of its columns of these numbers."""
    if (kind := SEALED.get(table)) is not None:
        return [_seen(row) for row in session.scalars(select(kind).order_by(getattr(kind, kind.fields.key)))]
    return list(session.execute(text(f"SELECT * FROM {table} ORDER BY {order}")))  # noqa: S608 -- the test's own table names


def _seen(row: SealedRecord) -> SimpleNamespace:
    columns = {key: getattr(row, key) for key in row.__mapper__.column_attrs.keys()}  # noqa: SIM118 -- no mapping
    return SimpleNamespace(**columns, **row.opened())
