"""Reading millions of leaves: the verdicts of `entries.decode`, an order of magnitude faster.

Leaves of one log differ in their values and hardly in anything else. A `Scanner` sends the first leaf of each shape
(punctuation, keys, kind, and how long each value is) through `decode` and learns from it where the values stand. A
later leaf of that length is cut there: if all that stands between the values is what the strictly read leaf has, and
each value obeys its own rule, it is a leaf that `decode` accepts, in the only spelling there is. Whatever is not surely
so goes through `decode`, which alone refuses. Property tests hold the two to the same answers.
"""

import dataclasses
import re
import struct
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import lru_cache
from operator import itemgetter
from typing import Final, NamedTuple

from ledger_format import entries
from ledger_format.entries import decode

MAX_SHAPES: Final = 4_096
MAX_SHAPES_OF_A_LENGTH: Final = 16
MAX_REMEMBERED: Final = 16_384
"""What is remembered is bounded: a log of hostile variety makes reading slower, never larger."""

_HEX_DIGITS: Final = b"0123456789abcdef"
_ID_CHARACTERS: Final = b"0123456789abcdefghijklmnopqrstuvwxyz"
_ID_PREFIX: Final = b"ent_"
_ZERO: Final = b"0"
_ZERO_DIGIT: Final = _ZERO[0]
_SAFE_DIGITS: Final = 18  # up to here every decimal is below 2^63; longer ones are left to `decode`


def _in_bytes(pattern: re.Pattern[str]) -> re.Pattern[bytes]:
    return re.compile(pattern.pattern.encode("ascii"))


_ENTRY_ID: Final = _in_bytes(entries.ENTRY_ID)
_OWNER: Final = _in_bytes(entries.OWNER)
_ACCOUNT: Final = _in_bytes(entries.ACCOUNT)
_CURRENCY: Final = _in_bytes(entries.CURRENCY)
_LINE: Final = _in_bytes(entries.LINE)
_DAY: Final = re.compile(rb"([0-9]{4})-([0-9]{2})-([0-9]{2})T")
_DAY_LENGTH: Final = len(b"2026-11-21T")
_TIMES: Final = frozenset(b"%02d:%02dZ" % (hour, minute) for hour in range(24) for minute in range(60))
_OTHER_VALUES: Final = {
    b"matches": _ENTRY_ID,
    b"reverses": _ENTRY_ID,
    b"supersedes": _ENTRY_ID,
    b"reason": _in_bytes(entries.FIELD),
    b"ref": _in_bytes(entries.REFERENCE),
}
_NUMBERS: Final = frozenset({b"amt", b"org_seq"})
_TRANSFERS_BEGIN: Final = b'"transfers":['
_TRANSFERS_END: Final = b'],"ts":"'
_PATH: Final = re.compile(rb'([^"]+)","cur":"([^"]+)","d":"([^"]+)')


@dataclasses.dataclass(slots=True)
class Pair:
    """Between which accounts a transfer moves, and in which currency; ASCII.

    Transfers that move between the same accounts mostly come with the same `Pair`, so who sums amounts up does it in
    `total` (minor units), which costs a fraction of a look into a table, and sets it back to 0 when done. A scanner
    never touches it.
    """

    debit: bytes
    credit: bytes
    currency: bytes
    total: int = dataclasses.field(default=0, compare=False)


Move = tuple[Pair, int, bytes | None, bytes | None]
"""A transfer as it was read: between what, how many minor units, its phase, and what it resolves."""


class Links(NamedTuple):
    """The entries that an entry names."""

    reverses: bytes | None = None
    supersedes: bytes | None = None
    matches: bytes | None = None


class Scanned(NamedTuple):
    """What a replay needs of a leaf that obeys every rule of the format; text as ASCII bytes, `org_prev` in hex."""

    id: bytes
    log: bytes
    kind: bytes
    minute: bytes
    org: bytes
    org_seq: bytes
    org_prev: bytes | None
    moves: Sequence[Move]
    links: Links
    transfers: bytes
    """The list of transfers as it stands in the leaf, between its brackets."""


