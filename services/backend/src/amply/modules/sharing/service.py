"""Records donors' consent decisions. The latest decision counts.

A donor's decisions of one purpose wait for each other, and are numbered in the order in which they commit: two clicks at once
end in one state. A consent lasts from when it is given until it is withdrawn, a span, and a span that has ended never goes on.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import ColumnElement, delete, func, or_, select
from sqlalchemy.orm import Session

from amply.infra import outbox
from amply.infra.vault import indexes
from amply.kernel import ids
from amply.modules import donations, mail
from amply.modules.donations import DataSharing, DataSharingNotAcceptable
from amply.modules.sharing import wording
from amply.modules.sharing.domain import Decision, DecisionChannel, Extent, Purpose, Standing
from amply.modules.sharing.models import ConsentRow, FactRow, SpanRow, TickRow

TOPIC_CHANGED: Final = "sharing.consent_changed"
TICK_NOT_KEPT: Final = "tick_not_kept"
_LOCKS: Final = 0x7368  # "sh": the room of advisory locks that decisions take

_log = structlog.get_logger()


class Ticks:
    """Implements `donations.ConsentKeeping`: stores consents given with gifts."""

    def keep(
        self, session: Session, *, donation_id: str, email: str, said: DataSharing, now: datetime
    ) -> None:
        """Note that a donor lets facts of this gift be shared. Whoever ticks has not shown that the address is theirs:
        it counts for this gift and no other. Words that are not known here, as a newer release has them, are not noted.
        """
        try:
            purpose = _asked(wording.DONATION_PAGE, said)
        except DataSharingNotAcceptable:
            _log.warning(TICK_NOT_KEPT, donation_id=donation_id, purpose=said.purpose, wording=said.wording)
            return
        digest = mail.address_digest(email)
        _wait_for_others(session, digest, purpose)
        span = _given(session, digest, purpose)
        if span is None:
            span = _begin(session, digest, purpose, covers_all=False, now=now)
        else:
            _move_on(span, now=now)
        _write_down(
            session, span, Decision.GIVEN, DecisionChannel.DONATION_PAGE, wording=said.wording, now=now
        )
        session.add(TickRow(donation_id=donation_id, span_id=span.id))


def decide(session: Session, *, email_sha256: str, said: DataSharing, shares: bool, now: datetime) -> None:
    """Record a donor's decision about all their gifts. Idempotent.

    Raises:
        DataSharingNotAcceptable: Nobody was shown these words.
    """
    purpose = _asked(wording.OWN_PAGE, said)
    _wait_for_others(session, email_sha256, purpose)
    span = _given(session, email_sha256, purpose)
    if not shares:
        if span is not None:
            _end(session, span, DecisionChannel.OWN_PAGE, now=now)
        return
    if span is not None and span.covers_all:
        return
    if span is None:
        span = _begin(session, email_sha256, purpose, covers_all=True, now=now)
    else:
        span.covers_all = True
        _move_on(span, now=now)
    _write_down(session, span, Decision.GIVEN, DecisionChannel.OWN_PAGE, wording=said.wording, now=now)


def end_withdrawn(session: Session, span_id: str, *, now: datetime) -> bool:
    """End a consent that the consent table has as withdrawn; return whether it was still active here."""
    span = session.scalar(select(SpanRow).where(SpanRow.id == span_id, SpanRow.is_given).with_for_update())
    if span is not None:
        _end(session, span, DecisionChannel.CONSENT_TABLE, now=now)
        session.flush()
    return span is not None


def standing(session: Session, *, email_sha256: str) -> list[Standing]:
    """A donor's current decisions by purpose."""
    return [_standing(session, email_sha256, purpose) for purpose in Purpose]


