"""A model of one organisation's books in dictionaries, with which the database must agree."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from amply.kernel.ids import new_id
from amply.kernel.money import Money
from amply.modules import ledger
from amply.modules.ledger import postings
from amply.modules.ledger.postings import Lines
from tests.backend.ledger_world import NOW, ORIGIN, LedgerWorld

Waiting = TypeVar("Waiting")

Side = tuple[str, str, str, str]
"""Account, currency, `debits` or `credits`, `posted` or `pending`."""

EVENTS = (
    "gift",
    "processing",
    "arrives",
    "fails",
    "fee",
    "application_fee",
    "ask_refund",
    "refunded",
    "refund_fails",
    "refunded_elsewhere",
    "dispute",
    "dispute_won",
    "dispute_lost",
    "ask_payout",
    "payout_sent",
    "payout_refused",
    "payout_by_schedule",
    "payout_paid",
    "payout_failed",
    "exchange",
    "correct",
    "sequence",
)


@dataclass
class Reserved:
    """A pending entry and its lines."""

    entry_id: str
    lines: Lines
    reverses: str | None = None


@dataclass
class Given:
    """A gift that moved: what of it can still be taken back."""

    entry_id: str
    minor_units: int
    is_corrected: bool = False


@dataclass
class Life:
    """Applies events to a real ledger and to the model; `refused` counts what the database said no to."""

    books: LedgerWorld
    org: str = field(default_factory=lambda: new_id("org"))
    sums: Counter[Side] = field(default_factory=Counter)
    history: list[tuple[str, Counter[Side]]] = field(default_factory=list)
    due: int = 0
    gifts: list[Given] = field(default_factory=list)
    processing: list[Reserved] = field(default_factory=list)
    refunds: list[Reserved] = field(default_factory=list)
    payouts: list[Reserved] = field(default_factory=list)
    disputes: list[tuple[str, int]] = field(default_factory=list)
    in_transit: list[tuple[str, int]] = field(default_factory=list)
    refused: int = 0

    def live(self, event: str, minor_units: int, which: int) -> None:
        """Let one event happen; nothing when there is nothing it could happen to."""
        getattr(self, f"_{event}")(minor_units, which)

    def settle(self) -> None:
        """Bring everything that is on its way to its end."""
        while self.processing:
            self._arrives(1, 0)
        while self.refunds:
            self._refunded(1, 0)
        while self.payouts:
            self._payout_sent(1, 0)
        while self.disputes:
            self._dispute_lost(1, 0)
        while self.in_transit:
            self._payout_paid(1, 0)
        self._application_fee(1, 0)

    def available(self) -> int:
        """What a payout could take."""
        posted, pending = (self._net(phase) for phase in ("posted", "pending"))
        return posted - pending

    def _net(self, phase: str) -> int:
        account = f"{self.org}/processor_balance"
        debits = self.sums[account, "EUR", "debits", phase] if phase == "posted" else 0
        credits_ = self.sums[account, "EUR", "credits", phase]
        return debits - credits_ if phase == "posted" else credits_

    def _book(self, lines: Sequence[ledger.NewTransfer], pending: Lines = (), **rest: Any) -> str:
        posted = self.books.book(lines, organization_id=self.org, **rest)
        for line in lines:
            held = (
                0 if line.pending is None else pending[int(line.pending.partition("#")[2])].amount.minor_units
            )
            for account, side in ((line.debit, "debits"), (line.credit, "credits")):
                key = (account, line.amount.currency, side)
                amount = line.amount.minor_units
                self.sums[*key, "posted"] += amount if line.phase in (None, "post") else 0
                self.sums[*key, "pending"] += amount if line.phase == "pending" else -held
        self.history.append((posted.id, Counter(self.sums)))
        return posted.id

    def _gift(self, minor_units: int, which: int) -> None:
        contribution = euros(which) if which else None
        lines = postings.donation_succeeded(
            organization_id=self.org, amount=euros(minor_units), contribution=contribution
        )
        self.gifts.append(Given(self._book(lines, kind="donation.succeeded"), minor_units))
        self.due += which

    def _processing(self, minor_units: int, _: int) -> None:
        lines = postings.reserve(
            postings.donation_succeeded(organization_id=self.org, amount=euros(minor_units))
        )
        self.processing.append(Reserved(self._book(lines), lines))

    def _arrives(self, minor_units: int, which: int) -> None:
        if reserved := _take(self.processing, which):
            moved = postings.donation_succeeded(organization_id=self.org, amount=euros(minor_units))
            lines = postings.post(entry_id=reserved.entry_id, pending=reserved.lines, moved=moved)
            self.gifts.append(Given(self._book(lines, reserved.lines), minor_units))

    def _fails(self, _: int, which: int) -> None:
        if reserved := _take(self.processing, which):
            self._void(reserved)

    def _fee(self, minor_units: int, _: int) -> None:
        self._book(postings.processor_fee(organization_id=self.org, amount=euros(minor_units)))

    def _application_fee(self, _: int, __: int) -> None:
        if self.due > 0:
            self._book(postings.application_fee(organization_id=self.org, amount=euros(self.due)))
            self.due = 0

    def _ask_refund(self, minor_units: int, which: int) -> None:
        if not self.gifts:
            return
        given = self.gifts[which % len(self.gifts)]
        lines = postings.reserve(postings.refund(organization_id=self.org, amount=euros(minor_units)))
        try:
            entry_id = self._book(lines, reverses=given.entry_id)
        except ledger.ReversalExceedsOriginal:
            assert minor_units > given.minor_units
            self.refused += 1
            return
        assert minor_units <= given.minor_units
        given.minor_units -= minor_units
        self.refunds.append(Reserved(entry_id, lines, given.entry_id))

    def _refunded(self, _: int, which: int) -> None:
        if reserved := _take(self.refunds, which):
            moved = postings.refund(organization_id=self.org, amount=reserved.lines[0].amount)
            lines = postings.post(entry_id=reserved.entry_id, pending=reserved.lines, moved=moved)
            self._book(lines, reserved.lines, reverses=reserved.reverses)

    def _refund_fails(self, _: int, which: int) -> None:
        if reserved := _take(self.refunds, which):
            self._void(reserved)
            for given in self.gifts:
                if given.entry_id == reserved.reverses:
                    given.minor_units += reserved.lines[0].amount.minor_units

    def _refunded_elsewhere(self, minor_units: int, which: int) -> None:
        """On the processor's own pages: a fact, even above the gift."""
        if self.gifts:
            given = self.gifts[which % len(self.gifts)]
            lines = postings.refund(organization_id=self.org, amount=euros(minor_units))
            self._book(lines, reverses=given.entry_id)
            given.minor_units -= minor_units

    def _dispute(self, minor_units: int, _: int) -> None:
        lines = postings.dispute_opened(organization_id=self.org, amount=euros(minor_units))
        self.disputes.append((self._book(lines), minor_units))

    def _dispute_won(self, _: int, which: int) -> None:
        if dispute := _take(self.disputes, which):
            opened = postings.dispute_opened(organization_id=self.org, amount=euros(dispute[1]))
            self._book(postings.reverse(opened), reverses=dispute[0])

    def _dispute_lost(self, _: int, which: int) -> None:
        if dispute := _take(self.disputes, which):
            self._book(postings.dispute_lost(organization_id=self.org, amount=euros(dispute[1])))

    def _ask_payout(self, minor_units: int, _: int) -> None:
        lines = postings.reserve(postings.payout_created(owner=self.org, amount=euros(minor_units)))
        before = self.available()
        try:
            self.payouts.append(Reserved(self._book(lines), lines))
        except ledger.BalanceInsufficient:
            assert minor_units > before
            self.refused += 1
            return
        assert minor_units <= before

    def _payout_sent(self, _: int, which: int) -> None:
        if reserved := _take(self.payouts, which):
            amount = reserved.lines[0].amount
            moved = postings.payout_created(owner=self.org, amount=amount)
            lines = postings.post(entry_id=reserved.entry_id, pending=reserved.lines, moved=moved)
            self.in_transit.append((self._book(lines, reserved.lines), amount.minor_units))

    def _payout_refused(self, _: int, which: int) -> None:
        if reserved := _take(self.payouts, which):
            self._void(reserved)

    def _payout_by_schedule(self, minor_units: int, _: int) -> None:
        lines = postings.payout_created(owner=self.org, amount=euros(minor_units))
        self.in_transit.append((self._book(lines), minor_units))

    def _payout_paid(self, _: int, which: int) -> None:
        if payout := _take(self.in_transit, which):
            self._book(postings.payout_paid(owner=self.org, amount=euros(payout[1])))

    def _payout_failed(self, _: int, which: int) -> None:
        if payout := _take(self.in_transit, which):
            created = postings.payout_created(owner=self.org, amount=euros(payout[1]))
            self._book(postings.reverse(created), reverses=payout[0])

    def _exchange(self, minor_units: int, which: int) -> None:
        sold = Money(minor_units=minor_units, currency="USD")
        spread = euros(which) if which else None
        self._book(
            postings.currency_exchanged(owner=self.org, sold=sold, bought=euros(minor_units), spread=spread)
        )

    def _correct(self, minor_units: int, which: int) -> None:
        """What was booked as a gift was a gift of another size; nothing of it has been taken back."""
        wrong = [given for given in self.gifts if not given.is_corrected and given.minor_units > 0]
        if wrong:
            given = wrong[which % len(wrong)]
            booked, right = (
                postings.donation_succeeded(organization_id=self.org, amount=euros(amount))
                for amount in (given.minor_units, minor_units)
            )
            lines = postings.correction(wrong=booked, right=right)
            self._book(lines, kind="entry.corrected", supersedes=given.entry_id, reason="wrong_amount")
            given.is_corrected = True

    def _sequence(self, minor_units: int, _: int) -> None:
        sequencer = ledger.Sequencer(origin=ORIGIN, batch_max=1 + minor_units % 4)
        while sequencer.step(self.books.sequencer, now=NOW):
            pass

    def _void(self, reserved: Reserved) -> None:
        lines = postings.void(entry_id=reserved.entry_id, pending=reserved.lines)
        self._book(lines, reserved.lines, reverses=reserved.reverses)


def euros(minor_units: int) -> Money:
    return Money(minor_units=minor_units, currency="EUR")


def _take(waiting: list[Waiting], which: int) -> Waiting | None:
    return waiting.pop(which % len(waiting)) if waiting else None
