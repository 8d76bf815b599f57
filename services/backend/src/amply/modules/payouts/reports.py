"""Reports of a payout for accounting: itemised, as a journal, and by gift.

Every file is added up and held against the payout before a line of it is written. No file names a donor: nobody has
agreed to that, and nothing here knows who they are.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from sqlalchemy.orm import Session

from amply.infra.spreadsheet_cells import as_cell
from amply.kernel.errors import Conflict, invariant
from amply.kernel.money import format_minor_units
from amply.modules import ledger, organizations
from amply.modules.payouts.journal_reader import read_journal
from amply.modules.payouts.journals import BANK, Journal, Sides
from amply.modules.payouts.matching import State
from amply.modules.payouts.queries import Item, KnownPayout, bank_reference, find, items_of

_NUMBER_MAX: Final = 21

DONOR_NOT_SHARED: Final = "Not shared"

Row = Sequence[str]


class ReferenceOf(Protocol):
    """Returns a payout's trace id at the bank."""

    def __call__(self, session: Session, *, payout_id: str) -> str | None: ...


class ReportFormat(StrEnum):
    """`csv`: a line an item. `journal`: Xero's manual journal. `quickbooks`: the same as QuickBooks imports it.
    `disbursement`: a line a gift.
    """

    CSV = "csv"
    JOURNAL = "journal"
    QUICKBOOKS = "quickbooks"
    DISBURSEMENT = "disbursement"


class PayoutTotalsDiffer(Conflict):
    """What a payout consists of does not come to the payout."""

    code = "payout_totals_differ"

    def __init__(self, payout: KnownPayout, total: int) -> None:
        super().__init__(
            f"The items of {payout.id} come to {format_minor_units(total, payout.currency)} and the payout to "
            f"{format_minor_units(payout.minor_units, payout.currency)}; docs/runbooks/payout-differs.md says what to do."
        )
        self.payout_id = payout.id


@dataclass(frozen=True, kw_only=True)
class PayoutReport:
    """A payout with all its items; amounts in minor units.

    Attributes:
        journal: What the items and the disputes that were lost are, account by account; None where the file has no accounts.
        funds: Names by the account of the fund's gifts.
    """

    payout: KnownPayout
    bank_reference: str | None
    items: Sequence[Item]
    journal: Journal | None
    funds: Mapping[str, str]

    def decimal(self, minor_units: int) -> str:
        """An amount as a decimal number."""
        return format_minor_units(minor_units, self.payout.currency).partition(" ")[0]

    @property
    def total(self) -> int:
        return sum(item.minor_units for item in self.items)


def report(
    session: Session,
    *,
    payout_id: str,
    file_format: ReportFormat,
    reference_of: ReferenceOf = bank_reference,
) -> str:
    """The report as CSV (RFC 4180). `reference_of`: how the caller may look up bank references.

    Raises:
        PayoutNotFound, PayoutNotReconciled: There is nothing to report (yet).
        PayoutTotalsDiffer: The items do not come to the payout: no file is better than a wrong one.
        PayoutNotInLog: Its journal is asked for a moment after it began.
    """
    payout = find(session, payout_id=payout_id)
    items = sorted(
        items_of(session, payout_id=payout_id),
        key=lambda item: (item.occurred_at, item.transaction_digest, item.part),
    )
    total = sum(item.minor_units for item in items)
    if total != payout.minor_units:
        raise PayoutTotalsDiffer(payout, total)
    reported = PayoutReport(
        payout=payout,
        bank_reference=reference_of(session, payout_id=payout_id),
        items=items,
        journal=None if file_format is ReportFormat.CSV else _journal_of(session, payout, items),
        funds={
            ledger.gifts(fund.id): fund.name
            for fund in organizations.funds_of(session, organization_id=payout.owner)
        },
    )
    written = io.StringIO()
    rows = _WRITERS[file_format](reported)
    # Funds are named by organisations, and banks' references by banks.
    csv.writer(written).writerows([as_cell(cell) for cell in row] for row in rows)
    return written.getvalue()


def _journal_of(session: Session, payout: KnownPayout, items: Sequence[Item]) -> Journal:
    account_of = {item.id: _account_of(item) for item in items}
    return read_journal(session, payout=payout, items=items, account_of=account_of)


def _item_lines(reported: PayoutReport) -> Iterable[Row]:
    yield (
        *("payout", "arrives_on", "bank_reference", "date", "item", "category", "minor_units", "amount"),
        *("currency", "entry", "state"),
    )
    payout = reported.payout
    same = (payout.id, payout.arrives_on.isoformat(), reported.bank_reference or "")
    for item in reported.items:
        yield (
            *same,
            *(item.occurred_at.date().isoformat(), item.name, item.category),
            *(str(item.minor_units), reported.decimal(item.minor_units), item.currency),
            *(item.entry_id or "", item.state),
        )
    total = reported.total
    yield (
        *(*same, payout.arrives_on.isoformat(), "payout", "payout"),
        *(str(-total), reported.decimal(-total), payout.currency),
        *(dict(payout.entries).get(ledger.Kind.PAYOUT_CREATED, ""), "matched"),
    )


