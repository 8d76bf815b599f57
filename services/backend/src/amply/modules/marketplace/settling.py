"""Settles a contract's month: computes the amounts and posts their entries in one transaction.

Killed anywhere, and repeated: the month's row is there with all of its entries, or nothing is. Nothing is changed
afterwards; what was wrong is reversed (`reversing`), and then the month may be settled anew.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import func, insert, select, text
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.kernel.errors import AmplyError, Conflict, invariant
from amply.kernel.ids import new_id
from amply.kernel.money import Money
from amply.modules import ledger, organizations
from amply.modules.ledger import Kind
from amply.modules.marketplace.domain import (
    OF_DONORS,
    Contract,
    Period,
    Share,
    Split,
    Terms,
    by_dataset,
    checked_reason,
    is_credited,
    owed_for,
    split,
)
from amply.modules.marketplace.locks import lock_month, lock_payments
from amply.modules.marketplace.models import SettlementRow, ShareRow
from amply.modules.marketplace.ports import (
    Catalogue,
    Contracts,
    PeopleByOrganization,
    Revenue,
    Usage,
    Used,
)

_LATE: Final = timedelta(hours=1)
"""After a month's end, when all its usage has been recorded."""
_LOOKED_BACK: Final = 3
"""Months settled automatically; older ones need `data settle`."""
NOT_SETTLED: Final = "data_not_settled"

_UNKNOWN: Final = text("""
    SELECT entry.id
    FROM entry
    WHERE entry.kind = 'data.settled'
      AND entry.event_at = :at
      AND NOT EXISTS (SELECT FROM data_settlement AS settlement WHERE settlement.entry_id = entry.id)
    LIMIT 1
""")
"""A settlement's entry of a month that no settlement names: put back from the log into a restored database.

The kind stands in the words: only so is the index of these entries used (`ix_entry_data_settled`).
"""

_log = structlog.get_logger()


class MonthNotOver(Conflict):
    """A month is settled when it is over."""

    code = "data_month_not_over"


class NothingToSettle(Conflict):
    """The contract has no moment in that month."""

    code = "data_nothing_to_settle"


class UsageContradicts(Conflict):
    """The month's events do not add up to its sum."""

    code = "data_usage_contradicts"


class BooksKnowMore(Conflict):
    """The books have a settlement of the month, or a payment that may be this one, which the database lost when it was restored."""

    code = "data_books_know_more"


class ShareNotCreditable(Conflict):
    """A dataset has no owner, or one without books."""

    code = "data_share_not_creditable"


@dataclass(frozen=True, kw_only=True)
class SettlementDependencies:
    """Dependencies of settlements."""

    database: Database
    secrets: ledger.CommitmentSecrets
    contracts: Contracts
    usage: Usage
    catalogue: Catalogue
    revenue: Revenue
    people: PeopleByOrganization


@dataclass(frozen=True, kw_only=True)
class AgreedAmount:
    """An amount agreed manually instead of the computed one, with a public reason code."""

    owed: Money
    reason: str


def settle_due(parts: SettlementDependencies, *, now: datetime) -> int:
    """Settle every contract's unsettled past months; return how many. A failure delays no other."""
    periods = list(_lately_over(now))
    contracts = list(parts.contracts.all())
    with parts.database.transaction() as session:
        known = {
            (row.contract_id, row.period)
            for row in session.execute(
                select(SettlementRow.contract_id, SettlementRow.period).where(
                    SettlementRow.period.in_([str(period) for period in periods])
                )
            )
        }
    settled = 0
    for contract in contracts:
        for period in periods:
            if (contract.contract_id, str(period)) in known or not contract.holds_in(period):
                continue
            try:
                settled += settle(parts, contract, period, agreed=None, now=now, by_itself=True)[1]
            except Exception as error:  # noqa: BLE001 -- one contract's month must not hold up the others; it comes again
                reason = error.code if isinstance(error, AmplyError) else type(error).__name__
                _log.error(NOT_SETTLED, contract_id=contract.contract_id, period=str(period), reason=reason)
    return settled


