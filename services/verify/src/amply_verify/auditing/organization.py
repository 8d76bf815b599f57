"""One organisation's own chain through the log: its entries in order, and every gap."""

import dataclasses
from binascii import hexlify
from collections.abc import Sequence
from typing import Final

from amply_verify.auditing.damage import other_log, wrong_entry
from ledger_format.errors import FormatError
from ledger_format.scanning import Scanned, Scanner

MAX_GAPS: Final = 100
"""How many gaps are told one by one; all are counted."""

Balances = dict[tuple[bytes, bytes], list[int]]
"""By account and currency: debits, credits (minor units)."""


@dataclasses.dataclass(frozen=True, slots=True)
class Gap:
    """An entry that does not continue the organisation's chain.

    Attributes:
        index: Its place in the log.
        expected: The number the organisation's next entry should have had.
        found: The number it has; equal to `expected` when only the hash of the entry before it is wrong.
    """

    index: int
    expected: int
    found: int


@dataclasses.dataclass(slots=True)
class PieceOfOrganization:
    """What one part, or the log so far, holds of an organisation; hashes are in hexadecimal."""

    entries: int = 0
    first: tuple[int, int, bytes | None] | None = None
    next_seq: int = 0
    last_hash: bytes | None = None
    last_index: int = -1
    last_minute: bytes = b""
    gaps: list[Gap] = dataclasses.field(default_factory=list)
    gap_count: int = 0
    balances: Balances = dataclasses.field(default_factory=dict)

    def continue_with(self, index: int, seq: int, prev: bytes | None) -> None:
        """Note a gap unless the entry at `index` continues the chain."""
        if seq != self.next_seq or prev != self.last_hash:
            self.gap_count += 1
            if len(self.gaps) < MAX_GAPS:
                self.gaps.append(Gap(index, self.next_seq, seq))

    def add(self, later: "PieceOfOrganization") -> None:
        """Append what a later part of the log holds."""
        if later.first is None:
            return
        self.continue_with(*later.first)
        self.gaps += later.gaps[: MAX_GAPS - len(self.gaps)]
        self.gap_count += later.gap_count
        self.entries += later.entries
        self.first = self.first or later.first
        self.next_seq, self.last_hash = later.next_seq, later.last_hash
        self.last_index, self.last_minute = later.last_index, later.last_minute
        for key, (debits, credited) in later.balances.items():
            sums = self.balances.setdefault(key, [0, 0])
            sums[0] += debits
            sums[1] += credited


class ChainReader:
    """Picks an organisation's entries out of a part of the log."""

    def __init__(self, organization: str, origin: str) -> None:
        self._needle = b'"org":"%b"' % organization.encode("ascii")
        self._organization = organization.encode("ascii")
        self._origin = origin.encode("ascii")
        self._scanner = Scanner()
        self.piece = PieceOfOrganization()

    def take(self, leaves: Sequence[bytes], hashes: Sequence[bytes], first_index: int) -> None:
        """Follow the chain through one bundle.

        Raises:
            CheckFailure: An entry of the organisation breaks a rule of the format.
        """
        for index, raw in enumerate(leaves, first_index):
            if self._needle not in raw:
                continue
            try:
                scanned = self._scanner.scan(raw)
            except FormatError as error:
                raise wrong_entry(index, error) from error
            if scanned.log != self._origin:
                raise other_log(index, scanned.log.decode(), self._origin.decode())
            if scanned.org == self._organization:
                self._entry(index, scanned, hexlify(hashes[index - first_index]))

    def _entry(self, index: int, scanned: Scanned, hashed: bytes) -> None:
        piece, seq = self.piece, int(scanned.org_seq)
        if piece.first is None:
            piece.first = index, seq, scanned.org_prev
        else:
            piece.continue_with(index, seq, scanned.org_prev)
        piece.entries += 1
        piece.next_seq, piece.last_hash = seq + 1, hashed
        piece.last_index, piece.last_minute = index, scanned.minute
        owned = self._organization + b"/"
        for pair, amount, phase, _ in scanned.moves:
            if phase in {None, b"post"}:
                for side, account in enumerate((pair.debit, pair.credit)):
                    if account.startswith(owned):
                        piece.balances.setdefault((account, pair.currency), [0, 0])[side] += amount
