"""Transfers for each kind of fact: one pure function for each.

Each returns lines that move at once. Lines that only reserve are made of them with `reserve`; `post` and `void` resolve
those, `reverse` takes moved lines back. What we ask the processor for is reserved before it is asked, and the database
may refuse it; what the processor says has happened is moved, and always recorded.

The accounts are explained in `chart`. All amounts are positive; all lines of one call have the currency of its amount.
"""

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum

from amply.kernel.errors import invariant
from amply.kernel.money import Money
from amply.modules.ledger.chart import PLATFORM, account, gifts, gifts_in_kind
from amply.modules.ledger.domain import NewTransfer

Lines = tuple[NewTransfer, ...]


class Kind(StrEnum):
    """What an entry says has happened. The words are the processor's where it has one."""

    DONATION_PROCESSING = "donation.processing"
    DONATION_SUCCEEDED = "donation.succeeded"
    DONATION_OFFLINE = "donation.offline"
    DONATION_IN_KIND = "donation.in_kind"
    DONATION_REVERSED = "donation.reversed"
    DONATION_FAILED = "donation.failed"
    PROCESSOR_FEE = "processor.fee"
    APPLICATION_FEE_CREATED = "application_fee.created"
    APPLICATION_FEE_REFUNDED = "application_fee.refunded"
    REFUND_INITIATED = "refund.initiated"
    DONATION_REFUNDED = "donation.refunded"
    REFUND_FAILED = "refund.failed"
    DISPUTE_OPENED = "dispute.opened"
    DISPUTE_FEE = "dispute.fee"
    DISPUTE_FEE_REFUNDED = "dispute.fee_refunded"
    DISPUTE_WON = "dispute.won"
    DISPUTE_LOST = "dispute.lost"
    PAYOUT_INITIATED = "payout.initiated"
    PAYOUT_CREATED = "payout.created"
    PAYOUT_PAID = "payout.paid"
    PAYOUT_FAILED = "payout.failed"
    PAYOUT_RETURNED = "payout.returned"
    MATCH_PLEDGED = "match.pledged"
    MATCH_WITHDRAWN = "match.withdrawn"
    MATCH_PAID = "match.paid"
    CURRENCY_EXCHANGED = "currency.exchanged"
    ENTRY_CORRECTED = "entry.corrected"
    DATA_SETTLED = "data.settled"
    DATA_SHARE_CREDITED = "data.share_credited"
    DATA_PAID = "data.paid"
    DATA_SENT_BACK = "data.sent_back"
    DATA_SHARE_PAID = "data.share_paid"
    DATA_REVERSED = "data.reversed"
    DATA_SHARE_REVERSED = "data.share_reversed"


def donation_succeeded(
    *,
    organization_id: str,
    amount: Money,
    fee_cover: Money | None = None,
    contribution: Money | None = None,
    fund_id: str | None = None,
) -> Lines:
    """A gift arrived in the organisation's processor balance.

    `fee_cover` is what the donor added for the processor's fee, `contribution` what they added for the platform: it
    is due to the platform until the processor passes it on (`application_fee`). `amount` holds neither. What is given for a
    fund is credited to the fund's own part of `gifts`, for all to see.
    """
    return tuple(
        _within(organization_id, debit="processor_balance", credit=code, amount=part)
        for code, part in _parts(amount, fee_cover, contribution, fund_id)
    )


def donation_offline(*, organization_id: str, amount: Money, fund_id: str | None = None) -> Lines:
    """The organisation received money outside the processor. (Recorded wrongly: `reverse`.)"""
    return (_within(organization_id, debit="offline_received", credit=gifts(fund_id), amount=amount),)


def donation_in_kind(*, organization_id: str, value: Money, fund_id: str | None = None) -> Lines:
    """The organisation received a gift in kind of this value."""
    return (_within(organization_id, debit="in_kind", credit=gifts_in_kind(fund_id), amount=value),)


def processor_fee(*, organization_id: str, amount: Money) -> Lines:
    """The processor's fee, from its balance transaction."""
    return (_within(organization_id, debit="processor_fees", credit="processor_balance", amount=amount),)