_ACCOUNT_OF: Final[Mapping[str, str]] = {
    "gift": "gifts",
    "refund": "gifts",
    "refund_failed": "gifts",
    "fee": "processor_fees",
    "dispute": "dispute_hold",
    "dispute_won": "dispute_hold",
    "application_fee": "platform_contributions_due",
    "platform_earning": "contributions",
}
"""By the item's name: the account of our chart that it is on the other side of, where no entry says so."""


def _account_of(item: Item) -> str:
    """Of an item without an entry."""
    if item.state in (State.OUTSIDE, State.EXPLAINED):
        return "other"
    if item.name == "fee" and item.category in ("dispute", "dispute_reversal"):
        return "dispute_fees"
    return _ACCOUNT_OF.get(item.name, "other")


def _journal(reported: PayoutReport) -> list[tuple[str, int, str]]:
    """Accounts with what is booked on each, debits positive, and a word on it: nothing together.

    What is given for a fund and what donors added for the fee are on accounts of their own, and disputes that were lost are told
    with it. What is outside our books is one line, which only the organisation can place.
    """
    sums: dict[str, int] = defaultdict(int)
    counts: dict[str, int] = defaultdict(int)
    for sides in reported.journal.all if reported.journal is not None else ():
        for account, minor_units in sides.items():
            sums[account] += minor_units
            counts[account] += 1
    invariant(
        sum(sums.values()) == -reported.payout.minor_units,
        "a journal comes to what was paid out, and to nothing",
    )
    lines = [
        (account, sums[account], _words(reported, account, counts[account]))
        for account in sorted(sums)
        if sums[account] != 0
    ]
    paid = f"{reported.payout.id} paid out, bank reference {reported.bank_reference or 'not known yet'}"
    return [(BANK, reported.payout.minor_units, paid), *lines]


def _words(reported: PayoutReport, account: str, items: int) -> str:
    fund = reported.funds.get(account)
    return f"{items} items of {reported.payout.id}{f' for {fund}' if fund else ''}"


def _xero(reported: PayoutReport) -> Iterable[Row]:
    """help.xero.com/nz/ManualJournalsImport: a debit is positive; the date with its day first."""
    yield ("*Narration", "*Date", "Description", "*AccountCode", "*TaxRate", "*Amount")
    narration = f"Payout {reported.payout.id} ({reported.payout.currency})"
    day = reported.payout.arrives_on.strftime("%d/%m/%Y")
    for account, amount, words in _journal(reported):
        yield (narration, day, words, account, "Tax Exempt", reported.decimal(amount))


def _quickbooks(reported: PayoutReport) -> Iterable[Row]:
    """As QuickBooks Online's import takes it: a number of at most 21 characters, and the month before the day."""
    yield ("Journal No", "Journal Date", "Account Name", "Debits", "Credits", "Description", "Currency")
    payout = reported.payout
    # The end of an id tells payouts apart; the whole of it stands in the descriptions.
    number, day = payout.id[-_NUMBER_MAX:], payout.arrives_on.strftime("%m/%d/%Y")
    for account, amount, words in _journal(reported):
        debit, credit = (reported.decimal(amount), "") if amount > 0 else ("", reported.decimal(-amount))
        yield (number, day, account, debit, credit, words, payout.currency)


def _disbursement(reported: PayoutReport) -> Iterable[Row]:
    """As corporate giving platforms report to charities: whose money is in which transfer, gift by gift, and totals."""
    payout = reported.payout
    yield ("Disbursement ID", payout.id)
    yield ("Bank Date", payout.arrives_on.isoformat())
    yield ("Bank Reference ID", reported.bank_reference or "not known yet")
    yield ("Currency", payout.currency)
    yield ()
    yield ("Date", "Item", "Donor", "Fund", "Gross", "Fee", "Net", "Ledger Entry")
    by_transaction: dict[str, list[Item]] = defaultdict(list)
    for item in reported.items:
        by_transaction[item.transaction_digest].append(item)
    gross = fees = 0
    for parts in by_transaction.values():
        amount = sum(item.minor_units for item in parts if item.part == "amount" and item.category != "fee")
        net = sum(item.minor_units for item in parts)
        gross, fees = gross + amount, fees + net - amount
        yield (
            *(parts[0].occurred_at.date().isoformat(), parts[0].name, _donor(parts[0])),
            _fund(reported, parts[0]),
            *(reported.decimal(each) for each in (amount, net - amount, net)),
            parts[0].entry_id or "",
        )
    yield ("Total", "", "", "", *(reported.decimal(each) for each in (gross, fees, gross + fees)), "")


def _donor(item: Item) -> str:
    return DONOR_NOT_SHARED if item.name == "gift" else ""


def _fund(reported: PayoutReport, item: Item) -> str:
    sides: Sides = {} if reported.journal is None else reported.journal.by_piece[item.id]
    return ", ".join(reported.funds[account] for account in sides if account in reported.funds)


_WRITERS: Final[Mapping[ReportFormat, Callable[[PayoutReport], Iterable[Row]]]] = {
    ReportFormat.CSV: _item_lines,
    ReportFormat.JOURNAL: _xero,
    ReportFormat.QUICKBOOKS: _quickbooks,
    ReportFormat.DISBURSEMENT: _disbursement,
}
