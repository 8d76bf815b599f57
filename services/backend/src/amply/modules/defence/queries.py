"""What is known of declines and attacks."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, and_, func, or_, select, union
from sqlalchemy.orm import InstrumentedAttribute, Session

from amply.modules.defence.domain import DECLINES, HOUR, SMALL_DECLINES, Marks, Subject
from amply.modules.defence.models import AttackRow, ClosingRow, DeclineRow

_COLUMNS: Final[Mapping[Subject, InstrumentedAttribute[bytes | None]]] = {
    Subject.ADDRESS: DeclineRow.address,
    Subject.NETWORK: DeclineRow.network,
    Subject.DEVICE: DeclineRow.device,
    Subject.MAIL: DeclineRow.mail,
    Subject.MAIL_DOMAIN: DeclineRow.mail_domain,
}


@dataclass(frozen=True, kw_only=True)
class Attack:
    """An organisation whose form is used to test cards."""

    organization_id: str
    began_at: datetime
    until: datetime
    declines: int


def declines_of(
    session: Session, *, marks: Marks, small_at: Collection[str], now: datetime
) -> Mapping[str, float]:
    """How many declines each rule counts for these marks, by the rule's name.

    `small_at`: the organisations of small charges; the one with the most small declines counts.
    """
    known = {subject: getattr(marks, subject) for subject in _COLUMNS if getattr(marks, subject) is not None}
    counted = {
        rule.name: and_(_COLUMNS[rule.subject] == known[rule.subject], _since(now - rule.window))
        for rule in DECLINES
        if rule.subject in known
    }
    at = {
        organization_id: and_(DeclineRow.organization_id == organization_id, DeclineRow.is_small)
        for organization_id in sorted(small_at)
    }
    recent = _since(now - SMALL_DECLINES.window)
    found = session.execute(
        select(
            *(func.count().filter(which).label(name) for name, which in counted.items()),
            func.greatest(0, *(func.count().filter(small, recent) for small in at.values())).label(
                SMALL_DECLINES.name
            ),
        ).where(
            _since(now - HOUR),
            or_(*(_COLUMNS[subject] == mark for subject, mark in known.items()), *at.values()),
        )
    ).one()
    return {name: float(number) for name, number in found._mapping.items()}  # noqa: SLF001 -- SQLAlchemy's public name for it


def is_under_attack(session: Session, *, organization_ids: Collection[str], now: datetime) -> bool:
    """Whether the form of one of these organisations is being used to test cards."""
    attacked = select(AttackRow.organization_id).where(
        AttackRow.organization_id.in_(organization_ids), AttackRow.until > now
    )
    return session.scalar(attacked.limit(1)) is not None


def attacks(session: Session, *, now: datetime) -> Sequence[Attack]:
    """The organisations under attack, the longest first."""
    rows = session.scalars(select(AttackRow).where(AttackRow.until > now).order_by(AttackRow.began_at))
    return [
        Attack(
            organization_id=row.organization_id,
            began_at=row.began_at,
            until=row.until,
            declines=row.declines,
        )
        for row in rows
    ]


def count_attacks(session: Session, *, now: datetime) -> int:
    """How many organisations are under attack, or have their form closed for one."""
    attacked = select(AttackRow.organization_id).where(AttackRow.until > now)
    closed = select(ClosingRow.organization_id).where(ClosingRow.until > now)
    return session.scalars(select(func.count()).select_from(union(attacked, closed).subquery())).one()


def _since(moment: datetime) -> ColumnElement[bool]:
    return DeclineRow.declined_at > moment
