"""Erases a donor's personal data in all modules. Amounts, dates and organisations stay in the ledger.

The order is: find every trace, then remove them in one transaction. Killed before its end nothing has changed;
repeated, it removes what has come since. The public log needs no change, and the donor's own receipt still proves
the gift: it holds the openings that are deleted here.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import ColumnElement, case, delete, select, update
from sqlalchemy.orm import Session

from amply.infra import idempotency, outbox
from amply.infra.database import Database
from amply.infra.erasures import ErasureList
from amply.kernel import ids
from amply.kernel.errors import InvalidRequest
from amply.modules import defence, ledger, mail, payments, public_events, receipts, webhooks
from amply.modules.donations import erasure_list, split_rows
from amply.modules.donations.domain import DonationStatus
from amply.modules.donations.models import (
    DedicationRow,
    DonationRow,
    ErasureRow,
    NoticeRow,
    OfflineGiftRow,
    ReceiptRow,
)
from amply.modules.donations.refund_requests import forget_requests
from amply.modules.donations.service import IDEMPOTENCY_SCOPE
from amply.modules.donations.splits import SCOPE as SPLIT_SCOPE

_log = structlog.get_logger()

AlsoForgets = Callable[[Session, Collection[str]], None]
"""Erases what higher modules hold about gifts, by the organisations whose donors are erased."""

_GIFTS: Final = 500
"""Gifts searched in one transaction."""

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class DonorNotNamed(InvalidRequest):
    """An erasure needs the digest of an e-mail address, or a gift."""

    code = "donor_not_named"


@dataclass(frozen=True, kw_only=True)
class Erasure:
    """Counts of what was erased.

    Attributes:
        id: Of the record that it happened; None when there was nothing to remove.
        gifts: Donations that have no donor any more.
        entries: Ledger entries whose commitments nobody here can open any more.
        events: Stored provider events that were deleted.
        events_under_way: Events about these gifts that are not handled yet. Each is forgotten once it is.
        dedications: Gifts of others that this person was, or would have been, told of by letter.
    """

    id: str | None
    gifts: int
    entries: int
    events: int
    events_under_way: int
    dedications: int = 0


@dataclass(frozen=True, kw_only=True)
class _Traces:
    """All ids that lead to one donor."""

    donations: Sequence[str]
    payments: Mapping[str, str | None]
    returns: frozenset[str]
    events: webhooks.EventTraces
    addresses: frozenset[str]
    organizations: frozenset[str]
    booked: frozenset[str]

    @property
    def texts(self) -> set[str]:
        """Committed texts of these gifts alone."""
        remote_ids = {remote_id for remote_id in self.payments.values() if remote_id is not None}
        return {*self.donations, *self.events.object_ids, *remote_ids, *self.returns}

    def texts_of(self, *, email_sha256: str | None) -> set[str]:
        """The same, with the donor's addresses if everything of the donor is to be erased."""
        return self.texts if email_sha256 is None else {*self.texts, *self.addresses}


def erase_donor(
    database: Database,
    secrets: ledger.CommitmentSecrets,
    *,
    email_sha256: str | None,
    donation_id: str | None,
    now: datetime,
    listed: ErasureList | None = None,
    also: AlsoForgets | None = None,
    searched: ledger.UnassignedOpenings | None = None,
) -> Erasure:
    """Erase all data about the owner of the address with this digest (`mail.address_digest`), or about one gift.

    That is as a donor, and as somebody who was told of another's gift: the gift then stays, and tells nobody.

    `listed` is told before anything is removed; None where it knows already. `also` is called in the transaction that removes.
    `searched`: what `search_openings` found for this gift and others; without, it is looked for here.

    Gifts are found by their index, under every version of its key that is there.

    Raises:
        DonorNotNamed: Neither was given, or both, or what was given is no digest.
        OpeningsUnreadable: The commitment key is not the one that sealed the ledger's openings.
        RefundUnderWay: A refund of one of these gifts is not answered yet.
        EndingUnderWay: One of them is about to be ended at the processor.
    """
    require_named(email_sha256=email_sha256, donation_id=donation_id)
    with database.transaction() as session:
        donations = _named(session, email_sha256=email_sha256, donation_id=donation_id)
        traces = _traces(session, donations)
        told_of = _told_of(session, digest=email_sha256)
    if listed is not None:
        erasure_list.note(listed, gifts=donations, told=told_of)
    if searched is None:
        searched = ledger.search(database, secrets=secrets, traces=traces.texts_of(email_sha256=email_sha256))
    with database.transaction() as session:
        # Search again, now that these gifts are locked against booking: the first search took time.
        held = _traces(session, donations)
        about = ledger.entries_about(
            session,
            secrets=secrets,
            donation_ids=donations,
            traces=held.texts_of(email_sha256=email_sha256),
            searched=searched,
        )
        told = _forget_recipient(session, digest=email_sha256)
        entries = {*about, *held.booked}
        if also is not None:
            also(session, held.organizations)
        return _remove(session, held, entry_ids=entries, told=told, now=now)


def search_openings(
    database: Database, secrets: ledger.CommitmentSecrets, *, donation_ids: Sequence[str]
) -> ledger.UnassignedOpenings:
    """Assign unassigned ledger openings to these gifts in one pass, before erasing each.

    Raises:
        OpeningsUnreadable: As `erase_donor` says.
    """
    texts: set[str] = set()
    for pieces in range(0, len(donation_ids), _GIFTS):
        with database.transaction() as session:
            texts |= _traces(session, donation_ids[pieces : pieces + _GIFTS]).texts
    return ledger.search(database, secrets=secrets, traces=texts)