def settle(
    parts: SettlementDependencies,
    contract: Contract,
    period: Period,
    *,
    agreed: AgreedAmount | None,
    now: datetime,
    by_itself: bool = False,
) -> tuple[str, bool]:
    """Settle one month of a contract; return its valid settlement, and whether this call made it.

    `by_itself`: nobody asked for it. Then one that was reversed is left so, and returned: people decide what comes of it.

    Raises:
        MonthNotOver: A month is settled when it is over.
        NothingToSettle: The contract has no moment in that month.
        UsageContradicts: The month's events do not add up to its sum.
        BooksKnowMore: The books have a settlement of the month, or a payment that may be this one, which the database lost when it was restored.
        ShareNotCreditable: A dataset has no owner, or one without books.
        NobodyToCredit: A dataset's share would be nobody's.
        BookingsPaused: The books take nothing just now.
    """
    _require_over(contract, period, now=now)
    used = parts.usage.month(contract.contract_id, period)
    if agreed is None:
        _require_sum(used, period)
    terms = contract.terms_in(period)
    weights = by_dataset(terms, used.by_dataset)
    owners = {name: parts.catalogue.owner(name) for name in weights}
    with parts.database.transaction() as session:
        lock_month(session, contract.contract_id, str(period))
        # What its buyer has in credit is not to be counted meanwhile.
        lock_payments(session, contract.contract_id)
        known = _known(session, contract, period, reversed_too=by_itself)
        if known is not None:
            return known, False
        if agreed is None:
            _require_known(session, period)
        found = split(
            owed_for(terms, used.by_dataset) if agreed is None else agreed.owed,
            weights=weights,
            seller_share_bp=terms.seller_share_bp,
            owners=_credited(session, parts, owners, period),
        )
        return _book(session, parts, _Month(contract, period, terms, used, found, agreed), now=now), True


def _require_over(contract: Contract, period: Period, *, now: datetime) -> None:
    if now < period.ends_at + _LATE:
        raise MonthNotOver(f"{period} is settled an hour after it has ended; settle an earlier month.")
    if not contract.holds_in(period):
        raise NothingToSettle(
            f"{contract.contract_id} has no moment in {period}; name a month it was open in."
        )


def _require_sum(used: Used, period: Period) -> None:
    """That the month's events add up to what is said of it."""
    added = sum(used.by_dataset.values())
    if added != used.total:
        raise UsageContradicts(
            f"The events of {period} are {added} bytes and its sum says {used.total}; "
            "see docs/runbooks/data-revenue.md."
        )


@dataclass(frozen=True)
class _Month:
    contract: Contract
    period: Period
    terms: Terms
    used: Used
    split: Split
    agreed: AgreedAmount | None


def _book(session: Session, parts: SettlementDependencies, month: _Month, *, now: datetime) -> str:
    """The row, its entries and its shares."""
    contract, found = month.contract, month.split
    number = _times_settled(session, contract, month.period) + 1
    name = f"data/{contract.contract_id}/{month.period}/{number}"
    entry_id = None
    if found.owed.minor_units:
        lines = ledger.postings.data_settled(fee=found.fee, shares=_sum(found))
        entry_id = _post(session, parts, name, Kind.DATA_SETTLED, ledger.PLATFORM, lines, month, now=now)
    made = new_id("dst")
    session.execute(
        insert(SettlementRow).values(
            id=made,
            contract_id=contract.contract_id,
            buyer=contract.buyer,
            period=str(month.period),
            number=number,
            currency=found.owed.currency,
            owed_minor=found.owed.minor_units,
            fee_minor=found.fee.minor_units,
            price_minor=month.terms.price.minor_units,
            per=month.terms.per,
            seller_share_bp=month.terms.seller_share_bp,
            used_bytes=month.used.total,
            reason=None if month.agreed is None else checked_reason(month.agreed.reason),
            entry_id=entry_id,
            settled_at=now,
            next_attempt_at=now,
        )
    )
    rows = [_share(session, parts, made, name, share, month, now=now) for share in found.shares]
    if rows:
        session.execute(insert(ShareRow), rows)
    return made


