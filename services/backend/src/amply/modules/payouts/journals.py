"""A payout's journal: movements by account in the account's currency. Pure.

What an entry in that currency moves is taken as it is. One in a donor's currency is worth what the processor exchanged it
for, divided among its accounts as the entry divides it. What waits on `dispute_hold` in a donor's currency goes off it at
what it came onto it for; the difference when it comes back at another rate is a cost of exchanging.

A dispute that is lost moves no balance and is in no payout's items. It is told with the first payout that was made after it,
by their places in the log: in one journal, and for ever in the same one. In a donor's currency it waits, besides, until the
payout that tells of its opening.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from amply.kernel.errors import invariant
from amply.kernel.splitting import divide

HOLD: Final = "dispute_hold"
_DIFFERENCES: Final = "exchange_fees"
_ON_ITS_WAY: Final = "payout_in_transit"
BANK: Final = "bank"

Sides = Mapping[str, int]
"""Accounts by their codes, with minor units: a debit is positive."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A ledger entry, reduced to one currency.

    Attributes:
        place: In the log; None while it has none.
        moved: What it moved on the balance at the processor, minor units.
        sides: All other accounts; with `moved` they come to nothing.
    """

    id: str
    place: int | None
    currency: str
    moved: int
    sides: Sides


@dataclass(frozen=True, kw_only=True)
class Piece:
    """An item of a payout.

    Attributes:
        minor_units: In the payout's currency, positive into the balance.
        entry: What books it; of an exchange, the entry whose money was exchanged. None where nothing does.
        account: Where it belongs when no entry says so.
    """

    id: str
    minor_units: int
    entry: Entry | None
    account: str


@dataclass(frozen=True, kw_only=True)
class Chapter:
    """Everything reported with one payout. `beside`: dispute entries since the previous payout that moved no balance."""

    pieces: Sequence[Piece]
    beside: Sequence[Entry]


@dataclass(frozen=True, kw_only=True)
class Journal:
    """What the last chapter says. `by_piece`: by the piece's id, together the opposite of it; `beside`: each comes to nothing."""

    by_piece: Mapping[str, Sides]
    beside: Sequence[Sides]

    @property
    def all(self) -> Iterable[Sides]:
        """All lines, in order."""
        return (*self.by_piece.values(), *self.beside)


def journal_of(chapters: Sequence[Chapter], *, currency: str) -> Journal:
    """The journal of the last of these payouts. Earlier ones determine the held amounts and their value."""
    held: dict[str, _DisputeHold] = defaultdict(_DisputeHold)
    waiting: list[Entry] = []
    journal = Journal(by_piece={}, beside=())
    for chapter in chapters:
        pieces = sorted(chapter.pieces, key=_place)
        by_piece = {piece.id: _sides(piece, currency, held) for piece in pieces}
        here = [entry for entry in chapter.beside if entry.currency == currency]
        waiting += [entry for entry in chapter.beside if entry.currency != currency]
        ready = _ready(waiting, held)
        waiting = [entry for entry in waiting if entry not in ready]
        told = [entry.sides for entry in here] + [_lost(entry, held) for entry in ready]
        journal = Journal(by_piece=by_piece, beside=told)
    return journal


def shared(total: int, like: Sides) -> Sides:
    """Divide an amount in proportion to these accounts, to the last minor unit."""
    invariant(sum(like.values()) != 0, "what is divided comes to something")
    names = [name for name in sorted(like) if like[name] != 0]
    sign = 1 if total > 0 else -1
    parts = divide(abs(total), [abs(like[name]) for name in names])
    return {name: sign * part for name, part in zip(names, parts, strict=True)}


@dataclass
class _DisputeHold:
    """The balance of `dispute_hold` in a donor's currency, and what the account paid for it; minor units of each."""

    theirs: int = 0
    ours: int = 0

    def take_in(self, entry: Entry, worth: int) -> None:
        self.theirs += entry.sides[HOLD]
        self.ours += worth

    def let_go(self, size: int, *, worth: int) -> int:
        """The average value at which held money was taken in; money of unknown origin is worth what it brings."""
        known = min(size, self.theirs)
        value = self.ours if known == self.theirs else self.ours * known // self.theirs
        self.theirs, self.ours = self.theirs - known, self.ours - value
        return value + worth * (size - known) // size


def _sides(piece: Piece, currency: str, held: dict[str, _DisputeHold]) -> Sides:
    entry = piece.entry
    if entry is None or (entry.currency == currency and entry.moved != piece.minor_units):
        return {piece.account: -piece.minor_units}
    if not any(entry.sides.values()):
        return {piece.account: -piece.minor_units}
    if entry.currency == currency:
        return _at_the_bank(entry.sides)
    return _exchanged(entry, piece.minor_units, held[entry.currency])


def _exchanged(entry: Entry, minor_units: int, held: _DisputeHold) -> Sides:
    """An entry in a donor's currency, for what it was exchanged for: a debit where the balance was credited."""
    others = {name: amount for name, amount in entry.sides.items() if amount != 0}
    on_hold = others.pop(HOLD, 0)
    if on_hold > 0:
        held.take_in(entry, -minor_units)
        return {HOLD: -minor_units}
    if on_hold == 0:
        return shared(-minor_units, others)
    value = held.let_go(-on_hold, worth=minor_units * -on_hold // entry.moved)
    rest = -minor_units + value
    if others:
        return {HOLD: -value, **shared(rest, others)}
    return {HOLD: -value} | ({_DIFFERENCES: rest} if rest else {})


def _ready(waiting: Sequence[Entry], held: Mapping[str, _DisputeHold]) -> list[Entry]:
    """Those of which it is known what was paid for what they are about, the oldest first."""
    left = {currency: each.theirs for currency, each in held.items()}
    ready = []
    for entry in waiting:
        size = -entry.sides.get(HOLD, 0)
        if 0 < size <= left.get(entry.currency, 0):
            left[entry.currency] -= size
            ready.append(entry)
    return ready


def _lost(entry: Entry, held: Mapping[str, _DisputeHold]) -> Sides:
    others = {name: amount for name, amount in entry.sides.items() if name != HOLD and amount != 0}
    value = held[entry.currency].let_go(-entry.sides[HOLD], worth=0)
    return {HOLD: -value, **shared(value, others)}


def _at_the_bank(sides: Sides) -> Sides:
    """A journal knows no way to the bank: what was paid out is on it, and what comes back from the way comes from there."""
    named: dict[str, int] = defaultdict(int)
    for name, amount in sides.items():
        named[BANK if name == _ON_ITS_WAY else name] += amount
    return named


def _place(piece: Piece) -> tuple[bool, int]:
    """By the log, so that what is held comes in before it goes; what has no place yet at the end."""
    place = None if piece.entry is None else piece.entry.place
    return place is None, place or 0
