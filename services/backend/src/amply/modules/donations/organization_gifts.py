"""Lists an organisation's gifts for its members and API keys, with donors for those who may see them.

Read from the view `organization_gift`, which shows the gifts of the organisation that the unit of work is bound to, and to a
member or a key of it; each statement names whoever asks besides (ADR 0106).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, column, select, table
from sqlalchemy.orm import Session

from amply.infra.keyset import Order
from amply.infra.vault import keyring_of
from amply.kernel.pagination import Page
from amply.modules.access import Access, Permission
from amply.modules.donations.domain import Donation, DonationNotFound, DonationStatus
from amply.modules.donations.models import DonationRow
from amply.modules.donations.options import Anonymity
from amply.modules.donations.queries import donation_of

_NOT_THEIRS: Final = ("reserved_entry_id", "newest_attempt", "donor_index")
_GIFT: Final = table(
    "organization_gift",
    *(column(each.name, each.type) for each in DonationRow.__table__.columns if each.name not in _NOT_THEIRS),
)


class GiftSort(StrEnum):
    """How gifts are listed: by when they were begun, the newest or the oldest first."""

    NEWEST = "-created_at"
    OLDEST = "created_at"


_BEGUN: Final = (_GIFT.c.created_at, _GIFT.c.id)
_ORDERS: Final[Mapping[GiftSort, Order]] = {
    GiftSort.NEWEST: Order(name="gifts:-created_at", columns=_BEGUN, descending=True),
    GiftSort.OLDEST: Order(name="gifts:created_at", columns=_BEGUN),
}


@dataclass(frozen=True, kw_only=True)
class GiftFilter:
    """Filters of the list; None matches all. `since` and `before` refer to creation (UTC)."""

    status: DonationStatus | None = None
    fund_id: str | None = None
    currency: str | None = None
    since: datetime | None = None
    before: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """The filter as SQL conditions."""
        same = {"status": self.status, "fund_id": self.fund_id, "currency": self.currency}
        asked = [_GIFT.c[name] == value for name, value in same.items() if value is not None]
        if self.since is not None:
            asked.append(_GIFT.c.created_at >= self.since)
        if self.before is not None:
            asked.append(_GIFT.c.created_at < self.before)
        return asked


@dataclass(frozen=True, kw_only=True)
class ReceivedGift:
    """A gift as its organisation sees it.

    What is personal is None where whoever asks may not see it and until the gift has arrived: who began one and left is not the
    organisation's to know. Names are None besides where the donor keeps them from the organisation.
    """

    donation: Donation
    anonymity: Anonymity
    donor_name: str | None
    donor_email: str | None
    message: str | None


def received(
    session: Session,
    access: Access,
    *,
    wanted: GiftFilter,
    sort: GiftSort = GiftSort.NEWEST,
    cursor: str | None,
    limit: int,
) -> Page[ReceivedGift]:
    """A page of gifts.

    Raises:
        CursorNotAcceptable: The cursor is none of this list in this order.
    """
    chosen = _chosen(access).where(*wanted.conditions())
    rows = session.execute(_ORDERS[sort].page(chosen, cursor=cursor, limit=limit)).all()
    return Page(
        items=[_received(session, row) for row in rows[:limit]],
        next_cursor=_ORDERS[sort].next_cursor(rows, limit=limit),
    )


def received_gift(session: Session, access: Access, *, donation_id: str) -> ReceivedGift:
    """One gift.

    Raises:
        DonationNotFound: The organisation has no such gift.
    """
    return _received(session, _one(session, access, donation_id=donation_id))


def own_donation(session: Session, access: Access, *, donation_id: str) -> Donation:
    """One gift, without its donor.

    Raises:
        DonationNotFound: The organisation has no such gift.
    """
    return donation_of(_one(session, access, donation_id=donation_id))


def _one(session: Session, access: Access, *, donation_id: str) -> Row[*tuple[Any, ...]]:
    row = session.execute(_chosen(access).where(_GIFT.c.id == donation_id)).one_or_none()
    if row is None:
        raise DonationNotFound("This organisation has no gift with this id; ask for the list of its gifts.")
    return row


def _chosen(access: Access) -> Select[*tuple[Any, ...]]:
    """Whether donors are shown is decided in the statement as well, by the permission for that."""
    names_donors = access.covers(_GIFT.c.organization_id, Permission.DONORS_READ).label("names_donors")
    return select(*_GIFT.c, names_donors).where(access.covers(_GIFT.c.organization_id))


def _received(session: Session, row: Row[*tuple[Any, ...]]) -> ReceivedGift:
    """Nothing is opened for who may not see it."""
    is_shown = row.names_donors and row.status == DonationStatus.SUCCEEDED
    is_told = is_shown and row.anonymity != Anonymity.ORGANIZATION
    said = (
        DonationRow.fields.open(keyring_of(session), row_id=row.id, sealed=row.sealed, plain=row)
        if is_shown
        else {}
    )
    return ReceivedGift(
        donation=donation_of(row),
        anonymity=Anonymity(row.anonymity),
        donor_name=said["donor_name"] if is_told else None,
        donor_email=said["donor_email"] if is_told else None,
        message=said.get("message"),
    )
