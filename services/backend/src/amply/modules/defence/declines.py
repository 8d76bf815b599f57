"""What is learnt from payments that were declined: whose they were, whether it is an attack, which payments must end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import case, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from amply.infra import outbox
from amply.modules.defence import closings, queries
from amply.modules.defence.domain import ATTACK_LASTS, ATTACK_WINDOW, HOUR, is_attack, is_exhausted
from amply.modules.defence.fingerprints import KEPT, forget_keys, key_of, mark
from amply.modules.defence.models import AttackRow, DeclineRow, OpenedGiftRow

TOPIC_EXHAUSTED: Final = "defence.gift_exhausted"
_CLOSE_BATCH_MAX: Final = 50
_CLOSE_ATTEMPTS_MAX: Final = 10
_CLOSE_AGAIN_AFTER: Final = timedelta(seconds=30)

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Decline:
    """One card that was declined for one gift.

    `reference` tells it from others: the processor's charge. `card` is the processor's fingerprint of the card, if it says
    one. Both are kept under the day's key only.
    """

    donation_id: str
    organization_id: str
    reference: str
    card: str | None
    declined_at: datetime


def note_decline(session: Session, decline: Decline, *, now: datetime) -> bool:
    """Count a decline once; False when it was counted before, or is so old that nothing follows from it.

    May bring attack mode, the closing of the organisation's form, and the end of the payment.
    """
    if decline.declined_at < now - HOUR:
        return False
    key = key_of(session, day=decline.declined_at.date())
    opened = session.get(OpenedGiftRow, decline.donation_id, with_for_update=True)
    card = mark(key, "card", decline.card) if decline.card else None
    counted = session.execute(
        insert(DeclineRow)
        .values(
            id=mark(key, "decline", decline.reference),
            donation_id=decline.donation_id,
            organization_id=decline.organization_id,
            address=opened and opened.address,
            network=opened and opened.network,
            device=opened and opened.device,
            mail=opened and opened.mail,
            mail_domain=opened and opened.mail_domain,
            card=card,
            is_small=opened is not None and opened.is_small,
            declined_at=decline.declined_at,
        )
        .on_conflict_do_nothing()
        .returning(DeclineRow.id)
    ).one_or_none()
    if counted is None:
        return False
    attacked_since = _look_for_attack(session, organization_id=decline.organization_id, now=now)
    if attacked_since is not None:
        closings.look_at_challenge(
            session, organization_id=decline.organization_id, attacked_since=attacked_since, now=now
        )
    if opened is not None and opened.exhausted_at is None and _must_end(session, decline, card, now=now):
        opened.exhausted_at = now
        outbox.put(session, topic=TOPIC_EXHAUSTED, payload={"donation_id": decline.donation_id}, now=now)
    return True


def claim_exhausted(session: Session, *, now: datetime) -> Sequence[str]:
    """The gifts whose payments must end and have not yet, with an attempt counted; ten at most, ever further apart."""
    rows = session.scalars(
        select(OpenedGiftRow)
        .where(
            OpenedGiftRow.exhausted_at.is_not(None),
            OpenedGiftRow.closed_at.is_(None),
            OpenedGiftRow.attempts < _CLOSE_ATTEMPTS_MAX,
            or_(OpenedGiftRow.next_attempt_at.is_(None), OpenedGiftRow.next_attempt_at < now),
        )
        .order_by(OpenedGiftRow.exhausted_at)
        .limit(_CLOSE_BATCH_MAX)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        row.attempts += 1
        row.next_attempt_at = now + _CLOSE_AGAIN_AFTER * (1 << row.attempts)
    return [row.donation_id for row in rows]


def count_unended(session: Session) -> int:
    """How many payments should have ended and could not be in ten attempts. Kept as long as the gifts' marks."""
    exhausted = select(func.count()).where(
        OpenedGiftRow.exhausted_at.is_not(None),
        OpenedGiftRow.closed_at.is_(None),
        OpenedGiftRow.attempts >= _CLOSE_ATTEMPTS_MAX,
    )
    return session.scalars(exhausted).one()


def note_closed(session: Session, *, donation_id: str, now: datetime) -> None:
    """Nobody can pay this gift any more, or it is paid."""
    session.execute(
        update(OpenedGiftRow).where(OpenedGiftRow.donation_id == donation_id).values(closed_at=now)
    )


def forget(session: Session, *, now: datetime) -> None:
    """Delete what is two days old: marks say nothing without their day's key, which goes too."""
    session.execute(delete(DeclineRow).where(DeclineRow.declined_at < now - KEPT))
    session.execute(delete(OpenedGiftRow).where(OpenedGiftRow.opened_at < now - KEPT))
    forget_keys(session, now=now)


def forget_donor(session: Session, *, donation_ids: Sequence[str]) -> None:
    """Delete what was kept of these gifts."""
    session.execute(delete(DeclineRow).where(DeclineRow.donation_id.in_(donation_ids)))
    session.execute(delete(OpenedGiftRow).where(OpenedGiftRow.donation_id.in_(donation_ids)))


def _look_for_attack(session: Session, *, organization_id: str, now: datetime) -> datetime | None:
    """Since when the organisation is under attack, as this decline shows; None where it shows none.

    Whoever finds one holds its row until the transaction ends, so that one decides at a time what follows.
    """
    declines, cards = session.execute(
        select(func.count(), func.count(DeclineRow.card.distinct())).where(
            DeclineRow.organization_id == organization_id, DeclineRow.declined_at > now - ATTACK_WINDOW
        )
    ).one()
    opened = session.scalars(
        select(func.count()).where(
            OpenedGiftRow.organization_id == organization_id, OpenedGiftRow.opened_at > now - ATTACK_WINDOW
        )
    ).one()
    if not is_attack(declines=declines, cards=cards, opened=opened):
        return None
    began = insert(AttackRow).values(
        organization_id=organization_id, began_at=now, until=now + ATTACK_LASTS, declines=declines
    )
    began_at = session.scalars(
        began.on_conflict_do_update(
            index_elements=["organization_id"],
            set_={
                "began_at": case((AttackRow.until > now, AttackRow.began_at), else_=now),
                "until": began.excluded.until,
                "declines": began.excluded.declines,
            },
        ).returning(AttackRow.began_at)
    ).one()
    if began_at == now:
        _log.warning(
            "attack_began", organization_id=organization_id, runbook="docs/runbooks/alarms/card-testing.md"
        )
    return began_at


def _must_end(session: Session, decline: Decline, card: bytes | None, *, now: datetime) -> bool:
    declines, cards = session.execute(
        select(func.count(), func.count(DeclineRow.card.distinct())).where(
            DeclineRow.donation_id == decline.donation_id
        )
    ).one()
    of_card = select(func.count(DeclineRow.donation_id.distinct())).where(
        DeclineRow.card == card, DeclineRow.declined_at > now - HOUR
    )
    return is_exhausted(
        declines=declines,
        cards=cards,
        gifts_of_card=0 if card is None else session.scalars(of_card).one(),
        is_under_attack=queries.is_under_attack(session, organization_ids=[decline.organization_id], now=now),
    )
