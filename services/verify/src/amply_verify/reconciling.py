"""Database and log: does each row of an entry spell the leaf that the log has in its place?

One snapshot, read only, row by row. The leaves in the database are hashed into a tree of their own, which must be the
signed one; each entry's rows are spelled again and must give its leaf. What is newer than the checkpoint only has to
agree with itself.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from amply_verify.auditing.levels import UpperLevels
from amply_verify.auditing.run import Progress
from amply_verify.keys import Trust
from amply_verify.outcome import CheckFailure, Exit
from amply_verify.places import LogPlace, open_log
from ledger_format.checkpoints import Checkpoint, SignedCheckpoint
from ledger_format.entries import Entry, Transfer, encode, to_minute
from ledger_format.errors import FormatError
from ledger_format.merkle import leaf_hash, root_of
from ledger_format.tiles import TILE_WIDTH, Tile

if TYPE_CHECKING:
    import psycopg

ROWS_AT_ONCE: Final = 2_048
_ADVICE: Final = "stop the publisher, keep both, and follow the runbook ledger-fork"

_LATER_ENTRY_COLUMNS: Final = ("supersedes", "matches", "reason")

_COLUMNS: Final = """
    SELECT table_name || '.' || column_name FROM information_schema.columns
    WHERE table_name IN ('entry', 'transfer', 'balance')
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
            columns = {row[0] for row in connection.execute(_COLUMNS)}
            total = _count(connection, "SELECT count(*) FROM leaf")
            progress.begin("entries", total)
            published, unpublished = _compare_leaves(connection, columns, log, signed.checkpoint, progress)
            waiting = _count(connection, _WAITING)
            return Reconciled(signed, published, unpublished, waiting, _compare_balances(connection, columns))


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
    columns: set[str],
    log: LogPlace,
    checkpoint: Checkpoint,
    progress: Progress,
) -> tuple[int, int]:
    tree = _Tree(log, checkpoint)
    above = 0
    for row in _rows(connection, columns):
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


def _rows(connection: "psycopg.Connection[tuple[Any, ...]]", columns: set[str]) -> Iterator[_Row]:
    later = [name for name in _LATER_ENTRY_COLUMNS if f"entry.{name}" in columns]
    names = ("reverses", *later)
    with connection.cursor(name="leaves") as cursor:
        cursor.itersize = ROWS_AT_ONCE
        cursor.execute(_leaves_query(names, columns).encode())
        for (
            idx,
            entry_id,
            org,
            org_seq,
            org_prev,
            raw,
            kind,
            of,
            at,
            ref,
            commitments,
            lines,
            *links,
        ) in cursor:
            entry = None
            if kind is not None:
                values = dict(zip(names, links, strict=True))
                entry = _EntryRow(kind, of, at, ref, commitments, values, lines or [])
            prev = None if org_prev is None else bytes(org_prev)
            yield _Row(idx, entry_id, org, org_seq, prev, bytes(raw), entry)


def _leaves_query(links: Sequence[str], columns: set[str]) -> str:
    phase, pending = "NULL", "NULL"
    if "transfer.phase" in columns:
        phase, pending = "transfer.phase", "transfer.pending_entry_id || '#' || transfer.pending_line"
    chosen = ", ".join(f"entry.{name}" for name in links)
    return f"""
        SELECT
            leaf.idx, leaf.entry_id, leaf.org, leaf.org_seq, leaf.org_prev, leaf.bytes,
            entry.kind, entry.organization_id, entry.event_at, entry.reference, entry.commitments,
            (
                SELECT jsonb_agg(jsonb_build_array(
                    transfer.debit, transfer.credit, transfer.currency, transfer.amount_minor::text, {phase}, {pending}
                ) ORDER BY transfer.line)
                FROM transfer WHERE transfer.entry_id = leaf.entry_id
            ),
            {chosen}
        FROM leaf
        LEFT JOIN entry ON entry.id = leaf.entry_id
        ORDER BY leaf.idx
    """  # noqa: S608 -- names of columns, from the constants above


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

    def __init__(self, log: LogPlace, checkpoint: Checkpoint) -> None:
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


def _compare_balances(connection: "psycopg.Connection[tuple[Any, ...]]", columns: set[str]) -> int:
    moved = "WHERE transfer.phase IS NULL OR transfer.phase = 'post'" if "transfer.phase" in columns else ""
    found = connection.execute(
        f"""
        WITH side AS (
            SELECT debit AS account, currency, amount_minor AS debited, 0 AS credited
            FROM transfer JOIN leaf USING (entry_id) {moved}
            UNION ALL
            SELECT credit, currency, 0, amount_minor FROM transfer JOIN leaf USING (entry_id) {moved}
        ), summed AS (
            SELECT account, currency, sum(debited) AS debits, sum(credited) AS credits FROM side GROUP BY 1, 2
        )
        SELECT
            coalesce(summed.account, balance.account), coalesce(summed.currency, balance.currency),
            coalesce(summed.debits, 0), coalesce(summed.credits, 0), balance.debits_posted, balance.credits_posted
        FROM summed FULL JOIN balance USING (account, currency)
        WHERE (coalesce(summed.debits, 0), coalesce(summed.credits, 0))
            IS DISTINCT FROM (coalesce(balance.debits_posted, 0), coalesce(balance.credits_posted, 0))
        ORDER BY 1, 2
        LIMIT 1
        """.encode()  # noqa: S608 -- a constant condition
    ).fetchone()
    if found is not None:
        account, currency, debits, credited, kept_debits, kept_credits = found
        raise _different(
            f"the balance of {account} in {currency} says {kept_debits} debited and {kept_credits} credited, "
            f"and its transfers say {debits} and {credited}"
        )
    return _count(connection, "SELECT count(*) FROM balance")


def _count(connection: "psycopg.Connection[tuple[Any, ...]]", query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0


def _fork_of(one: bytes, other: bytes) -> int:
    """The first byte at which two texts differ."""
    pairs = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _different(reason: str) -> CheckFailure:
    return CheckFailure(Exit.DIFFERENT, reason, _ADVICE)