def require_named(*, email_sha256: str | None, donation_id: str | None) -> None:
    """Require exactly one way of naming the donor, before anything is changed.

    Raises:
        DonorNotNamed: Neither was given, or both, or what was given is no digest.
    """
    if (email_sha256 is None) == (donation_id is None):
        raise DonorNotNamed("Name the donor by the digest of an e-mail address or by a gift, not by both.")
    if email_sha256 is not None and not _DIGEST.fullmatch(email_sha256):
        raise DonorNotNamed(
            "A digest has 64 hexadecimal digits in lower case; docs/runbooks/erase-a-donor.md says how to make it."
        )


def _named(session: Session, *, email_sha256: str | None, donation_id: str | None) -> list[str]:
    """The gifts that are meant."""
    meant = (
        DonationRow.id == donation_id if email_sha256 is None else DonationRow.is_of(session, email_sha256)
    )
    return sorted(session.scalars(select(DonationRow.id).where(meant)))


def _traces(session: Session, donations: Sequence[str]) -> _Traces:
    """Locks as everywhere: events before payments."""
    named = payments.names_of_payments(session, donation_ids=donations)
    events = webhooks.lock_events_about(
        session,
        remote_ids=[remote_id for remote_id in named.values() if remote_id is not None],
        payment_ids=list(named),
    )
    locked = payments.names_of_payments(session, donation_ids=donations, lock=True)
    rows = session.scalars(select(DonationRow).where(DonationRow.id.in_(donations))).all()
    return _Traces(
        donations=donations,
        payments=locked,
        returns=frozenset(payments.names_of_returns(session, payment_ids=list(locked))),
        events=events,
        addresses=frozenset(row.donor_email for row in rows if row.donor_email is not None),
        organizations=frozenset(row.organization_id for row in rows),
        booked=frozenset(row.entry_id for row in rows if row.entry_id is not None),
    )


def _told_of(session: Session, *, digest: str | None) -> Sequence[str]:
    """The gifts of others that somebody was, or would have been, told of; none where no address is named."""
    if digest is None:
        return []
    return session.scalars(
        select(DedicationRow.donation_id).where(DedicationRow.told_to(session, digest))
    ).all()


def _forget_recipient(session: Session, *, digest: str | None) -> int:
    """Somebody who did not give, and was to be told of a gift; nobody where no address is named."""
    if digest is None:
        return 0
    told = session.scalars(
        select(DedicationRow).where(DedicationRow.told_to(session, digest)).with_for_update()
    )
    return erasure_list.forget_recipients(told)


def _remove(
    session: Session, found: _Traces, *, entry_ids: Collection[str], told: int, now: datetime
) -> Erasure:
    webhooks.forget(session, event_ids=found.events.handled_ids)
    outbox.forget_about(session, ids=[*found.donations, *found.payments])
    public_events.forget_about(session, subject_ids=found.donations)
    idempotency.forget(session, scope=IDEMPOTENCY_SCOPE, resource_ids=found.donations)
    forget_requests(session, donation_ids=found.donations)
    split_rows.forget(session, scope=SPLIT_SCOPE, donation_ids=found.donations)
    opened = ledger.erase_openings(session, entry_ids=sorted(entry_ids))
    session.execute(delete(OfflineGiftRow).where(OfflineGiftRow.donation_id.in_(found.donations)))
    session.execute(delete(ReceiptRow).where(ReceiptRow.donation_id.in_(found.donations)))
    session.execute(delete(DedicationRow).where(DedicationRow.donation_id.in_(found.donations)))
    defence.forget_donor(session, donation_ids=found.donations)
    session.execute(delete(NoticeRow).where(NoticeRow.donation_id.in_(found.donations)))
    receipts.erase(session, donation_ids=found.donations)
    mail.forget(session, addresses=found.addresses)
    for payment_id in sorted(found.payments):
        payments.erase(session, payment_id=payment_id, now=now)
    gifts = sum(
        _forget_gift(session, DonationRow.id == donation_id, now=now) for donation_id in found.donations
    )
    removed = Erasure(
        id=ids.new_id("era") if gifts or opened or told or found.events.handled_ids else None,
        gifts=gifts,
        entries=opened,
        events=len(found.events.handled_ids),
        events_under_way=found.events.unhandled,
        dedications=told,
    )
    if removed.id is not None:
        _record(session, removed, now=now)
    return removed


def _record(session: Session, removed: Erasure, *, now: datetime) -> None:
    session.add(
        ErasureRow(
            id=removed.id,
            erased_at=now,
            gifts=removed.gifts,
            entries=removed.entries,
            events=removed.events,
            dedications=removed.dedications,
        )
    )
    _log.info("donor_erased", erasure_id=removed.id, gifts=removed.gifts, entries=removed.entries)


def _forget_gift(session: Session, gift: ColumnElement[bool], *, now: datetime) -> int:
    """The gift's own id goes too: the donor has it, and it stands behind a commitment. Payments follow by cascade."""
    return len(
        session.execute(
            update(DonationRow)
            .where(gift)
            .values(
                id=ids.new_id("don"),
                sealed=None,
                donor_index=None,
                plan_id=None,
                status=case(
                    (DonationRow.status == DonationStatus.PENDING, DonationStatus.CANCELED),
                    else_=DonationRow.status,
                ),
                erased_at=now,
                updated_at=now,
            )
            .returning(DonationRow.id)
            .execution_options(synchronize_session=False)
        ).all()
    )
