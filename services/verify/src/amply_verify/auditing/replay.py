"""Replaying one part of the log: every leaf read, what the part shows by itself checked, the rest noted as records.

Each entry leaves its id, its index and a line, which is the entry that it reverses, a tab, and its transfers; without
the first two when it reverses none (`records` says how they travel). What a part moved on an account leaves a balance.
What an entry cannot be judged by alone leaves records, told apart by their second field:

    id       L  relation  by  index  transfers                another entry reverses, supersedes or matches it
    id       P  line  phase  amount  debit  credit  currency  by  index  reverses      a transfer of it is resolved
    org      C  first seq  first prev  first index  last seq  last hash                a piece of a chain

`-` stands for what is absent; amounts are minor units; transfers stand as they do in the leaf.
"""

import dataclasses
from binascii import hexlify
from collections import defaultdict
from collections.abc import Sequence
from typing import Final
from zlib import crc32

from amply_verify.auditing.damage import broken_rule, other_log, wrong_entry
from amply_verify.auditing.records import TAB, RecordWriter
from ledger_format.errors import FormatError
from ledger_format.scanning import NO_LINKS, Pair, Scanned, Scanner

NOTHING: Final = b"-"
LINK: Final = b"L"
RESOLUTION: Final = b"P"
CHAIN: Final = b"C"

REVERSES: Final = b"reverses"
SUPERSEDES: Final = b"supersedes"
MATCHES: Final = b"matches"

_PENDING: Final = b"pending"
_VOID: Final = b"void"


@dataclasses.dataclass(slots=True)
class ChainPiece:
    """The consecutive entries of an organisation within one part; `last_hash` is in hexadecimal."""

    first_seq: bytes
    first_prev: bytes | None
    first_index: int
    next_seq: int
    last_hash: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class Replayed:
    """What one part showed: its entries, by currency what it reserved (minor units), and its last entry's minute."""

    entries: int
    reserved: dict[bytes, int]
    last_minute: bytes


