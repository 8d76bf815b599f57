"""Bank transfers of the data marketplace (from buyers, back to them, to owners): recorded by operators, each booked once."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Final

from sqlalchemy import case, func, insert, select, text
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.kernel.errors import Conflict, InvariantViolation
from amply.kernel.ids import new_id
from amply.kernel.money import Money
from amply.modules import ledger
from amply.modules.ledger import Kind, account
from amply.modules.marketplace.crediting import require_credit_in_rows, require_nobody_elses, require_settled
from amply.modules.marketplace.domain import Contract, ContractNotAcceptable, is_credited
from amply.modules.marketplace.locks import lock_payments, lock_reference
from amply.modules.marketplace.models import PaymentRow, SettlementRow
from amply.modules.marketplace.settling import BooksKnowMore

_REFERENCE: Final = re.compile(r"[A-Za-z0-9./_-]{1,64}")
"""No free text, which could contain a name and would be kept for ever."""

_NAMED_BY_NONE: Final = """
    SELECT entry.id
    FROM entry
    WHERE entry.kind IN ('data.paid', 'data.sent_back', 'data.share_paid')
      AND entry.kind = :kind
      AND entry.organization_id = :owner
      AND entry.id <> :but
      AND NOT EXISTS (SELECT FROM data_payment AS payment WHERE payment.entry_id = entry.id)
"""
"""Another entry that no payment names: put back from the log into a restored database.

All three kinds stand in the words: only so is their index used (`ix_entry_data_moved`).
"""
_UNKNOWN: Final = text(f"{_NAMED_BY_NONE} AND entry.event_at = :at LIMIT 1")
_UNKNOWN_RECEIVED: Final = text(f"""{_NAMED_BY_NONE}
      AND (
          entry.event_at = :at
          OR EXISTS (
              SELECT FROM transfer AS moved
              WHERE moved.entry_id = entry.id
                AND moved.currency = :currency
                AND moved.amount_minor = :amount_minor
          )
      )
    LIMIT 1
""")
"""Of that day, or of the same amount on any day: the bank's day may be read differently the second time. All others of other days
would keep every later payment from being noted."""
_UNKNOWN_EVER: Final = text(f"{_NAMED_BY_NONE} LIMIT 1")
"""Of any day. What is sent back is rare, and a second time under another day it would be money that is not there."""
_MOMENT: Final = text("SELECT event_at FROM entry WHERE id = :id")


class TransferKind(StrEnum):
    """`received`: from a contract's buyer. `sent_back`: to that buyer. `passed_on`: to an organisation."""

    RECEIVED = "received"
    SENT_BACK = "sent_back"
    PASSED_ON = "passed_on"


_OF_BUYERS: Final = frozenset({TransferKind.RECEIVED, TransferKind.SENT_BACK})
"""One transfer of these is noted under one contract: what came and is noted twice would be credit of money that is not there."""


class PaymentContradicts(Conflict):
    """The same reference was noted with another amount or another day."""

    code = "data_payment_contradicts"


class MoreThanDue(Conflict):
    """More would be passed on than the organisation is owed."""

    code = "data_more_than_due"


class MoreThanCredit(Conflict):
    """More would be sent back to a buyer than it has in credit."""

    code = "data_more_than_credit"


class NothingOwed(Conflict):
    """The contract never had a settlement in this currency, so that nobody can have paid it."""

    code = "data_nothing_owed"


@dataclass(frozen=True, kw_only=True)
class Payment:
    """A bank transfer. `party`: the contract (of its buyer), or the organisation that was paid."""

    way: TransferKind
    party: str
    amount: Money
    reference: str
    happened_on: date


@dataclass(frozen=True, kw_only=True)
class RecordedPayment:
    """A recorded transfer, whether this call recorded it, and the open balance (negative if overpaid)."""

    id: str
    created: bool
    open_minor: int


