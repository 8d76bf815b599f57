"""Reads all gifts of an organisation in batches of a thousand, for exports."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.infra.keyset import Order
from amply.kernel.clock import iso
from amply.modules import organizations
from amply.modules.donations.domain import Channel, DonationStatus
from amply.modules.donations.models import DonationRow
from amply.modules.donations.options import Anonymity
from amply.modules.donations.queries import donation_of

_BATCH: Final = 1_000
_OLDEST: Final = Order(name="gifts in batches", columns=(DonationRow.created_at, DonationRow.id))
GIFT_COLUMNS: Final = (
    *(
        "id",
        "begun_at",
        "status",
        "standing",
        "currency",
        "amount_minor",
        "fee_cover_minor",
        "refunded_minor",
    ),
    *("fund_id", "fund", "channel", "may_be_named", "donor_name", "donor_email", "message"),
)
"""What a line says, whoever asks. Amounts are minor units; the last three are empty where donors are not named."""

Line = dict[str, str | int | None]


def gifts_in_batches(
    database: Database,
    *,
    organization_id: str,
    since: datetime | None,
    before: datetime,
    names_donors: bool,
) -> Iterator[list[Line]]:
    """Gifts that were begun in a period, the oldest first: as the organisation sees them, who gave and wrote what included
    where `names_donors`, the gift has arrived, and its donor lets it. A transaction for each batch, so that none is long and each
    finds the keys at hand.

    Raises:
        KeyNotAtHand, NoKeysHere, SealedBytesUnreadable: Donors are to be named, and cannot be.
    """
    cursor: str | None = None
    while True:
        with database.transaction() as session:
            chosen = select(DonationRow).where(
                DonationRow.organization_id == organization_id, DonationRow.created_at < before
            )
            if since is not None:
                chosen = chosen.where(DonationRow.created_at >= since)
            rows = session.scalars(_OLDEST.page(chosen, cursor=cursor, limit=_BATCH)).all()
            batch = _lines(session, rows[:_BATCH], names_donors=names_donors)
        if batch:
            yield batch
        cursor = _OLDEST.next_cursor(rows, limit=_BATCH)
        if cursor is None:
            return


def _lines(session: Session, rows: Sequence[DonationRow], *, names_donors: bool) -> list[Line]:
    funds = organizations.fund_names(session, fund_ids={row.fund_id for row in rows if row.fund_id})
    return [_line(row, funds.get(row.fund_id or ""), names_donors=names_donors) for row in rows]


def _line(row: DonationRow, fund: str | None, *, names_donors: bool) -> Line:
    """Nothing is opened that is not told."""
    is_shown = names_donors and row.status == DonationStatus.SUCCEEDED
    is_told = is_shown and row.anonymity != Anonymity.ORGANIZATION
    return {
        "id": row.id,
        "begun_at": iso(row.created_at),
        "status": row.status,
        "standing": donation_of(row).standing,
        "currency": row.currency,
        "amount_minor": row.minor_units,
        "fee_cover_minor": row.fee_cover_minor_units,
        "refunded_minor": row.refunded_minor_units,
        "fund_id": row.fund_id,
        "fund": fund,
        "channel": row.method or Channel.ONLINE,
        "may_be_named": "yes" if row.anonymity == Anonymity.NONE else "no",
        "donor_name": row.donor_name if is_told else None,
        "donor_email": row.donor_email if is_told else None,
        "message": row.message if is_shown else None,
    }
