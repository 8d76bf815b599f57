"""Counts an organisation's consenting donors by month.

Told are months that have ended, and no single person: whoever could look while a gift arrives would see what its donor chose.
"""

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    Boolean,
    ColumnElement,
    DateTime,
    Integer,
    LargeBinary,
    Select,
    Text,
    and_,
    column,
    func,
    select,
    table,
)
from sqlalchemy.orm import Session

from amply.modules.access import Access
from amply.modules.seller_portal.domain import Consents, people

_GIFT: Final = table(
    "organization_gift",
    column("id", Text),
    column("organization_id", Text),
    column("status", Text),
    column("method", Text),
    column("created_at", DateTime(timezone=True)),
).alias("gift")
_DONATION: Final = table("donation", column("id", Text), column("donor_index", LargeBinary))
_TICK: Final = table("sharing_tick", column("donation_id", Text), column("span_id", Text))
_SPAN: Final = table("sharing_span", column("id", Text), column("is_given", Boolean))
_CHARGE: Final = table("plan_charge", column("donation_id", Text), column("period", Integer))


def consents_of(session: Session, access: Access) -> list[Consents]:
    """The last twelve completed months with gifts, newest first."""
    rows = session.execute(_by_month(access)).all()
    return [
        Consents(
            month=f"{row.month:%Y-%m}",
            gave=people(row.gave),
            ticked=people(row.ticked, of=row.gave),
            withdrew=people(row.withdrew, of=row.ticked),
        )
        for row in rows
    ]


def _by_month(access: Access) -> Select[Any]:
    each = _donors(access).subquery("donor")
    ticked: ColumnElement[bool] = each.c.ticked
    return (
        select(
            each.c.month,
            func.count().label("gave"),
            func.count().filter(ticked).label("ticked"),
            func.count().filter(and_(ticked, ~each.c.shares)).label("withdrew"),
        )
        .group_by(each.c.month)
        .order_by(each.c.month.desc())
    )


def _donors(access: Access) -> Select[Any]:
    """A line for each donor and month: whether they ticked, and whether one of these consents still holds.

    Offline gifts have a method and come without a form; so do a plan's later ones. Who was forgotten has no index, and counts
    nowhere.
    """
    month = func.date_trunc("month", func.timezone("UTC", _GIFT.c.created_at)).label("month")
    first, end = _span_of_months(access.now)
    return (
        select(
            month,
            func.bool_or(_TICK.c.span_id.is_not(None)).label("ticked"),
            func.coalesce(func.bool_or(_SPAN.c.is_given), False).label("shares"),
        )
        .select_from(_GIFT)
        .join(_DONATION, _DONATION.c.id == _GIFT.c.id)
        .outerjoin(_TICK, _TICK.c.donation_id == _GIFT.c.id)
        .outerjoin(_SPAN, _SPAN.c.id == _TICK.c.span_id)
        .outerjoin(_CHARGE, and_(_CHARGE.c.donation_id == _GIFT.c.id, _CHARGE.c.period > 0))
        .where(
            access.covers(_GIFT.c.organization_id),
            _GIFT.c.status == "succeeded",
            _GIFT.c.method.is_(None),
            _GIFT.c.created_at >= first,
            _GIFT.c.created_at < end,
            _DONATION.c.donor_index.is_not(None),
            _CHARGE.c.donation_id.is_(None),
        )
        .group_by(month, _DONATION.c.donor_index)
    )


def _span_of_months(now: datetime) -> tuple[datetime, datetime]:
    """From the first moment of the first month to that of the present one."""
    here = now.astimezone(UTC)
    end = datetime(here.year, here.month, 1, tzinfo=UTC)
    return end.replace(year=end.year - 1), end
