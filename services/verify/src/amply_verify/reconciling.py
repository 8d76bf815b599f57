"""Database and log: does each row of an entry spell the leaf that the log has in its place?

One snapshot, read only, row by row. The leaves in the database are hashed into a tree of their own, which must be the
signed one; each entry's rows are spelled again and must give its leaf. What is newer than the checkpoint only has to
agree with itself.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from amply_verify.auditing.levels import UpperLevels
from amply_verify.auditing.run import Progress
from amply_verify.keys import Trust
from amply_verify.log_source import LogSource, open_log
from amply_verify.outcome import CheckFailure, Exit
from ledger_format.checkpoints import Checkpoint, SignedCheckpoint
from ledger_format.entries import Entry, Transfer, encode, to_minute
from ledger_format.errors import FormatError
from ledger_format.merkle import leaf_hash, root_of
from ledger_format.tiles import TILE_WIDTH, Tile

if TYPE_CHECKING:
    import psycopg

ROWS_AT_ONCE: Final = 2_048
_ADVICE: Final = "stop the publisher, keep both, and follow the runbook ledger-fork"

_LINKS: Final = ("reverses", "supersedes", "matches", "reason")
_LEAVES: Final = """
    SELECT
        leaf.idx, leaf.entry_id, leaf.org, leaf.org_seq, leaf.org_prev, leaf.bytes,
        entry.kind, entry.organization_id, entry.event_at, entry.reference, entry.commitments,
        (
            SELECT jsonb_agg(jsonb_build_array(
                transfer.debit, transfer.credit, transfer.currency, transfer.amount_minor::text, transfer.phase,
                transfer.pending_entry_id || '#' || transfer.pending_line
            ) ORDER BY transfer.line)
            FROM transfer WHERE transfer.entry_id = leaf.entry_id
        ),
        entry.reverses, entry.supersedes, entry.matches, entry.reason
    FROM leaf
    LEFT JOIN entry ON entry.id = leaf.entry_id
    ORDER BY leaf.idx
"""

# A pending transfer reserves; the step that resolves it releases all of that, whatever it posts.
_BALANCES: Final = """
    WITH side AS (
        SELECT
            side.account, transfer.currency, side.is_debit,
            CASE WHEN transfer.phase IS NULL OR transfer.phase = 'post' THEN transfer.amount_minor ELSE 0 END AS posted,
            CASE transfer.phase
                WHEN 'pending' THEN transfer.amount_minor ELSE coalesce(-reserved.amount_minor, 0)
            END AS pending
        FROM leaf
        JOIN transfer USING (entry_id)
        LEFT JOIN transfer reserved
            ON (reserved.entry_id, reserved.line) = (transfer.pending_entry_id, transfer.pending_line)
        CROSS JOIN LATERAL (VALUES (transfer.debit, true), (transfer.credit, false)) AS side (account, is_debit)
    ), summed AS (
        SELECT
            account, currency,
            coalesce(sum(posted) FILTER (WHERE is_debit), 0) AS debits_posted,
            coalesce(sum(posted) FILTER (WHERE NOT is_debit), 0) AS credits_posted,
            coalesce(sum(pending) FILTER (WHERE is_debit), 0) AS debits_pending,
            coalesce(sum(pending) FILTER (WHERE NOT is_debit), 0) AS credits_pending
        FROM side
        GROUP BY account, currency
    )
    SELECT
        account, currency,
        kept.debits_posted, kept.credits_posted, kept.debits_pending, kept.credits_pending,
        summed.debits_posted, summed.credits_posted, summed.debits_pending, summed.credits_pending
    FROM summed FULL JOIN balance AS kept USING (account, currency)
    WHERE (summed.debits_posted, summed.credits_posted, summed.debits_pending, summed.credits_pending)
        IS DISTINCT FROM (kept.debits_posted, kept.credits_posted, kept.debits_pending, kept.credits_pending)
    ORDER BY account, currency
    LIMIT 1
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Reconciled:
    """How much agreed: entries under the checkpoint, entries with a place above it, entries without one, balances."""

    signed: SignedCheckpoint
    published: int
    unpublished: int
    waiting: int
    balances: int


def reconcile_log(place: str, dsn: str, trusted: Trust, progress: Progress) -> Reconciled:
    """Hold a database against a log.

    Raises:
        CheckFailure: DIFFERENT where they disagree, UNREACHABLE when the database cannot be read, and as for any log.
        FormatError: The checkpoint is malformed or not signed.
    """
    with open_log(place) as log:
        signed = log.checkpoint(trusted)
        with _snapshot(dsn) as connection:
            total = _count(connection, "SELECT count(*) FROM leaf")
            progress.begin("entries", total)
            published, unpublished = _compare_leaves(connection, log, signed.checkpoint, progress)
            waiting = _count(connection, _WAITING)
            return Reconciled(signed, published, unpublished, waiting, _compare_balances(connection))


_WAITING: Final = (
    "SELECT count(*) FROM entry WHERE NOT EXISTS (SELECT FROM leaf WHERE leaf.entry_id = entry.id)"
)


@contextmanager
def _snapshot(dsn: str) -> "Iterator[psycopg.Connection[tuple[Any, ...]]]":
    try:
        import psycopg  # noqa: PLC0415 -- only operators install it
    except ImportError as error:
        raise CheckFailure(
            Exit.UNREADABLE,
            "the database driver is not installed",
            "install amply-verify[operator]",
        ) from error
    try:
        with psycopg.connect(dsn) as connection:
            connection.read_only = True
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            yield connection
    except psycopg.Error as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise CheckFailure(
            Exit.UNREACHABLE,
            f"the database could not be read ({reason})",
            "check the connection string, and that its role may read the ledger's tables",
        ) from error


