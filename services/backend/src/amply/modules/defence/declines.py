"""Card declines as a signal: records them, detects attacks, and decides which payments must end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog
from sqlalchemy import ColumnElement, and_, case, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from amply.modules.defence import closings, queries
from amply.modules.defence.domain import ATTACK_LASTS, ATTACK_WINDOW, HOUR, Decline, is_attack, is_exhausted
from amply.modules.defence.fingerprints import key_of, mark
from amply.modules.defence.models import AttackRow, CardSetupRow, DeclineRow, OpenedGiftRow

TOPIC_EXHAUSTED: Final = "defence.gift_exhausted"
"""A payment or SetupIntent used for card testing is to be canceled."""

_MARKS: Final = ("address", "network", "device", "mail", "mail_domain", "is_challenged")

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class _Tried:
    """What a card was tried on: a gift, or the SetupIntents of an owner; where, and whether somebody was at a form.

    `split_id`: the gift to several organisations that the gift is a part of.
    """

    donation_id: str | None = None
    owner_id: str | None = None
    split_id: str | None = None
    organization_ids: Sequence[str]
    is_collected: bool = False

    @property
    def own(self) -> ColumnElement[bool]:
        """Its own declines, each attempt once."""
        if self.donation_id is not None:
            return DeclineRow.donation_id == self.donation_id
        return and_(DeclineRow.owner_id == self.owner_id, ~DeclineRow.is_repeat)


def note_decline(
    session: Session,
    decline: Decline,
    *,
    donation_id: str,
    organization_id: str,
    now: datetime,
    is_collected: bool = False,
    split_id: str | None = None,
) -> bool:
    """Record a declined card of a gift, once; return whether the gift's payment must end now.

    False too when it was counted before, or is so old that nothing follows from it. May bring attack mode and the closing of
    the organisation's form, but for a gift that `is_collected` from a plan: it is declined while nobody is there. `split_id`: of a
    part of a gift to several organisations, of which all are charged at once: the donor tried the card once.
    """
    opened = session.get(OpenedGiftRow, donation_id, with_for_update=True)
    tried = _Tried(
        donation_id=donation_id,
        split_id=split_id,
        organization_ids=[organization_id],
        is_collected=is_collected,
    )
    small_at = [organization_id] if opened is not None and opened.is_small else []
    return _note(session, decline, tried, marks=_marks(opened), small_at=small_at, now=now)


def note_setup_decline(session: Session, decline: Decline, *, setup: CardSetupRow, now: datetime) -> bool:
    """Record a declined card of a SetupIntent for each of its organisations; return whether the owner's SetupIntents
    must end now.
    """
    tried = _Tried(owner_id=setup.owner_id, organization_ids=setup.organization_ids)
    return _note(session, decline, tried, marks=_marks(setup), small_at=setup.small_at, now=now)


def forget_donor(session: Session, *, donation_ids: Sequence[str]) -> None:
    """Delete the data about these gifts."""
    session.execute(delete(DeclineRow).where(DeclineRow.donation_id.in_(donation_ids)))
    session.execute(delete(OpenedGiftRow).where(OpenedGiftRow.donation_id.in_(donation_ids)))


def _marks(opened: OpenedGiftRow | CardSetupRow | None) -> Mapping[str, Any]:
    return {} if opened is None else {name: getattr(opened, name) for name in _MARKS}


def _note(
    session: Session,
    decline: Decline,
    tried: _Tried,
    *,
    marks: Mapping[str, Any],
    small_at: Sequence[str],
    now: datetime,
) -> bool:
    if decline.declined_at < now - HOUR:
        return False
    key = key_of(session, day=decline.declined_at.date())
    card = mark(key, "card", decline.card) if decline.card else None
    is_of_another_part = _is_of_another_part(session, tried, card)
    is_new = False
    for place, organization_id in enumerate(tried.organization_ids):
        named = (decline.reference, organization_id) if place else (decline.reference,)
        row = {
            "id": mark(key, "decline", *named),
            "donation_id": tried.donation_id,
            "owner_id": tried.owner_id,
            "split_id": tried.split_id,
            "organization_id": organization_id,
            **marks,
            "card": card,
            "is_small": organization_id in small_at,
            "is_collected": tried.is_collected,
            "is_repeat": place > 0 or is_of_another_part,
            "declined_at": decline.declined_at,
        }
        counted = insert(DeclineRow).values(row).on_conflict_do_nothing().returning(DeclineRow.id)
        if session.execute(counted).one_or_none() is not None:
            is_new = True
            _look_at_form(session, organization_id, is_collected=tried.is_collected, now=now)
    return is_new and _must_end(session, tried, card, now=now)


def _is_of_another_part(session: Session, tried: _Tried, card: bytes | None) -> bool:
    """Whether this attempt was counted when another part of the same gift was charged in it: the n-th of each part is one attempt.

    One decides at a time.
    """
    if tried.split_id is None:
        return False
    of_split = CardSetupRow.owner_id == tried.split_id
    session.execute(
        select(CardSetupRow.remote_id).where(of_split).order_by(CardSetupRow.remote_id).with_for_update()
    )
    counted, own = session.execute(
        select(
            func.count().filter(~DeclineRow.is_repeat),
            func.count().filter(DeclineRow.donation_id == tried.donation_id),
        ).where(DeclineRow.split_id == tried.split_id, DeclineRow.card.is_not_distinct_from(card))
    ).one()
    return bool(counted > own)


def _look_at_form(session: Session, organization_id: str, *, is_collected: bool, now: datetime) -> None:
    attacked_since = None if is_collected else _look_for_attack(session, organization_id, now=now)
    if attacked_since is not None:
        closings.look_at_challenge(
            session, organization_id=organization_id, attacked_since=attacked_since, now=now
        )


def _look_for_attack(session: Session, organization_id: str, *, now: datetime) -> datetime | None:
    """Since when the organisation is under attack, as this decline shows; None where it shows none.

    Whoever finds one holds its row until the transaction ends, so that one decides at a time what follows.
    """
    declines, cards = session.execute(
        select(func.count(), func.count(DeclineRow.card.distinct())).where(
            DeclineRow.organization_id == organization_id,
            DeclineRow.declined_at > now - ATTACK_WINDOW,
            ~DeclineRow.is_collected,
        )
    ).one()
    opened = queries.count_opened(session, organization_id=organization_id, since=now - ATTACK_WINDOW)
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


def _must_end(session: Session, tried: _Tried, card: bytes | None, *, now: datetime) -> bool:
    """A recurring gift that is collected ends by its own declines alone: one card may pay for many of them."""
    declines, cards = session.execute(
        select(func.count(), func.count(DeclineRow.card.distinct())).where(tried.own)
    ).one()
    if tried.is_collected:
        return is_exhausted(declines=declines, cards=cards, gifts_of_card=0, is_under_attack=False)
    gift = func.coalesce(DeclineRow.split_id, DeclineRow.donation_id, DeclineRow.owner_id)
    of_card = select(func.count(gift.distinct())).where(
        DeclineRow.card == card, DeclineRow.declined_at > now - HOUR, ~DeclineRow.is_collected
    )
    return is_exhausted(
        declines=declines,
        cards=cards,
        gifts_of_card=0 if card is None else session.scalars(of_card).one(),
        is_under_attack=queries.is_under_attack(session, organization_ids=tried.organization_ids, now=now),
    )