def application_fee(*, organization_id: str, amount: Money) -> Lines:
    """The donor's voluntary contribution to the platform, out of the organisation's books into ours."""
    return (
        _within(
            organization_id, debit="platform_contributions_due", credit="processor_balance", amount=amount
        ),
        _within(PLATFORM, debit="processor_balance", credit="contributions", amount=amount),
    )


def refund(
    *,
    organization_id: str,
    amount: Money | None,
    fee_cover: Money | None = None,
    contribution: Money | None = None,
    fund_id: str | None = None,
) -> Lines:
    """A refund of some or all of a gift; the processor keeps its fee.

    A contribution that goes back after it was passed on leaves `platform_contributions_due` in debit until the
    application fee is refunded as well, which the processor does only when asked.
    """
    parts = _parts(amount, fee_cover, contribution, fund_id)
    return _taken_back(organization_id, to="processor_balance", parts=parts)


def dispute_opened(*, organization_id: str, amount: Money) -> Lines:
    """A dispute: the processor withdrew the amount and holds it."""
    return (_within(organization_id, debit="dispute_hold", credit="processor_balance", amount=amount),)


def dispute_fee(*, organization_id: str, amount: Money) -> Lines:
    """The processor's fee for a dispute."""
    return (_within(organization_id, debit="dispute_fees", credit="processor_balance", amount=amount),)


def dispute_lost(
    *,
    organization_id: str,
    amount: Money | None,
    fee_cover: Money | None = None,
    contribution: Money | None = None,
    fund_id: str | None = None,
) -> Lines:
    """A lost dispute: the held money and the gift are gone. (Won: `reverse` what `dispute_opened` moved.)"""
    parts = _parts(amount, fee_cover, contribution, fund_id)
    return _taken_back(organization_id, to="dispute_hold", parts=parts)


def payout_created(*, owner: str, amount: Money) -> Lines:
    """A payout is on its way to the owner's bank."""
    return (_within(owner, debit="payout_in_transit", credit="processor_balance", amount=amount),)


def payout_paid(*, owner: str, amount: Money) -> Lines:
    """A payout arrived in the bank. (Failed: `reverse` the creation; returned: this.)"""
    return (_within(owner, debit="bank", credit="payout_in_transit", amount=amount),)


def match_pledged(*, business_id: str, amount: Money) -> Lines:
    """A business's pledge to match gifts up to an amount: memo accounts, no organisation's books."""
    return (_within(business_id, debit="match_pledged", credit="match_available", amount=amount),)


def match_paid(*, business_id: str, organization_id: str, amount: Money) -> Lines:
    """A business's matching gift: a gift to the organisation, and a reduction of the pledge."""
    return (
        *donation_succeeded(organization_id=organization_id, amount=amount),
        _within(business_id, debit="match_available", credit="match_paid", amount=amount),
    )


def currency_exchanged(*, owner: str, sold: Money, bought: Money, spread: Money | None = None) -> Lines:
    """A currency exchange within the processor balance.

    Each currency balances by itself, through a liquidity account of its own. `bought` is what arrived; `spread`, in
    the same currency, is what the exchange kept of what the rate alone would have given.
    """
    invariant(sold.currency != bought.currency, "an exchange is between two currencies")
    lines = (
        _within(owner, debit="liquidity", credit="processor_balance", amount=sold),
        _within(owner, debit="processor_balance", credit="liquidity", amount=bought),
    )
    if spread is None:
        return lines
    invariant(spread.currency == bought.currency, "the spread is in the currency that was bought")
    return (*lines, _within(owner, debit="exchange_fees", credit="liquidity", amount=spread))


def data_settled(*, fee: Money, shares: Money) -> Lines:
    """A buyer owes a month of data: the platform's fee, and the owners' shares. Either may be zero."""
    invariant(fee.currency == shares.currency, "a month is owed in one currency")
    return tuple(
        _within(PLATFORM, debit="data_receivable", credit=code, amount=part)
        for code, part in (("data_fees", fee), ("data_shares_due", shares))
        if part.minor_units
    )


