"""Cross-checks of one share of the records: what entries far apart in the log must be to each other.

A share has every record of its keys, in the log's order. So an entry that is named must have come by already.
"""

import dataclasses
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from operator import itemgetter
from pathlib import Path
from typing import Final, NamedTuple

from amply_verify.auditing.damage import broken_rule
from amply_verify.auditing.records import TAB, Block, read_share
from amply_verify.auditing.replay import (
    CHAIN,
    LINK,
    NOTHING,
    RESOLUTION,
    REVERSES,
    SUPERSEDES,
)

GIVEN_BACK: Final = b"back"
LATE: Final = b"late"

MAX_ACCOUNTS_TOLD: Final = 1_000
"""How many accounts of one owner a report tells one by one."""

MAX_REFERENCES_TOLD: Final = 5
"""How many references to entries that were not read a report tells one by one."""


@dataclasses.dataclass(slots=True)
class TrialBalance:
    """One currency's books: how many accounts, all debits and credits, and the balances on each side (minor units)."""

    accounts: int = 0
    debits: int = 0
    credits: int = 0
    debit_balances: int = 0
    credit_balances: int = 0

    def add(self, other: "TrialBalance") -> None:
        """Add other accounts of the same currency."""
        self.accounts += other.accounts
        self.debits += other.debits
        self.credits += other.credits
        self.debit_balances += other.debit_balances
        self.credit_balances += other.credit_balances


@dataclasses.dataclass(slots=True)
class CrossChecked:
    """What one share, or all of them, came to.

    Attributes:
        organizations: How many have a chain.
        links: How many times an entry reverses, supersedes or matches another.
        resolutions: How many pending transfers were posted or voided.
        unknown: References to entries that are not among those read, nor behind the one that names them.
        unknown_told: The first of them: index of the entry that names the other, and what it says.
        open_chains: Organisations whose first entry read has one before it.
        released: By currency, what resolved transfers had reserved (minor units).
        trials: By currency.
        accounts: Debits and credits by account and currency of the owner that was asked for.
        reversal_lines: Files with what reversals took back, a line each (see `reversals`).
    """

    entries: int = 0
    organizations: int = 0
    links: int = 0
    resolutions: int = 0
    unknown: int = 0
    unknown_told: list[tuple[int, str]] = dataclasses.field(default_factory=list)
    open_chains: int = 0
    released: dict[bytes, int] = dataclasses.field(default_factory=dict)
    trials: dict[bytes, TrialBalance] = dataclasses.field(default_factory=dict)
    accounts: dict[tuple[bytes, bytes], tuple[int, int]] = dataclasses.field(default_factory=dict)
    reversal_lines: list[Path] = dataclasses.field(default_factory=list)

    def add(self, other: "CrossChecked") -> None:
        """Add another share."""
        self.entries += other.entries
        self.organizations += other.organizations
        self.links += other.links
        self.resolutions += other.resolutions
        self.unknown += other.unknown
        self.unknown_told = sorted(self.unknown_told + other.unknown_told)[:MAX_REFERENCES_TOLD]
        self.open_chains += other.open_chains
        for currency, amount in other.released.items():
            self.released[currency] = self.released.get(currency, 0) + amount
        for currency, trial in other.trials.items():
            self.trials.setdefault(currency, TrialBalance()).add(trial)
        for account, sums in other.accounts.items():
            if len(self.accounts) < MAX_ACCOUNTS_TOLD:
                self.accounts[account] = sums
        self.reversal_lines += other.reversal_lines


def cross_check_share(
    folder: Path, share: int, *, knows_the_beginning: bool, balances_of: str | None
) -> CrossChecked:
    """Cross-check one share of the records in `folder`, which are removed.

    Raises:
        CheckFailure: Entries break a rule between them.
    """
    result = CrossChecked()
    reversal_file = folder / f"reversals-{share:03d}"
    for blocks in read_share(folder, share):
        piece = _Piece(reversal_file, knows_the_beginning=knows_the_beginning, balances_of=balances_of)
        result.add(piece.cross_check(blocks))
    if reversal_file.exists():
        result.reversal_lines.append(reversal_file)
    return result