def _compare_leaves(
    connection: "psycopg.Connection[tuple[Any, ...]]",
    log: LogSource,
    checkpoint: Checkpoint,
    progress: Progress,
) -> tuple[int, int]:
    tree = _Tree(log, checkpoint)
    above = 0
    for row in _rows(connection):
        _compare_row(row, checkpoint.origin, tree.next_index + above)
        if tree.next_index < checkpoint.size:
            tree.add(row.raw)
        else:
            above += 1
        progress.advance(1)
    tree.finish()
    return tree.next_index, above


@dataclasses.dataclass(frozen=True, slots=True)
class _Row:
    """A leaf's row, and the entry's that it was made of (None when that is missing)."""

    idx: int
    entry_id: str
    org: str
    org_seq: int
    org_prev: bytes | None
    raw: bytes
    entry: "_EntryRow | None"


@dataclasses.dataclass(frozen=True, slots=True)
class _EntryRow:
    kind: str
    organization_id: str
    event_at: datetime
    reference: str | None
    commitments: dict[str, str]
    links: dict[str, str | None]
    lines: list[list[Any]]


def _rows(connection: "psycopg.Connection[tuple[Any, ...]]") -> Iterator[_Row]:
    with connection.cursor(name="leaves") as cursor:
        cursor.itersize = ROWS_AT_ONCE
        cursor.execute(_LEAVES)
        for idx, entry_id, org, org_seq, org_prev, raw, kind, *columns in cursor:
            entry = None
            if kind is not None:
                owner, at, reference, commitments, lines, *links = columns
                names = dict(zip(_LINKS, links, strict=True))
                entry = _EntryRow(kind, owner, at, reference, commitments, names, lines or [])
            prev = None if org_prev is None else bytes(org_prev)
            yield _Row(idx, entry_id, org, org_seq, prev, bytes(raw), entry)


def _compare_row(row: _Row, origin: str, expected_index: int) -> None:
    if row.idx != expected_index:
        raise _different(f"the database has no leaf {expected_index}; the next one is {row.idx}")
    if row.entry is None:
        raise _different(f"leaf {row.idx} was made of {row.entry_id}, and the database has no such entry")
    try:
        spelled = encode(_entry(row, row.entry, origin))
    except FormatError as error:
        raise _different(f"the rows of {row.entry_id} (leaf {row.idx}) are no entry: {error}") from error
    if spelled != row.raw:
        raise _different(
            f"the rows of {row.entry_id} do not give the bytes of leaf {row.idx}, from byte {_fork_of(spelled, row.raw)} on"
        )


def _entry(row: _Row, entry: _EntryRow, origin: str) -> Entry:
    return Entry(
        log=origin,
        id=row.entry_id,
        kind=entry.kind,
        ts=to_minute(entry.event_at),
        org=entry.organization_id,
        org_seq=row.org_seq,
        org_prev=row.org_prev,
        transfers=tuple(
            Transfer(debit, credit, currency, int(amount), phase, pending)
            for debit, credit, currency, amount, phase, pending in entry.lines
        ),
        ref=entry.reference,
        commitments={field: bytes.fromhex(value) for field, value in entry.commitments.items()},
        **entry.links,
    )


class _Tree:
    """The tree over the database's leaves, held against the log's tiles and root."""

    def __init__(self, log: LogSource, checkpoint: Checkpoint) -> None:
        self.next_index = 0
        self._log = log
        self._size = checkpoint.size
        self._levels = UpperLevels(log, checkpoint)
        self._hashes: list[bytes] = []

    def add(self, raw: bytes) -> None:
        self._hashes.append(leaf_hash(raw))
        self.next_index += 1
        if len(self._hashes) == TILE_WIDTH:
            self._compare()
            self._levels.push([root_of(self._hashes)])
            self._hashes = []

    def finish(self) -> None:
        if self.next_index < self._size:
            raise _different(f"the log has {self._size} entries, and the database only {self.next_index}")
        if self._hashes:
            self._compare()
        self._levels.finish(b"".join(self._hashes))

    def _compare(self) -> None:
        first = self.next_index - len(self._hashes)
        tile = self._log.tile(Tile(0, first // TILE_WIDTH, len(self._hashes)))
        for offset, hashed in enumerate(self._hashes):
            if tile[32 * offset : 32 * offset + 32] != hashed:
                raise _different(f"leaf {first + offset} is another one in the database than in the log")


def _compare_balances(connection: "psycopg.Connection[tuple[Any, ...]]") -> int:
    found = connection.execute(_BALANCES).fetchone()
    if found is not None:
        account, currency, *sums = found
        raise _different(
            f"the balance of {account} in {currency} says {_sums(sums[:4])}, and its transfers say {_sums(sums[4:])}"
        )
    return _count(connection, "SELECT count(*) FROM balance")


def _sums(columns: Sequence[Decimal | None]) -> str:
    if columns[0] is None:
        return "nothing"
    debits, credited, debits_pending, credits_pending = columns
    return (
        f"{debits} debited and {credited} credited, and {debits_pending} and {credits_pending} reserved to be"
    )


def _count(connection: "psycopg.Connection[tuple[Any, ...]]", query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0


def _fork_of(one: bytes, other: bytes) -> int:
    """The first byte at which two texts differ."""
    pairs = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _different(reason: str) -> CheckFailure:
    return CheckFailure(Exit.DIFFERENT, reason, _ADVICE)
