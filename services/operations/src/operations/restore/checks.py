"""Checks of a restored database: a known schema revision, and a consistent ledger.

The database's own constraints refused all of this when it was written; a rehearsal asks again, since what is
checked here is whether the copy is what was written.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import psycopg

from ledger_format.merkle import leaf_hash, node_hash
from operations.restore.outcome import Finding, Verdict

_COUNTED = {
    "entries": (
        "entries without transfers",
        "SELECT count(*) FROM entry WHERE NOT EXISTS (SELECT FROM transfer WHERE entry_id = entry.id)",
    ),
    "transfers": (
        "transfers without an entry",
        "SELECT count(*) FROM transfer WHERE NOT EXISTS (SELECT FROM entry WHERE id = transfer.entry_id)",
    ),
    "indexes": (
        "indexes missing from the log",
        "SELECT coalesce(max(idx) + 1, 0) - count(*) FROM leaf",
    ),
    "chains": (
        "breaks in organisations' chains",
        """
        SELECT count(*) FROM (
            SELECT
                org_seq = row_number() OVER chain - 1
                    AND org_prev IS NOT DISTINCT FROM lag(leaf_hash) OVER chain AS whole
            FROM leaf
            WINDOW chain AS (PARTITION BY org ORDER BY org_seq)
        ) AS links
        WHERE NOT whole
        """,
    ),
    "balances": (
        "balances that differ from the sum of their transfers",
        """
        WITH moved AS (
            SELECT debit AS account, currency, amount_minor AS debits, 0 AS credits
            FROM transfer JOIN leaf USING (entry_id)
            UNION ALL
            SELECT credit, currency, 0, amount_minor FROM transfer JOIN leaf USING (entry_id)
        ), summed AS (
            SELECT account, currency, sum(debits) AS debits, sum(credits) AS credits
            FROM moved GROUP BY account, currency
        )
        SELECT count(*)
        FROM summed FULL JOIN balance USING (account, currency)
        WHERE (debits, credits) IS DISTINCT FROM (debits_posted, credits_posted)
        """,
    ),
}
"""Each counts what must not be there."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """The newest checkpoint that this database knows to be published."""

    size: int
    root: bytes


def check_revision(connection: psycopg.Connection, known: Collection[str], newest: str) -> Finding:
    """The schema's revision is one of this release's migrations; an older one is brought up by migrating."""
    found = [str(row[0]) for row in connection.execute("SELECT version_num FROM alembic_version")]
    if len(found) != 1 or found[0] not in known:
        return _wrong("schema", f"its revision is {found or 'none'}, which this release does not know")
    behind = "" if found[0] == newest else f"; this release's is {newest}, so migrate after a restore"
    return _right("schema", f"revision {found[0]}{behind}")


def check_ledger(connection: psycopg.Connection) -> Iterator[Finding]:
    """Every rule of the books that a query can ask."""
    for check, (what, query) in _COUNTED.items():
        count = _number(connection, query)
        yield _wrong(check, f"{count} {what}") if count else _right(check, f"no {what}")


def read_head(connection: psycopg.Connection) -> Head | None:
    row = connection.execute(
        "SELECT size, root FROM checkpoint WHERE published_at IS NOT NULL ORDER BY size DESC LIMIT 1"
    ).fetchone()
    return Head(size=row[0], root=bytes(row[1])) if row else None


def check_root(connection: psycopg.Connection, head: Head) -> Finding:
    """Build the tree again from the leaves' own bytes, not from the hashes that were stored beside them."""
    root = root_of_leaves(_leaves(connection, head.size))
    if root != head.root:
        return _wrong("root", f"the {head.size} leaves do not give the root of the checkpoint over them")
    return _right("root", f"{head.size} leaves give the root of the newest published checkpoint")


def root_of_leaves(raws: Iterable[bytes]) -> bytes | None:
    """RFC 6962's root over any number of leaves, in memory that grows with their logarithm; None over none."""
    peaks: list[tuple[int, bytes]] = []
    for raw in raws:
        width, hashed = 1, leaf_hash(raw)
        while peaks and peaks[-1][0] == width:
            hashed, width = node_hash(peaks.pop()[1], hashed), width * 2
        peaks.append((width, hashed))
    root = None
    for _, peak in reversed(peaks):
        root = peak if root is None else node_hash(peak, root)
    return root


def _leaves(connection: psycopg.Connection, size: int) -> Iterator[bytes]:
    # A cursor of the server's, in a transaction of its own: the ledger may be larger than this machine's memory.
    with connection.transaction(), connection.cursor(name="leaves") as cursor:
        cursor.execute("SELECT bytes FROM leaf WHERE idx < %s ORDER BY idx", (size,))
        for (raw,) in cursor:
            yield bytes(raw)


def _number(connection: psycopg.Connection, query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0


def _right(check: str, sentence: str) -> Finding:
    return Finding(check=check, verdict=Verdict.RIGHT, sentence=sentence)


def _wrong(check: str, sentence: str) -> Finding:
    return Finding(check=check, verdict=Verdict.WRONG, sentence=sentence)