Fields = tuple[bytes, bytes, bytes, bytes, bytes, bytes, bytes | None, Sequence[Move], Links, bytes]
"""What `Scanned` holds, without the price of making one."""

NO_LINKS: Final = Links()
"""The one that every entry without any has."""


class Scanner:
    """Reads leaves of one log, one after the other; not to be shared between threads."""

    def __init__(self) -> None:
        self._shapes: dict[int, list[_Shape]] = {}
        self._shape_count = 0
        self._minutes: set[bytes] = set()
        self._owners: set[bytes] = set()
        self._amounts: dict[bytes, int] = {}
        self._paths: dict[bytes, Pair] = {}

    def scan(self, raw: bytes) -> Scanned:
        """Read a leaf, refusing what `entries.decode` refuses.

        Raises:
            EntryError: As `entries.decode`.
        """
        return Scanned(*self.fields(raw, 0, len(raw)))

    def fields(self, raw: bytes, start: int, end: int) -> Fields:
        """Read the leaf that stands in `raw` from `start` to `end`, as `scan` does, without cutting it out.

        Raises:
            EntryError: As `entries.decode`.
        """
        for shape in self._shapes.get(end - start, ()):
            cut = shape.cut(raw, start)
            if cut[::2] == shape.tokens:
                break
        else:
            return self._learn(raw[start:end])
        rest_of_id, org, org_seq, minute = shape.heads(cut)
        if shape.org_prev is None:
            prev, is_right = None, org_seq == _ZERO
        else:
            prev, is_right = cut[shape.org_prev], org_seq.isdigit() and org_seq[0] != _ZERO_DIGIT
        entry_id, moves = _ID_PREFIX + rest_of_id, []
        for amount_at, path_at, phase, pending_at in shape.transfers:
            amount, path = cut[amount_at], cut[path_at]
            minor = self._amounts.get(amount) or self._amount(amount)
            pair = self._paths.get(path) or self._pair(path)
            if not minor or pair is None:
                return _scanned(raw[start:end])
            moves.append((pair, minor, phase, None if pending_at is None else cut[pending_at]))
        links = self._links(shape, cut, entry_id) if shape.others else NO_LINKS
        if (
            not is_right
            or links is None
            or rest_of_id.translate(None, _ID_CHARACTERS)
            or (minute not in self._minutes and not self._is_minute(minute))
            or (org not in self._owners and not self._is_owner(org))
            or (shape.hexes is not None and b"".join(shape.hexes(cut)).translate(None, _HEX_DIGITS))
            or (shape.resolves and not _resolves_rightly(entry_id, moves))
        ):
            return _scanned(raw[start:end])
        transfers = raw[start + shape.transfers_start : start + shape.transfers_end]
        return entry_id, shape.log, shape.kind, minute, org, org_seq, prev, moves, links, transfers

    def _learn(self, leaf: bytes) -> Scanned:
        scanned, shape = _scanned(leaf), _Shape(leaf)
        if shape.has_long_numbers:
            return scanned
        if self._shape_count >= MAX_SHAPES:
            self._shapes.clear()
            self._shape_count = 0
        alike = self._shapes.setdefault(len(leaf), [])
        if len(alike) >= MAX_SHAPES_OF_A_LENGTH:
            alike.pop(0)
            self._shape_count -= 1
        alike.append(shape)
        self._shape_count += 1
        return scanned

    def _links(self, shape: "_Shape", cut: Sequence[bytes], entry_id: bytes) -> Links | None:
        found = {}
        for key, at in shape.others:
            value = cut[at]
            if value == entry_id or _OTHER_VALUES[key].fullmatch(value) is None:
                return None
            found[key] = value
        return _links_or_none(found.get(b"reverses"), found.get(b"supersedes"), found.get(b"matches"))

    def _is_minute(self, minute: bytes) -> bool:
        day, time = minute[:_DAY_LENGTH], minute[_DAY_LENGTH:]
        if time not in _TIMES or not _is_day(day):
            return False
        if len(self._minutes) >= MAX_REMEMBERED:
            self._minutes.clear()
        self._minutes.add(minute)
        return True

    def _is_owner(self, org: bytes) -> bool:
        if _OWNER.fullmatch(org) is None:
            return False
        if len(self._owners) >= MAX_REMEMBERED:
            self._owners.clear()
        self._owners.add(org)
        return True

    def _amount(self, amount: bytes) -> int:
        """The amount in minor units, or 0 when that is in doubt."""
        if not amount.isdigit() or amount.startswith(_ZERO):
            return 0
        if len(self._amounts) >= MAX_REMEMBERED:
            self._amounts.clear()
        minor = self._amounts[amount] = int(amount)
        return minor

    def _pair(self, path: bytes) -> Pair | None:
        """Accounts and currency from what a transfer says behind its amount."""
        match = _PATH.fullmatch(path)
        if match is None:
            return None
        credit, currency, debit = match.groups()
        if (
            debit == credit
            or _ACCOUNT.fullmatch(debit) is None
            or _ACCOUNT.fullmatch(credit) is None
            or _CURRENCY.fullmatch(currency) is None
        ):
            return None
        if len(self._paths) >= MAX_REMEMBERED:
            self._paths.clear()
        pair = self._paths[path] = Pair(debit, credit, currency)
        return pair