def _share(
    session: Session,
    parts: SettlementDependencies,
    made: str,
    name: str,
    share: Share,
    month: _Month,
    *,
    now: datetime,
) -> dict[str, object]:
    entry_id = None
    if share.minor_units:
        amount = Money(minor_units=share.minor_units, currency=month.split.owed.currency)
        lines = ledger.postings.data_share_credited(organization_id=share.credited, amount=amount)
        key = f"{name}/{share.dataset_id}/{share.credited}"
        entry_id = _post(session, parts, key, Kind.DATA_SHARE_CREDITED, share.credited, lines, month, now=now)
    return {
        "settlement_id": made,
        "dataset_id": share.dataset_id,
        "credited": share.credited,
        "dataset_bytes": month.used.by_dataset.get(share.dataset_id, 0),
        "weight": share.weight,
        "amount_minor": share.minor_units,
        "entry_id": entry_id,
    }


def _post(
    session: Session,
    parts: SettlementDependencies,
    key: str,
    kind: Kind,
    owner: str,
    lines: ledger.postings.Lines,
    month: _Month,
    *,
    now: datetime,
) -> str:
    entry = ledger.NewEntry(
        kind=kind,
        organization_id=owner,
        idempotency_key=key,
        transfers=lines,
        # A whole month's: the moment at which it was over, so that a repeat says the same.
        event_at=month.period.ends_at,
        reference=None,
        reason=None if month.agreed is None else checked_reason(month.agreed.reason),
    )
    posted = ledger.post(session, entry=entry, now=now, secrets=parts.secrets)
    invariant(posted.created, "a month that has no row has no entries")
    return posted.id


def _credited(
    session: Session, parts: SettlementDependencies, owners: Mapping[str, str | None], period: Period
) -> dict[str, Mapping[str, int]]:
    """Who shares in each dataset, with their weights."""
    people: Mapping[str, int] | None = None
    found: dict[str, Mapping[str, int]] = {}
    for name, owner in owners.items():
        if owner == OF_DONORS:
            people = parts.people(session, period.ends_at) if people is None else people
            found[name] = people
        elif owner is not None and is_credited(owner):
            organizations.get(session, organization_id=owner)
            found[name] = {owner: 1}
        else:
            raise ShareNotCreditable(
                f"The dataset {name} has no owner that could be credited; put an organisation's id into its row."
            )
    return found


def _require_known(session: Session, period: Period) -> None:
    """An entry names no contract: while one of the month is nobody's, none of its contracts is settled by its terms."""
    entry_id = session.scalar(_UNKNOWN, {"at": period.ends_at})
    if entry_id is not None:
        raise BooksKnowMore(
            f"The books have {entry_id} of {period}, which no settlement names since the database was restored; "
            "settle the month with an agreed amount, as docs/runbooks/data-revenue.md says."
        )


def _known(session: Session, contract: Contract, period: Period, *, reversed_too: bool) -> str | None:
    """The settlement that stands, or the latest one of all."""
    asked = select(SettlementRow.id).where(
        SettlementRow.contract_id == contract.contract_id, SettlementRow.period == str(period)
    )
    if not reversed_too:
        asked = asked.where(SettlementRow.reversed_at.is_(None))
    found: str | None = session.scalar(asked.order_by(SettlementRow.number.desc()).limit(1))
    return found


def _times_settled(session: Session, contract: Contract, period: Period) -> int:
    return (
        session.scalar(
            select(func.max(SettlementRow.number)).where(
                SettlementRow.contract_id == contract.contract_id, SettlementRow.period == str(period)
            )
        )
        or 0
    )


def _sum(found: Split) -> Money:
    return Money(minor_units=sum(share.minor_units for share in found.shares), currency=found.owed.currency)


def _lately_over(now: datetime) -> Iterator[Period]:
    period = Period.of(now - _LATE)
    for _ in range(_LOOKED_BACK):
        period = period.before
        yield period