class Replay:
    """Replays parts one after the other; what it remembers of one part ends with it, but for the leaves' shapes."""

    def __init__(self, origin: str, writer: RecordWriter) -> None:
        self._origin = origin.encode("ascii")
        self._writer = writer
        self._scanner = Scanner()
        self._begin()

    def _begin(self) -> None:
        self._entries = 0
        self._last_minute = b""
        self._chains: dict[bytes, ChainPiece] = {}
        self._moved: list[Pair] = []
        """Between which accounts and how much was moved: each with a total, which is 0 for all that are not here."""
        self._reserved: defaultdict[bytes, int] = defaultdict(int)

    def take(self, bundle: bytes, ends: Sequence[int], hashes: Sequence[bytes], first_index: int) -> None:
        """Replay the first entries of one bundle: as many as there are leaf hashes; `ends` says where each ends.

        Raises:
            CheckFailure: A leaf breaks a rule of the format, or an organisation's chain is broken.
        """
        fields_of, origin, chains = self._scanner.fields, self._origin, self._chains
        gathered, shares = self._writer.gathered, self._writer.shares
        index, minute, start = first_index - 1, b"", 2
        try:
            for index, (hashed, end) in enumerate(zip(hashes, ends, strict=False), first_index):
                fields = fields_of(bundle, start, end)
                start = end + 2
                entry_id, log, _, minute, org, org_seq, org_prev, moves, links, transfers = fields
                if log != origin:
                    raise other_log(index, log.decode(), origin.decode())
                piece = chains.get(org)
                if piece is None:
                    chains[org] = ChainPiece(org_seq, org_prev, index, int(org_seq) + 1, hexlify(hashed))
                elif int(org_seq) != piece.next_seq or org_prev != piece.last_hash:
                    raise _broken_chain(index, Scanned(*fields), piece)
                else:
                    piece.next_seq += 1
                    piece.last_hash = hexlify(hashed)
                for pair, amount, phase, _ in moves:
                    if phase is not None:
                        self._two_phase(Scanned(*fields), index)
                        break
                    if not pair.total:
                        self._moved.append(pair)
                    pair.total += amount
                share = gathered[crc32(entry_id) % shares]
                share.ids.append(entry_id)
                share.indexes.append(index)
                lines = share.lines
                lines += transfers if links is NO_LINKS else self._link(Scanned(*fields), index)
                share.ends.append(len(lines))
        except FormatError as error:
            raise wrong_entry(index, error) from error
        self._entries += len(hashes)
        self._last_minute = minute

    def end_part(self, number: int) -> Replayed:
        """Write the part's records, forget the part, and say what it showed."""
        add = self._writer.add
        for org, piece in self._chains.items():
            fields = (
                org,
                CHAIN,
                piece.first_seq,
                piece.first_prev or NOTHING,
                b"%d" % piece.first_index,
                b"%d" % (piece.next_seq - 1),
                piece.last_hash,
            )
            add(org, TAB.join(fields))
        for (account, currency), (debited, credited) in self._by_account().items():
            self._writer.add_balance(account, currency, debited, credited)
        self._writer.end_part(number)
        result = Replayed(self._entries, dict(self._reserved), self._last_minute)
        self._begin()
        return result

    def _count(self, pair: Pair, amount: int) -> None:
        if not pair.total:
            self._moved.append(pair)
        pair.total += amount

    def _by_account(self) -> dict[tuple[bytes, bytes], list[int]]:
        """Sum up what was moved, and begin to count anew."""
        sums: dict[tuple[bytes, bytes], list[int]] = {}
        for pair in self._moved:
            sums.setdefault((pair.debit, pair.currency), [0, 0])[0] += pair.total
            sums.setdefault((pair.credit, pair.currency), [0, 0])[1] += pair.total
            pair.total = 0
        return sums

    def _two_phase(self, scanned: Scanned, index: int) -> None:
        """An entry with a step of a two-phase transfer: what it moves, reserves and resolves.

        The transfers before the first such step were counted by the caller.
        """
        is_counted = True
        for pair, amount, phase, pending in scanned.moves:
            is_counted = is_counted and phase is None
            if phase == _PENDING:
                self._reserved[pair.currency] += amount
            elif phase != _VOID and not is_counted:
                self._count(pair, amount)
            if pending is not None:
                target, _, line = pending.partition(b"#")
                amount_text, at = b"%d" % amount, b"%d" % index
                reverses = scanned.links.reverses or NOTHING
                fields = (
                    target,
                    RESOLUTION,
                    line,
                    phase or NOTHING,
                    amount_text,
                    pair.debit,
                    pair.credit,
                    pair.currency,
                    scanned.id,
                    at,
                    reverses,
                )
                self._writer.add(target, TAB.join(fields))

    def _link(self, scanned: Scanned, index: int) -> bytes:
        """Note which entries an entry names; return its line."""
        for relation, target in zip((REVERSES, SUPERSEDES, MATCHES), scanned.links, strict=True):
            if target is not None:
                transfers = scanned.transfers if relation is REVERSES else NOTHING
                fields = (target, LINK, relation, scanned.id, b"%d" % index, transfers)
                self._writer.add(target, TAB.join(fields))
        reverses = scanned.links.reverses
        return scanned.transfers if reverses is None else reverses + TAB + scanned.transfers


def _broken_chain(index: int, scanned: Scanned, piece: ChainPiece) -> Exception:
    org = scanned.org.decode()
    if int(scanned.org_seq) != piece.next_seq:
        return broken_rule(
            f"entry {index} is number {int(scanned.org_seq)} of {org}, and number {piece.next_seq} should come next"
        )
    return broken_rule(
        f"entry {index} does not name the hash of the entry of {org} before it (number {piece.next_seq - 1})"
    )