def data_share_credited(*, organization_id: str, amount: Money) -> Lines:
    """An owner's share, which the platform owes them."""
    return (_within(organization_id, debit="data_shares_receivable", credit="data_shares", amount=amount),)


def data_paid(*, amount: Money) -> Lines:
    """A buyer's payment into the platform's bank account."""
    return (_within(PLATFORM, debit="offline_received", credit="data_receivable", amount=amount),)


def data_sent_back(*, amount: Money) -> Lines:
    """A repayment to a buyer from the platform's bank account."""
    return (_within(PLATFORM, debit="data_receivable", credit="offline_received", amount=amount),)


def data_share_paid(*, organization_id: str, amount: Money) -> Lines:
    """Payment of a share to its owner from the platform's bank account."""
    return (
        _within(PLATFORM, debit="data_shares_due", credit="offline_received", amount=amount),
        _within(organization_id, debit="offline_received", credit="data_shares_receivable", amount=amount),
    )


def correction(*, wrong: Sequence[NewTransfer], right: Sequence[NewTransfer]) -> Lines:
    """Reverse an entry's transfers and post the right ones, in one entry that `supersedes` it."""
    return (*reverse(wrong), *right)


def reserve(lines: Sequence[NewTransfer]) -> Lines:
    """The same transfers, pending."""
    invariant(all(line.phase is None for line in lines), "what is reserved has not moved")
    return tuple(replace(line, phase="pending") for line in lines)


def post(*, entry_id: str, pending: Sequence[NewTransfer], moved: Sequence[NewTransfer]) -> Lines:
    """Post a pending entry with the final amounts; transfers between the same accounts in any order.

    Less than was reserved posts less and releases the rest; nothing voids; more moves at once, beside what was posted.
    """
    left = {(line.debit, line.credit, line.amount.currency): line for line in moved}
    invariant(len(left) == len(moved), "one line between two accounts")
    resolved: list[NewTransfer] = []
    for number, line in enumerate(pending):
        key = (line.debit, line.credit, line.amount.currency)
        posted, beyond = _resolve(line, pending=f"{entry_id}#{number}", moved=left.pop(key, None))
        resolved.append(posted)
        if beyond is not None:
            left[key] = beyond
    return (*resolved, *left.values())


def void(*, entry_id: str, pending: Sequence[NewTransfer]) -> Lines:
    """Void a pending entry."""
    return post(entry_id=entry_id, pending=pending, moved=())


def reverse(lines: Sequence[NewTransfer]) -> Lines:
    """Reverse the transfers. Pending ones are voided instead."""
    invariant(all(line.phase in (None, "post") for line in lines), "what is reversed has moved")
    return tuple(NewTransfer(debit=line.credit, credit=line.debit, amount=line.amount) for line in lines)


def _resolve(
    line: NewTransfer, *, pending: str, moved: NewTransfer | None
) -> tuple[NewTransfer, NewTransfer | None]:
    """The step that resolves one pending line, and what moved beyond it."""
    invariant(line.phase == "pending", "what is resolved was pending")
    if moved is None:
        return replace(line, phase="void", pending=pending), None
    if moved.amount.minor_units <= line.amount.minor_units:
        return replace(moved, phase="post", pending=pending), None
    return replace(line, phase="post", pending=pending), replace(moved, amount=moved.amount - line.amount)


def _parts(
    amount: Money | None, fee_cover: Money | None, contribution: Money | None, fund_id: str | None
) -> tuple[tuple[str, Money], ...]:
    """What a donor pays, by the account that it is credited to."""
    parts = ((gifts(fund_id), amount), ("fee_cover", fee_cover), ("platform_contributions_due", contribution))
    given = tuple((code, part) for code, part in parts if part is not None)
    invariant(len({part.currency for _, part in given}) == 1, "a payment has one currency")
    return given


def _taken_back(owner: str, *, to: str, parts: Sequence[tuple[str, Money]]) -> Lines:
    return tuple(_within(owner, debit=code, credit=to, amount=part) for code, part in parts)


def _within(owner: str, *, debit: str, credit: str, amount: Money) -> NewTransfer:
    return NewTransfer(debit=account(owner, debit), credit=account(owner, credit), amount=amount)
