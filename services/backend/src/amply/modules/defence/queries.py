"""Queries of recent declines and of organisations under attack."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import any_, func, literal, select, text, union
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.modules.defence.domain import DECLINES, HOUR, SMALL_DECLINES, Fingerprints, Subject
from amply.modules.defence.models import AttackRow, CardSetupRow, ClosingRow, OpenedGiftRow

_COLUMNS: Final[Mapping[Subject, str]] = {
    Subject.ADDRESS: "address",
    Subject.NETWORK: "network",
    Subject.DEVICE: "device",
    Subject.MAIL: "mail",
    Subject.MAIL_DOMAIN: "mail_domain",
}


def _lately(window: timedelta) -> str:
    return f"declined_at > CAST(:now AS timestamptz) - interval '{window.total_seconds():.0f} seconds'"


def _numbers() -> Iterator[str]:
    """What each rule counts. A subject that is not known equals nothing."""
    for rule in DECLINES:
        column = _COLUMNS[rule.subject]
        yield f'count(*) FILTER (WHERE {column} = :{column} AND {_lately(rule.window)}) AS "{rule.name}"'


_SEEN: Final = text(f"""
    SELECT
        {", ".join(_numbers())},
        (
            SELECT coalesce(max(number), 0)
            FROM (
                SELECT count(*) AS number FROM decline
                WHERE organization_id = ANY (CAST(:small_at AS text[])) AND is_small AND {_lately(SMALL_DECLINES.window)}
                GROUP BY organization_id
            ) AS of_one
        ) AS "{SMALL_DECLINES.name}",
        EXISTS (
            SELECT FROM attack WHERE organization_id = ANY (CAST(:organization_ids AS text[])) AND until > :now
        ) AS is_under_attack,
        ARRAY (
            SELECT organization_id FROM form_closing
            WHERE organization_id = ANY (CAST(:organization_ids AS text[])) AND until > :now
            ORDER BY organization_id, until
        ) AS closed,
        ARRAY (
            SELECT until FROM form_closing
            WHERE organization_id = ANY (CAST(:organization_ids AS text[])) AND until > :now
            ORDER BY organization_id, until
        ) AS closed_until
    FROM decline
    WHERE {_lately(HOUR)} AND NOT is_repeat AND ({" OR ".join(f"{column} = :{column}" for column in _COLUMNS.values())})
""")  # noqa: S608 -- of constants: the rules are data
"""Built once: composing it for each gift would cost more than executing it."""


@dataclass(frozen=True, kw_only=True)
class CardTestingSignals:
    """Signals of card testing when a gift is opened: declines by rule name, and attacks on its organisations.

    `closed`: until when forms are closed, by organisation.
    """

    declined: Mapping[str, float]
    is_under_attack: bool
    closed: Mapping[str, datetime]


_RULES: Final = (*(rule.name for rule in DECLINES), SMALL_DECLINES.name)


@dataclass(frozen=True, kw_only=True)
class Attack:
    """An organisation under a card-testing attack."""

    organization_id: str
    began_at: datetime
    until: datetime
    declines: int


def seen_of(
    database: Database,
    *,
    marks: Fingerprints,
    small_at: Collection[str],
    organization_ids: Collection[str],
    now: datetime,
) -> CardTestingSignals:
    """Signals about these fingerprints and organisations, by one query outside of transactions.

    `small_at`: the organisations of small charges; the one with the most small declines counts.
    """
    known = {column: getattr(marks, subject) for subject, column in _COLUMNS.items()}
    asked = {"small_at": sorted(small_at), "organization_ids": sorted(organization_ids), "now": now}
    (found,) = database.look(_SEEN, {**known, **asked})
    return CardTestingSignals(
        declined={name: float(found[name]) for name in _RULES},
        is_under_attack=found["is_under_attack"],
        closed=dict(zip(found["closed"], found["closed_until"], strict=True)),
    )


def is_under_attack(session: Session, *, organization_ids: Collection[str], now: datetime) -> bool:
    """Whether one of these organisations is under a card-testing attack."""
    attacked = select(AttackRow.organization_id).where(
        AttackRow.organization_id.in_(organization_ids), AttackRow.until > now
    )
    return session.scalar(attacked.limit(1)) is not None


def count_opened(
    session: Session, *, organization_id: str, since: datetime, is_challenged: bool | None = None
) -> int:
    """How many gifts to an organisation, and cards for them, somebody has begun; those alone that a challenge was solved for."""
    gifts = select(func.count()).where(
        OpenedGiftRow.organization_id == organization_id, OpenedGiftRow.opened_at > since
    )
    setups = select(func.count()).where(
        literal(organization_id) == any_(CardSetupRow.organization_ids), CardSetupRow.opened_at > since
    )
    if is_challenged is not None:
        gifts = gifts.where(OpenedGiftRow.is_challenged == is_challenged)
        setups = setups.where(CardSetupRow.is_challenged == is_challenged)
    return session.scalars(gifts).one() + session.scalars(setups).one()


def attacks(session: Session, *, now: datetime) -> Sequence[Attack]:
    """Attacked organisations, longest first."""
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
    """Count organisations under attack, or with a closed form."""
    attacked = select(AttackRow.organization_id).where(AttackRow.until > now)
    closed = select(ClosingRow.organization_id).where(ClosingRow.until > now)
    return session.scalars(select(func.count()).select_from(union(attacked, closed).subquery())).one()