def forget(session: Session, *, email_sha256: str | None, donation_id: str | None, now: datetime) -> None:
    """Withdraw the consents of an address (its digest) or of a gift's donor, and unlink them from the person.

    Before the gifts are erased, which changes their ids. The history stays, of nobody. In a restored database the gift may open
    for nobody: then what its index and its tick lead to.
    """
    owner = email_sha256 or donations.owner_of(session, donation_id=donation_id or "")
    if owner is not None:
        for purpose in Purpose:
            _wait_for_others(session, owner, purpose)
    chosen = _of(session, owner) if owner is not None else _beside(session, donation_id or "")
    for span in session.scalars(select(SpanRow).where(chosen).order_by(SpanRow.id).with_for_update()).all():
        if span.is_given:
            _end(session, span, DecisionChannel.ERASURE, now=now)
        span.donor_sha256 = None
        session.execute(delete(TickRow).where(TickRow.span_id == span.id))
        session.execute(delete(FactRow).where(FactRow.span_id == span.id))


def _asked(words: Mapping[str, Mapping[Purpose, Mapping[str, str]]], said: DataSharing) -> Purpose:
    if said.wording not in words or said.purpose not in words[said.wording]:
        raise DataSharingNotAcceptable(
            "Show the words that GET /v1/public/data-sharing has, and send their name and purpose.",
            param="data_sharing",
        )
    return Purpose(said.purpose)


def _standing(session: Session, digest: str, purpose: Purpose) -> Standing:
    newest = session.scalar(
        select(SpanRow)
        .where(_of(session, digest), SpanRow.purpose == purpose)
        .order_by(SpanRow.is_given.desc(), SpanRow.changed_at.desc())
        .limit(1)
    )
    if newest is None:
        return Standing(purpose=purpose, extent=Extent.NONE, since=None)
    extent = Extent.ALL if newest.covers_all else Extent.TICKED
    return Standing(
        purpose=purpose, extent=extent if newest.is_given else Extent.NONE, since=newest.changed_at
    )


def _wait_for_others(session: Session, digest: str, purpose: Purpose) -> None:
    """Until the end of the transaction nobody else decides for this donor."""
    named = hashlib.sha256(f"{purpose}/{digest}".encode()).digest()
    session.execute(select(func.pg_advisory_xact_lock(_LOCKS, int.from_bytes(named[:4], "big", signed=True))))


def _of(session: Session, digest: str) -> ColumnElement[bool]:
    return or_(SpanRow.donor_index.in_(indexes(session, digest)), SpanRow.plain_donor_sha256 == digest)


def _beside(session: Session, donation_id: str) -> ColumnElement[bool]:
    index = donations.index_of(session, donation_id=donation_id)
    ticked = SpanRow.id.in_(select(TickRow.span_id).where(TickRow.donation_id == donation_id))
    return ticked if index is None else or_(SpanRow.donor_index == index, ticked)


def _given(session: Session, digest: str, purpose: Purpose) -> SpanRow | None:
    return session.scalar(
        select(SpanRow)
        .where(_of(session, digest), SpanRow.purpose == purpose, SpanRow.is_given)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def _begin(session: Session, digest: str, purpose: Purpose, *, covers_all: bool, now: datetime) -> SpanRow:
    # Random, and not made of when: the lake's name for a person is made of it.
    row = SpanRow(
        id=ids.new_random_id("shr"),
        purpose=purpose,
        is_given=True,
        covers_all=covers_all,
        version=1,
        next_attempt_at=now,
        changed_at=now,
    )
    row.donor_sha256 = digest
    session.add(row)
    session.flush()
    return row


def _move_on(span: SpanRow, *, now: datetime) -> None:
    span.version += 1
    span.changed_at = now
    span.attempts, span.next_attempt_at = 0, now


def _end(session: Session, span: SpanRow, way: DecisionChannel, *, now: datetime) -> None:
    span.is_given = False
    _move_on(span, now=now)
    _write_down(session, span, Decision.WITHDRAWN, way, wording=None, now=now)


def _write_down(
    session: Session,
    span: SpanRow,
    decision: Decision,
    way: DecisionChannel,
    *,
    wording: str | None,
    now: datetime,
) -> None:
    session.add(
        ConsentRow(
            span_id=span.id,
            version=span.version,
            decision=decision,
            way=way,
            wording=wording,
            decided_at=now,
        )
    )
    outbox.put(session, topic=TOPIC_CHANGED, payload={"span_id": span.id}, now=now)