_Value = tuple[bytes, bytes, int, int]
"""Where a value stands in a leaf: under which key of which part, from and to which byte, without its quotes."""


class _Shape:
    """All leaves with the same text around values of the same lengths: that text, and where the values stand."""

    def __init__(self, raw: bytes) -> None:
        self.has_long_numbers = False
        self.transfers: list[tuple[int, int, bytes | None, int | None]] = []
        fixed: dict[bytes, bytes] = {}
        singles: dict[bytes, int] = {}
        hexes: list[int] = []
        spans: list[tuple[int, int]] = []
        for part, key, start, end in _values_of(raw):
            at = 2 * len(spans) + 1  # in a cut leaf, where the text between the values stands as well
            if key in _NUMBERS and part != b"commitments":
                self.has_long_numbers |= end - start > _SAFE_DIGITS
            if part == b"transfers":
                if not self._transfer(key, raw[start:end], at):
                    continue
            elif part == b"commitments" or key == b"org_prev":
                hexes.append(at)
            elif key in {b"kind", b"log"}:
                fixed[key] = raw[start:end]
                continue
            if not part:
                singles[key] = at
            spans.append((start + len(_ID_PREFIX) if (part, key) == (b"", b"id") else start, end))
        self.kind, self.log = fixed[b"kind"], fixed[b"log"]
        self.org_prev = singles.get(b"org_prev")
        self.cut = _cutter(spans, len(raw))
        self.tokens = self.cut(raw, 0)[::2]
        self.heads = itemgetter(*(singles[key] for key in (b"id", b"org", b"org_seq", b"ts")))
        self.hexes = _getter(hexes) if hexes else None
        self.others = tuple((key, at) for key, at in singles.items() if key in _OTHER_VALUES)
        self.resolves = any(pending is not None for *_, pending in self.transfers)
        self.transfers_start, self.transfers_end = _transfers_of(raw)

    def _transfer(self, key: bytes, value: bytes, at: int) -> bool:
        """Note a transfer's value; whether it is one that differs within the shape."""
        if key == b"amt":
            self.transfers.append((at, at + 2, None, None))
        elif key == b"phase":
            amount, path, _, pending = self.transfers[-1]
            self.transfers[-1] = (amount, path, value, pending)
            return False
        elif key == b"pending":
            amount, path, phase, _ = self.transfers[-1]
            self.transfers[-1] = (amount, path, phase, at)
        return True


