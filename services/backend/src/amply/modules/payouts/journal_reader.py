"""Reads the movements and log entries from which a payout's journal is made."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from amply.kernel.errors import Conflict
from amply.modules import ledger
from amply.modules.payouts import queries
from amply.modules.payouts.journals import HOLD, Chapter, Entry, Journal, Piece, journal_of
from amply.modules.payouts.queries import Exchanged, Item, KnownPayout

_BALANCE = "processor_balance"
_OF_DISPUTES = ("dispute", "dispute_reversal")


class PayoutNotInLog(Conflict):
    """The log does not hold a payout's beginning yet: until it does, it is not known what is told with it."""

    code = "payout_not_in_log"

    def __init__(self, payout_id: str) -> None:
        super().__init__(f"The log does not hold {payout_id} yet; ask again in a minute.")
        self.payout_id = payout_id


@dataclass(frozen=True, kw_only=True)
class _PayoutLogRange:
    """A payout's range of log entries: above `after`, up to `place`."""

    payout_id: str
    after: int
    place: int


def read_journal(
    session: Session, *, payout: KnownPayout, items: Sequence[Item], account_of: Mapping[str, str]
) -> Journal:
    """Compute a payout's journal. `account_of`: the account of items without an entry.

    Raises:
        PayoutNotInLog: It began a moment ago.
    """
    told = _told(session, payout)
    earlier = [each.payout_id for each in told[:-1]]
    exchanged = queries.exchanged_in(session, payout_ids=[*earlier, payout.id])
    entries = _Entries.read(session, payout=payout, items=items, exchanged=exchanged, until=told[-1].place)
    chapters = [
        Chapter(
            pieces=list(_of_disputes(exchanged, each.payout_id, entries)),
            beside=entries.beside(after=each.after, place=each.place),
        )
        for each in told[:-1]
    ]
    last = Chapter(
        pieces=list(_pieces(items, exchanged, entries, account_of)),
        beside=entries.beside(after=told[-1].after, place=told[-1].place),
    )
    return journal_of([*chapters, last], currency=payout.currency)


def _told(session: Session, payout: KnownPayout) -> list[_PayoutLogRange]:
    """The payouts up to this one in the order of the log; those by hand have no journal, and what came before them waits."""
    begun = queries.with_journals(session, payout=payout)
    places = ledger.log_indexes(session, entry_ids=begun.values())
    known = {payout_id: places[entry_id] for payout_id, entry_id in begun.items() if entry_id in places}
    if payout.id not in known:
        raise PayoutNotInLog(payout.id)
    order = sorted((place, payout_id) for payout_id, place in known.items() if place <= known[payout.id])
    before = [-1, *(place for place, _ in order)]
    return [
        _PayoutLogRange(payout_id=payout_id, after=after, place=place)
        for (place, payout_id), after in zip(order, before, strict=False)
    ]


@dataclass(frozen=True, kw_only=True)
class _Entries:
    """Entries by id; `named`: ids by entry key; `held`: entries on `dispute_hold`."""

    currency: str
    sides: Mapping[str, Mapping[str, Mapping[str, int]]]
    places: Mapping[str, int]
    named: Mapping[str, str]
    held: Mapping[str, int]

    @classmethod
    def read(
        cls,
        session: Session,
        *,
        payout: KnownPayout,
        items: Sequence[Item],
        exchanged: Sequence[Exchanged],
        until: int,
    ) -> "_Entries":
        balance = ledger.account(payout.owner, _BALANCE)
        moved = ledger.moved_by(session, account=balance, stored_keys={each.exchanges for each in exchanged})
        named = {key: each.entry_id for key, each in moved.items()}
        held = ledger.entries_on(session, account=ledger.account(payout.owner, HOLD), size=until + 1)
        about = {*(item.entry_id for item in items if item.entry_id), *named.values(), *held}
        return cls(
            currency=payout.currency,
            sides=ledger.sides_of(session, owner=payout.owner, entry_ids=about),
            places=ledger.log_indexes(session, entry_ids=about),
            named=named,
            held=held,
        )

    def booked(self, entry_id: str) -> Entry | None:
        """An entry in the payout's currency, or None."""
        return self._entry(entry_id, self.currency)

    def exchanged(self, key: str) -> Entry | None:
        """The entry with this key in the donor's currency."""
        entry_id = self.named.get(key, "")
        for currency in self.sides.get(entry_id, {}):
            if currency != self.currency:
                return self._entry(entry_id, currency)
        return None

    def beside(self, *, after: int, place: int) -> list[Entry]:
        """Entries on `dispute_hold` in a range of the log that moved no balance, in log order."""
        found = sorted((at, entry_id) for entry_id, at in self.held.items() if after < at <= place)
        entries = [
            self._entry(entry_id, currency)
            for _, entry_id in found
            for currency in self.sides.get(entry_id, {})
        ]
        return [each for each in entries if each is not None and each.moved == 0 and each.sides.get(HOLD)]

    def _entry(self, entry_id: str, currency: str) -> Entry | None:
        moved = dict(self.sides.get(entry_id, {}).get(currency, {}))
        if not moved:
            return None
        return Entry(
            id=entry_id,
            place=self.places.get(entry_id),
            currency=currency,
            moved=moved.pop(_BALANCE, 0),
            sides=moved,
        )


def _of_disputes(exchanged: Sequence[Exchanged], payout_id: str, entries: _Entries) -> Iterator[Piece]:
    """Of an earlier payout only what says what is held, and for how much."""
    for each in exchanged:
        if each.payout_id == payout_id and each.category in _OF_DISPUTES:
            entry = entries.exchanged(each.exchanges)
            yield Piece(id=each.id, minor_units=each.minor_units, entry=entry, account=HOLD)


def _pieces(
    items: Sequence[Item],
    exchanged: Sequence[Exchanged],
    entries: _Entries,
    account_of: Mapping[str, str],
) -> Iterator[Piece]:
    keys = {each.id: each.exchanges for each in exchanged}
    for item in items:
        if item.kind == ledger.Kind.CURRENCY_EXCHANGED:
            entry = entries.exchanged(keys[item.id]) if item.id in keys else None
        else:
            entry = None if item.entry_id is None else entries.booked(item.entry_id)
        yield Piece(id=item.id, minor_units=item.minor_units, entry=entry, account=account_of[item.id])
