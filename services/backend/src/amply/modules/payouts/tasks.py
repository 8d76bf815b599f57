"""Worker tasks of payouts: follow events, list a payout's items, compare balances.

Every task tolerates being repeated, reordered and killed: what it did not finish is done by the next run.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar

import structlog
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from amply.infra import outbox, tracing
from amply.infra.database import begins_again
from amply.modules import ledger, payments, webhooks
from amply.modules.payouts.bookings import PayoutInHand
from amply.modules.payouts.closing import (
    RUNBOOK,
    PayoutDependencies,
    close_books,
    close_later,
    close_soon,
    watermark_of,
)
from amply.modules.payouts.domain import (
    ITEMS_MAX,
    RECONCILED_EVENT,
    Payout,
    PayoutNotFound,
    PayoutNotReconciled,
    PayoutTooLong,
)
from amply.modules.payouts.models import MovementWatermarkRow, PayoutRow
from amply.modules.payouts.recording import Recording, match_open

TOPIC_RECONCILIATION_REQUESTED: Final = "payout.asked_for"
"""An operator requested the reconciliation of a payout."""

CLOSED_EVERY: Final = timedelta(hours=6)
TRIED_AGAIN_AFTER: Final = timedelta(minutes=10)
"""Retry interval if the balance changed meanwhile, or the processor did not respond."""
ACCOUNTS_MAX: Final = 10
"""Accounts compared in one run."""

_TRIES_MAX: Final = 3

Result = TypeVar("Result")

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class RetrievedPayout:
    """A payout just retrieved from the processor, its owner, and when it entered its state, as far as known."""

    payout: Payout
    owner: str
    account_id: str | None
    happened_at: datetime


def handle_provider_event(
    parts: PayoutDependencies, *, event_id: str, now: datetime
) -> webhooks.Outcome | None:
    """Handle a payout event: retrieve the payout, and book what it says.

    Returns None when there is nothing left to do (the event is unknown or was handled before), and while nothing may be
    booked: then the event waits, and the attempt does not count.

    Raises:
        payments.ProcessorUnavailable, payments.ProcessorRefused, PayoutTooLong: It stays unhandled and comes back.
    """
    with parts.database.transaction() as session:
        event = webhooks.claim(session, event_id=event_id, now=now)
        if event is None:
            return None
        owner = _owner(session, event.account_id)
        if owner is None:
            webhooks.mark_handled(session, event_id=event_id, outcome=webhooks.Outcome.NOT_OURS, now=now)
            return webhooks.Outcome.NOT_OURS
    tracing.annotate(event_id=event_id)
    try:
        return _apply(parts, event, owner=owner, now=now)
    except ledger.BookingsPaused:
        with parts.database.transaction() as session:
            webhooks.put_off(session, event_id=event_id, now=now)
        _log.warning("bookings_paused", event_id=event_id, runbook="docs/runbooks/alarms/bookings-paused.md")
        return None


def _apply(
    parts: PayoutDependencies, event: webhooks.ProviderEvent, *, owner: str, now: datetime
) -> webhooks.Outcome | None:
    """What the event changes, in the transaction that stamps it; None when somebody else was faster.

    What the payout consists of is listed page by page before the stamp: whoever is killed begins again.
    """
    told = RetrievedPayout(
        payout=parts.processor.payout(payout_id=str(event.object.get("id")), account_id=event.account_id),
        owner=owner,
        account_id=event.account_id,
        happened_at=event.occurred_at,
    )
    lists = event.type == RECONCILED_EVENT and told.payout.is_itemised

    def write(session: Session) -> webhooks.Outcome | None:
        if not webhooks.lock_unhandled(session, event_id=event.id):
            return None
        changed = _follow(session, parts, told, now=now) or lists
        outcome = webhooks.Outcome.APPLIED if changed else webhooks.Outcome.NO_CHANGE
        if not lists:
            webhooks.mark_handled(session, event_id=event.id, outcome=outcome, now=now)
        return outcome

    outcome = _again(parts, write)
    if outcome is not None and lists:
        _itemise(parts, told, now=now)
        with parts.database.transaction() as session:
            if webhooks.lock_unhandled(session, event_id=event.id):
                webhooks.mark_handled(session, event_id=event.id, outcome=outcome, now=now)
    if outcome is webhooks.Outcome.APPLIED:
        _log.info("payout_followed", payout_id=told.payout.id, status=told.payout.status)
    return outcome


def ask_for(session: Session, *, payout_id: str, organization_id: str | None, now: datetime) -> None:
    """Request the worker to retrieve and reconcile a payout.

    `organization_id` says whose it is where no event has told of it yet.

    Raises:
        PayoutNotFound: It is not known, and nobody said whose it is; or that organisation has no account.
    """
    row = session.get(PayoutRow, payout_id)
    account_id = row.account_id if row is not None else None
    if row is None and organization_id is not None:
        account_id = payments.account_of(session, organization_id=organization_id)
    if row is None and account_id is None:
        raise PayoutNotFound(payout_id)
    payload = {"payout_id": payout_id, "account_id": account_id or ""}
    outbox.put(session, topic=TOPIC_RECONCILIATION_REQUESTED, payload=payload, now=now)


def reconcile(parts: PayoutDependencies, *, payout_id: str, account_id: str | None, now: datetime) -> None:
    """Retrieve a payout, book it, and list its items.

    Raises:
        PayoutNotFound: The account is none that we know.
        PayoutNotReconciled: The processor does not list its items (yet).
    """
    with parts.database.transaction() as session:
        owner = _owner(session, account_id)
    if owner is None:
        raise PayoutNotFound(payout_id)
    payout = parts.processor.payout(payout_id=payout_id, account_id=account_id)
    told = RetrievedPayout(payout=payout, owner=owner, account_id=account_id, happened_at=now)
    _again(parts, lambda session: _follow(session, parts, told, now=now))
    if not payout.is_itemised:
        raise PayoutNotReconciled(payout_id)
    _itemise(parts, told, now=now)


def match_waiting(parts: PayoutDependencies, *, now: datetime) -> int:
    """Retry unmatched movements; returns how many were booked since."""
    with parts.database.transaction() as session:
        return match_open(session, now=now)


def close_due(parts: PayoutDependencies, *, now: datetime) -> int:
    """Compare balances of accounts (the platform's included) not compared for hours, or since a payout.

    Returns how many were compared.

    One account that cannot be compared holds back no other.
    """
    closed = 0
    for known in _due(parts, now=now):
        try:
            compared = close_books(parts, owner=known.owner, account_id=known.account_id, now=now)
        except (payments.ProcessorUnavailable, payments.ProcessorRefused, ledger.BookingsPaused):
            _log.warning("balance_not_compared", organization_id=known.owner, exc_info=True)
            compared = None
        if compared is not None:
            closed += 1
            continue
        with parts.database.transaction() as session:
            close_later(session, account_id=known.account_id, as_if_at=now - CLOSED_EVERY + TRIED_AGAIN_AFTER)
    return closed


@dataclass(frozen=True, kw_only=True)
class _Watched:
    """An account whose balance is compared; `account_id` None is the platform's own."""

    owner: str
    account_id: str | None


def _due(parts: PayoutDependencies, *, now: datetime) -> list[_Watched]:
    with parts.database.transaction() as session:
        known = [
            _Watched(owner=ledger.PLATFORM, account_id=None),
            *(
                _Watched(owner=each.organization_id, account_id=each.account_id)
                for each in payments.known_accounts(session)
            ),
        ]
        looked = dict(
            session.execute(select(MovementWatermarkRow.account_id, MovementWatermarkRow.looked_at)).all()
        )
    never = datetime.min.replace(tzinfo=now.tzinfo)

    def looked_at(account: _Watched) -> datetime:
        return looked.get(watermark_of(account.account_id)) or never

    return sorted((each for each in known if looked_at(each) <= now - CLOSED_EVERY), key=looked_at)[
        :ACCOUNTS_MAX
    ]


def _owner(session: Session, account_id: str | None) -> str | None:
    if account_id is None:
        return ledger.PLATFORM
    return payments.owner_of_account(session, account_id=account_id)


def _follow(session: Session, parts: PayoutDependencies, told: RetrievedPayout, *, now: datetime) -> bool:
    return PayoutInHand(
        session=session,
        payout=told.payout,
        owner=told.owner,
        account_id=told.account_id,
        secrets=parts.secrets,
        happened_at=told.happened_at,
        now=now,
    ).follow()


def _again(parts: PayoutDependencies, work: Callable[[Session], Result]) -> Result:
    """Begin a transaction again that is older than an entry it names: somebody else booked the step before meanwhile."""
    for _ in range(_TRIES_MAX - 1):
        try:
            with parts.database.transaction() as session:
                return work(session)
        except OperationalError as error:
            if not begins_again(error):
                raise
    with parts.database.transaction() as session:
        return work(session)


def _itemise(parts: PayoutDependencies, told: RetrievedPayout, *, now: datetime) -> None:
    """List what a payout consists of, page by page, hold it against the books, and add it up."""
    payout = told.payout
    items = total = 0
    older_than: str | None = None
    while True:
        page = parts.processor.transactions_of(
            payout_id=payout.id, account_id=told.account_id, older_than=older_than
        )
        of_payout = [transaction for transaction in page.items if transaction.source_id != payout.id]
        items += len(of_payout)
        total += sum(transaction.net for transaction in of_payout)
        if items > ITEMS_MAX:
            raise PayoutTooLong(payout.id)
        with parts.database.transaction() as session:
            Recording(
                session=session,
                owner=told.owner,
                account_id=told.account_id,
                secrets=parts.secrets,
                now=now,
            ).record(page.items, payout_id=payout.id)
        older_than = page.older_than
        if older_than is None:
            break
    with parts.database.transaction() as session:
        row = session.get_one(PayoutRow, payout.id, with_for_update=True)
        row.reconciled_at, row.items, row.items_minor_units = now, items, total
        close_soon(session, account_id=told.account_id)
    if total != payout.amount.minor_units:
        _log.warning("payout_items_differ", payout_id=payout.id, runbook=RUNBOOK)