def note_payment(
    database: Database,
    secrets: ledger.CommitmentSecrets,
    payment: Payment,
    *,
    now: datetime,
    is_new: bool = False,
    also_of_another: bool = False,
    contract: Contract | None = None,
    in_books: Money | None = None,
) -> RecordedPayment:
    """Record and book a bank transfer. Idempotent.

    `is_new`: it is none of those that a restored database has in its books alone. `also_of_another`: its transfer stands under
    another contract too, and this is one's part of it. Of what was sent back, `contract`: the party as it is now, and
    `in_books`: what it owes by the books alone, for months whose settlements were lost and for what was sent back; asked for
    where there may be such.

    Raises:
        ContractNotAcceptable: Its reference or day cannot be.
        PaymentContradicts: The same reference was noted with another amount or another day.
        MoreThanDue: More would be passed on than the organisation is owed.
        NothingOwed: The contract never had a settlement in this currency, so that nobody can have paid it.
        BooksKnowMore: The books have a settlement of the month, or a payment that may be this one, which the database lost when it was
            restored; or one that was sent back, of whichever contract, and `in_books` does not say what there is of this one.
        ReferenceKnown: Of what buyers sent or got back, as it says.
        MoreThanCredit, MonthNotSettled: Of what was sent back, as they say.
    """
    _check(payment, now=now)
    with database.transaction() as session:
        lock_payments(session, payment.party)
        if payment.way in _OF_BUYERS:
            lock_reference(session, payment.way, payment.reference)
        standing = _standing(session, payment)
        open_minor = _open(session, payment, is_noted=standing is not None)
        if standing is not None:
            return RecordedPayment(id=standing.id, created=False, open_minor=open_minor)
        posted = _post(session, secrets, payment, is_new=is_new, now=now)
        # What was put back under its own key was judged before it was lost, and is in the balance.
        if posted.created:
            if payment.way in _OF_BUYERS and not also_of_another:
                require_nobody_elses(session, payment.way, payment.party, payment.reference)
            if payment.way is TransferKind.SENT_BACK:
                _require_credit(session, payment, contract, but=posted.id, in_books=in_books, now=now)
            _require_there(payment, open_minor + (0 if in_books is None else in_books.minor_units))
        made = _write(session, payment, entry_id=posted.id, now=now)
        return RecordedPayment(id=made, created=True, open_minor=_open(session, payment, is_noted=True))


def _check(payment: Payment, *, now: datetime) -> None:
    if _REFERENCE.fullmatch(payment.reference) is None:
        raise ContractNotAcceptable(
            "Give the bank's reference as 1 to 64 letters, digits and . / _ -, such as E2E-4711; no text and nobody's name."
        )
    if payment.happened_on > now.date():
        raise ContractNotAcceptable("Give the day on which the bank moved it; none that is still to come.")
    if payment.way is TransferKind.PASSED_ON and not is_credited(payment.party):
        raise ContractNotAcceptable("Name the organisation by its id, org_….")


def _standing(session: Session, payment: Payment) -> PaymentRow | None:
    """What was noted of this party by this reference: this very payment."""
    found = session.scalar(
        select(PaymentRow).where(
            PaymentRow.way == payment.way,
            PaymentRow.party == payment.party,
            PaymentRow.reference == payment.reference,
        )
    )
    if found is None:
        return None
    amount = Money(minor_units=found.amount_minor, currency=found.currency)
    if (amount, found.happened_on) != (payment.amount, payment.happened_on):
        raise PaymentContradicts(
            f"{payment.reference} was noted with another amount or day: {amount} on {found.happened_on} ({found.id}); give "
            "the bank's own reference and day."
        )
    return found


def _require_credit(
    session: Session,
    payment: Payment,
    contract: Contract | None,
    *,
    but: str,
    in_books: Money | None,
    now: datetime,
) -> None:
    """That what a contract owes is known, by its rows and by `in_books`, before anything is taken for its buyer's credit."""
    if contract is None or contract.contract_id != payment.party:
        raise InvariantViolation("what is sent back is judged by its contract")
    if in_books is None:
        require_credit_in_rows(session, payment.party)
        _require_returns_in_rows(session, payment.party, but=but)
    elif in_books.currency != payment.amount.currency:
        raise InvariantViolation("what is owed by the books alone is of the payment's currency")
    require_settled(session, contract, now=now)


def _require_returns_in_rows(session: Session, contract_id: str, *, but: str) -> None:
    """What the books alone have as sent back is in no contract's rows: where it was this one's, that much is no credit any more."""
    asked = {"kind": Kind.DATA_SENT_BACK, "owner": ledger.PLATFORM, "but": but}
    found = session.scalar(_UNKNOWN_EVER, asked)
    if found is not None:
        raise BooksKnowMore(
            f"The books have {found}, which was sent back and which no payment names since the database was restored. Repeat this "
            f"with --in-books and the sum of all such that went to the buyer of {contract_id}, 0 where none did "
            "(docs/runbooks/data-revenue.md)."
        )


def _post(
    session: Session, secrets: ledger.CommitmentSecrets, payment: Payment, *, is_new: bool, now: datetime
) -> ledger.PostedEntry:
    entry = _entry(payment)
    posted = ledger.post(session, entry=entry, now=now, secrets=secrets)
    if not posted.created:
        # It was put back under its own key, and is that very payment.
        _require_same_day(session, payment, posted.id)
    elif not is_new:
        _require_known(session, entry, payment.amount, but=posted.id)
    return posted


def _require_same_day(session: Session, payment: Payment, entry_id: str) -> None:
    """The key says nothing of the day, and neither do the entry's transfers: it would stay noted with another for ever."""
    moved_on = session.execute(_MOMENT, {"id": entry_id}).scalar_one().astimezone(UTC).date()
    if moved_on != payment.happened_on:
        raise PaymentContradicts(
            f"The books have {payment.reference} on another day: {moved_on} ({entry_id}); give that one."
        )