def _values_of(raw: bytes) -> Iterator[_Value]:
    """Walk through a leaf that `decode` has accepted; the accounts and currency of a transfer come as one value."""
    parts = raw.split(b'"')
    starts = [0]
    for part in parts:
        starts.append(starts[-1] + len(part) + 1)
    section, credit_start, at = b"", 0, 1
    while at < len(parts):
        key, following = parts[at], parts[at + 1]
        if following in {b":{", b":[{"}:
            section, at = key, at + 2
            continue
        if following != b":":  # the number v, which ends the leaf
            return
        start, end, closing = starts[at + 2], starts[at + 3] - 1, parts[at + 3]
        if section == b"transfers" and key in {b"c", b"cur", b"d"}:
            credit_start = start if key == b"c" else credit_start
            if key == b"d":
                yield section, b"path", credit_start, end
        else:
            yield section, key, start, end
        if b"]" in closing or (section == b"commitments" and b"}" in closing):
            section = b""
        at += 4


def _transfers_of(raw: bytes) -> tuple[int, int]:
    """Where the list of transfers stands between its brackets; no value of a valid leaf holds these marks."""
    return raw.index(_TRANSFERS_BEGIN) + len(_TRANSFERS_BEGIN), raw.rindex(_TRANSFERS_END)


Cutter = Callable[[bytes, int], tuple[bytes, ...]]


def _cutter(spans: Sequence[tuple[int, int]], length: int) -> Cutter:
    """Make what cuts a leaf into the texts between the spans (at even places) and the spans (at odd ones)."""
    lengths, last = [], 0
    for start, end in spans:
        lengths += [start - last, end - start]
        last = end
    lengths.append(length - last)
    return struct.Struct("".join(f"{each}s" for each in lengths)).unpack_from


def _getter(places: Sequence[int]) -> Callable[[Sequence[bytes]], tuple[bytes, ...]]:
    """Pick the values at these places, always as a tuple."""
    if len(places) == 1:
        only = places[0]
        return lambda values: (values[only],)
    return itemgetter(*places)


@lru_cache(MAX_REMEMBERED)
def _is_day(day: bytes) -> bool:
    match = _DAY.fullmatch(day)
    try:
        return match is not None and bool(date(*map(int, match.groups())))
    except ValueError:
        return False


def _links_or_none(*links: bytes | None) -> Links:
    return Links(*links) if any(links) else NO_LINKS


def _resolves_rightly(entry_id: bytes, moves: Sequence[Move]) -> bool:
    resolved = [pending for *_, pending in moves if pending is not None]
    return len(set(resolved)) == len(resolved) and all(
        _LINE.fullmatch(line) is not None
        and int(line.partition(b"#")[2]) < entries.MAX_TRANSFERS
        and line.partition(b"#")[0] != entry_id
        for line in resolved
    )


def _scanned(raw: bytes) -> Scanned:
    """The same view of a leaf, read strictly.

    Raises:
        EntryError: As `entries.decode`.
    """
    entry = decode(raw)

    def optional(text: str | None) -> bytes | None:
        return None if text is None else text.encode("ascii")

    start, end = _transfers_of(raw)
    return Scanned(
        id=entry.id.encode("ascii"),
        log=entry.log.encode("ascii"),
        kind=entry.kind.encode("ascii"),
        minute=entries.spell_minute(entry.ts).encode("ascii"),
        org=entry.org.encode("ascii"),
        org_seq=b"%d" % entry.org_seq,
        org_prev=None if entry.org_prev is None else entry.org_prev.hex().encode("ascii"),
        moves=[
            (
                Pair(
                    transfer.debit.encode("ascii"),
                    transfer.credit.encode("ascii"),
                    transfer.currency.encode("ascii"),
                ),
                transfer.amount_minor,
                optional(transfer.phase),
                optional(transfer.pending),
            )
            for transfer in entry.transfers
        ],
        links=_links_or_none(optional(entry.reverses), optional(entry.supersedes), optional(entry.matches)),
        transfers=raw[start:end],
    )