class _Piece:
    """The records of some keys: all of them, and nothing else."""

    def __init__(self, reversal_file: Path, *, knows_the_beginning: bool, balances_of: str | None) -> None:
        self._reversal_file = reversal_file
        self._knows_the_beginning = knows_the_beginning
        self._owned = None if balances_of is None else f"{balances_of}/".encode("ascii")
        self._entries: dict[bytes, int] = {}
        """By id: how many entries came before."""
        self._blocks: list[tuple[int, Block]] = []
        """Where the entries stand: how many came before each block, and the block."""
        self._superseded: set[bytes] = set()
        self._resolved: set[tuple[bytes, bytes]] = set()
        self._not_read: dict[bytes, str] = {}
        self._chains: dict[bytes, tuple[int, bytes]] = {}
        self._balances: dict[bytes, list[int]] = {}
        """By account and currency, parted by a tab: debits, credits (minor units)."""
        self._released: defaultdict[bytes, int] = defaultdict(int)
        self._result = CrossChecked()
        self._lines: list[bytes] = []

    def cross_check(self, blocks: Iterable[Block]) -> CrossChecked:
        for block in blocks:
            if block.has_entries:
                self._add_entries(block)
            elif block.has_balances:
                self._add_balances(block)
            else:
                for line in block.records():
                    key, kind, rest = line.split(TAB, 2)
                    self._record(key, kind, rest)
                self._write_reversal_lines()
        self._result.entries = len(self._entries)
        self._result.organizations = len(self._chains)
        self._result.released = dict(self._released)
        self._sum_up()
        return self._result

    def _add_entries(self, block: Block) -> None:
        ids, before = block.ids(), len(self._entries)
        is_repeated = not self._entries.keys().isdisjoint(ids)
        if not is_repeated:
            self._entries.update(zip(ids, range(before, before + len(ids)), strict=True))
            is_repeated = len(self._entries) != before + len(ids)
        if is_repeated:
            raise broken_rule(f"the id {self._repeated(ids, before).decode()} stands for more than one entry")
        if self._not_read:
            for entry_id in self._not_read.keys() & ids:
                raise broken_rule(f"{self._not_read[entry_id]}, which stands behind it")
        self._blocks.append((before, block))

    def _repeated(self, ids: list[bytes], before: int) -> bytes:
        seen = {entry_id for entry_id, number in self._entries.items() if number < before}
        for each in ids:
            if each in seen:
                return each
            seen.add(each)
        raise AssertionError("only asked when an id is repeated")

    def _add_balances(self, block: Block) -> None:
        balances = self._balances
        for account, debited, credited in block.balances():
            sums = balances.get(account)
            if sums is None:
                balances[account] = [debited, credited]
            else:
                sums[0] += debited
                sums[1] += credited

    def _record(self, key: bytes, kind: bytes, rest: bytes) -> None:
        if kind == CHAIN:
            self._chain(key, *rest.split(TAB))
        elif kind == LINK:
            self._link(key, *rest.split(TAB))
        elif kind == RESOLUTION:
            self._resolution(key, rest.split(TAB))

    def _chain(
        self,
        org: bytes,
        first_seq: bytes,
        first_prev: bytes,
        first_index: bytes,
        last_seq: bytes,
        last: bytes,
    ) -> None:
        seq, prev = self._chains.get(org, (0, NOTHING))
        is_beginning = org not in self._chains
        if is_beginning and not self._knows_the_beginning and int(first_seq) > 0:
            self._result.open_chains += 1
        else:
            name, index = org.decode(), first_index.decode()
            if int(first_seq) != seq:
                raise broken_rule(
                    f"entry {index} is number {first_seq.decode()} of {name}, and number {seq} should come next"
                )
            if first_prev != prev:
                raise broken_rule(
                    f"entry {index} does not name the hash of the entry of {name} before it (number {seq - 1})"
                )
        self._chains[org] = int(last_seq) + 1, last

    def _link(self, target: bytes, relation: bytes, by: bytes, index: bytes, transfers: bytes) -> None:
        self._result.links += 1
        named = self._earlier(target, index)
        if named is None:
            self._missing(target, by, relation.decode(), index)
            return
        if relation == SUPERSEDES:
            if target in self._superseded:
                raise broken_rule(f"{by.decode()} supersedes {target.decode()}, which was superseded before")
            self._superseded.add(target)
        if relation == REVERSES:
            self._reversal(target, named, by, index, transfers)

    def _reversal(self, target: bytes, named: bytes, by: bytes, index: bytes, reversal: bytes) -> None:
        """Note what a reversal takes back from the entry it names, and gives back to what that entry reversed."""
        reversed_by_named, _, transfers = named.rpartition(TAB)
        given_lines, taken_lines = _lines(transfers), _lines(reversal)
        # What an entry only reserved, or let go, cannot be taken back.
        given = dict.fromkeys(_sides(given_lines, opposite=False), 0)
        given |= _sides(_moved(given_lines), opposite=False)
        back = _sides(_moved(taken_lines), opposite=True)
        for place, capacity in given.items():
            self._lines.append(
                b"\t".join((target, *place, index, b"%d" % back.get(place, 0), b"%d" % capacity, by))
            )
        if reversed_by_named:
            for account, currency, side in _sides(taken_lines, opposite=True):
                amount = back.get((account, currency, side), 0)
                other = b"C" if side == b"D" else b"D"
                fields = (reversed_by_named, account, currency, other, index, b"%d" % -amount, GIVEN_BACK, by)
                self._lines.append(b"\t".join(fields))

    def _resolution(self, target: bytes, fields: list[bytes]) -> None:
        line, phase, amount, debit, credit, currency, by, index, reverses = fields
        self._result.resolutions += 1
        named = self._earlier(target, index)
        if named is None:
            self._missing(target, by, f"{phase.decode()}s a transfer of", index)
            return
        subject = f"{by.decode()} {phase.decode()}s {target.decode()}#{line.decode()}"
        reversed_by_named, _, transfers = named.rpartition(TAB)
        number, lines = int(line), _lines(transfers)
        if number >= len(lines) or lines[number].phase != b"pending":
            raise broken_rule(f"{subject}, which is no pending transfer")
        if (target, line) in self._resolved:
            raise broken_rule(f"{subject}, which was resolved before")
        self._resolved.add((target, line))
        pending = lines[number]
        if (pending.debit, pending.credit, pending.currency) != (debit, credit, currency):
            raise broken_rule(f"{subject}, which is between other accounts or in another currency")
        reserved, moved = int(pending.amount), int(amount)
        if (moved > reserved) if phase == b"post" else (moved != reserved):
            raise broken_rule(f"{subject} with {moved} minor units, and {reserved} were pending")
        self._released[currency] += reserved
        if phase == b"post" and reversed_by_named not in (b"", reverses):
            self._late_reversal(reversed_by_named, debit, credit, currency, index, amount, by)

    def _late_reversal(
        self,
        original: bytes,
        debit: bytes,
        credit: bytes,
        currency: bytes,
        index: bytes,
        amount: bytes,
        by: bytes,
    ) -> None:
        """A reversal was pending, and is posted by an entry that does not itself name what it reverses."""
        for account, side in ((debit, b"C"), (credit, b"D")):
            self._lines.append(b"\t".join((original, account, currency, side, index, amount, LATE, by)))

    def _earlier(self, target: bytes, index: bytes) -> bytes | None:
        """An entry's line, if it stands before the entry at `index`."""
        number = self._entries.get(target)
        if number is None:
            return None
        before, block = self._blocks[bisect_right(self._blocks, number, key=itemgetter(0)) - 1]
        found, line = block.entry(number - before)
        return line if found < int(index) else None

    def _missing(self, target: bytes, by: bytes, relation: str, index: bytes) -> None:
        said = f"{by.decode()} {relation} {target.decode()}"
        if self._knows_the_beginning:
            raise broken_rule(f"{said}, and no earlier entry has this id")
        if target in self._entries:
            raise broken_rule(f"{said}, which stands behind it")
        # Before the first entry that was read, or nowhere; if it comes later, that shows when it does.
        self._not_read.setdefault(target, said)
        self._result.unknown += 1
        told = [*self._result.unknown_told, (int(index), f"entry {int(index)}, {said}")]
        self._result.unknown_told = sorted(told)[:MAX_REFERENCES_TOLD]

    def _sum_up(self) -> None:
        for place, (debited, credited) in self._balances.items():
            account, _, currency = place.partition(TAB)
            trial = self._result.trials.setdefault(currency, TrialBalance())
            balance = debited - credited
            trial.add(TrialBalance(1, debited, credited, max(balance, 0), max(-balance, 0)))
            if (
                self._owned is not None
                and account.startswith(self._owned)
                and len(self._result.accounts) < MAX_ACCOUNTS_TOLD
            ):
                self._result.accounts[account, currency] = debited, credited

    def _write_reversal_lines(self) -> None:
        if self._lines:
            with self._reversal_file.open("ab") as file:
                file.write(b"\n".join(self._lines) + b"\n")
            self._lines.clear()