def _require_there(payment: Payment, open_minor: int) -> None:
    """Nobody is sent more than is theirs. What came is noted however much it is: it did arrive."""
    most = {TransferKind.PASSED_ON: open_minor, TransferKind.SENT_BACK: -open_minor}.get(payment.way)
    if most is None or payment.amount.minor_units <= most:
        return
    there = Money(minor_units=max(most, 0), currency=payment.amount.currency)
    if payment.way is TransferKind.PASSED_ON:
        raise MoreThanDue(f"{payment.party} is owed {there}; note at most that.")
    raise MoreThanCredit(
        f"The buyer of {payment.party} has {there} in credit; note at most that, and what it paid or what was reversed first."
    )


def _write(session: Session, payment: Payment, *, entry_id: str, now: datetime) -> str:
    made = new_id("dpy")
    session.execute(
        insert(PaymentRow).values(
            id=made,
            way=payment.way,
            party=payment.party,
            currency=payment.amount.currency,
            amount_minor=payment.amount.minor_units,
            reference=payment.reference,
            happened_on=payment.happened_on,
            entry_id=entry_id,
            noted_at=now,
        )
    )
    return made


def _entry(payment: Payment) -> ledger.NewEntry:
    kind, owner, transfers = _booked(payment)
    return ledger.NewEntry(
        kind=kind,
        organization_id=owner,
        idempotency_key=f"data/{payment.way}/{payment.party}/{payment.reference}",
        transfers=transfers,
        event_at=datetime.combine(payment.happened_on, time(), tzinfo=UTC),
        reference=None,
    )


def _booked(payment: Payment) -> tuple[Kind, str, ledger.postings.Lines]:
    """As what, in whose books, and between which accounts."""
    match payment.way:
        case TransferKind.RECEIVED:
            return Kind.DATA_PAID, ledger.PLATFORM, ledger.postings.data_paid(amount=payment.amount)
        case TransferKind.SENT_BACK:
            return Kind.DATA_SENT_BACK, ledger.PLATFORM, ledger.postings.data_sent_back(amount=payment.amount)
        case TransferKind.PASSED_ON:
            lines = ledger.postings.data_share_paid(organization_id=payment.party, amount=payment.amount)
            return Kind.DATA_SHARE_PAID, payment.party, lines


def _require_known(session: Session, entry: ledger.NewEntry, amount: Money, *, but: str) -> None:
    """An entry names no reference: one that is no payment's may be this one. What was posted is undone.

    One of that day; of what was received, also one of the same amount; of what was sent back, any.
    """
    asked = {"kind": entry.kind, "owner": entry.organization_id, "but": but}
    of_day, flags = {**asked, "at": entry.event_at}, "--is-new"
    match entry.kind:
        case Kind.DATA_SENT_BACK:
            found, which, flags = session.scalar(_UNKNOWN_EVER, asked), "", "--is-new and --in-books"
        case Kind.DATA_PAID:
            moved = {"currency": amount.currency, "amount_minor": amount.minor_units}
            found, which = session.scalar(_UNKNOWN_RECEIVED, {**of_day, **moved}), " of that day or amount"
        case _:
            found, which = session.scalar(_UNKNOWN, of_day), " of that day"
    if found is not None:
        raise BooksKnowMore(
            f"The books have {found}{which}, which no payment names since the database was restored. If that is "
            f"this payment, it is booked; if it is another, repeat this with {flags} (docs/runbooks/data-revenue.md)."
        )


def _open(session: Session, payment: Payment, *, is_noted: bool) -> int:
    """What the organisation is still owed, or what the contract still owes: below zero, what its buyer has in credit.

    Of one that is noted already everything may have been reversed since.
    """
    currency = payment.amount.currency
    if payment.way is TransferKind.PASSED_ON:
        owed = account(payment.party, "data_shares_receivable")
        return ledger.standing_balance(session, account=owed, currency=currency).minor_units
    settled, owed_minor = session.execute(
        select(
            func.count(), func.sum(SettlementRow.owed_minor).filter(SettlementRow.reversed_at.is_(None))
        ).where(SettlementRow.contract_id == payment.party, SettlementRow.currency == currency)
    ).one()
    if payment.way is TransferKind.RECEIVED and not settled and not is_noted:
        raise NothingOwed(
            f"{payment.party} owes nothing in {currency}; settle its month first, or name another contract."
        )
    return int(owed_minor or 0) - _paid(session, payment.party, currency)


def _paid(session: Session, contract_id: str, currency: str) -> int:
    """What a buyer paid, without what it got back."""
    signed = case(
        (PaymentRow.way == TransferKind.SENT_BACK, -PaymentRow.amount_minor), else_=PaymentRow.amount_minor
    )
    paid_minor = session.scalar(
        select(func.coalesce(func.sum(signed), 0)).where(
            PaymentRow.way.in_(_OF_BUYERS),
            PaymentRow.party == contract_id,
            PaymentRow.currency == currency,
        )
    )
    return int(paid_minor or 0)