class _Line(NamedTuple):
    """A transfer as it stands in a leaf; `pending` and `phase` are empty where it has none."""

    amount: bytes
    credit: bytes
    currency: bytes
    debit: bytes
    pending: bytes
    phase: bytes


# How the format spells a transfer, of which no value has quotes. Whatever comes here has been read strictly.
_TRANSFER: Final = re.compile(
    rb'{"amt":"([^"]+)","c":"([^"]+)","cur":"([^"]+)","d":"([^"]+)"(?:,"pending":"([^"]+)")?(?:,"phase":"([^"]+)")?}'
)


def _lines(transfers: bytes) -> list[_Line]:
    return [_Line(*found) for found in _TRANSFER.findall(transfers)]


def _moved(lines: Iterable[_Line]) -> list[_Line]:
    """The transfers that moved something: at once, or by posting."""
    return [line for line in lines if line.phase in {b"", b"post"}]


def _sides(lines: Iterable[_Line], *, opposite: bool) -> dict[tuple[bytes, bytes, bytes], int]:
    """Sum amounts by account, currency and side (`D` or `C`); `opposite` sums them under the other side."""
    sums: dict[tuple[bytes, bytes, bytes], int] = {}
    debit_side, credit_side = (b"C", b"D") if opposite else (b"D", b"C")
    for line in lines:
        amount = int(line.amount)
        for place in (
            (line.debit, line.currency, debit_side),
            (line.credit, line.currency, credit_side),
        ):
            sums[place] = sums.get(place, 0) + amount
    return sums
