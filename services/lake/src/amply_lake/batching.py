"""Selects the rows of a batch: new files, new rows, and people who consent."""

import hashlib
import hmac
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from amply_lake.cutting import CELL, Cut, Cutter, TooFew
from amply_lake.engine import engine
from amply_lake.errors import SourceError
from amply_lake.fitting import check_fits
from amply_lake.history import FORMAT, History
from amply_lake.limits import Limits
from amply_lake.orders import Order, Violation
from amply_lake.policy import Policy
from amply_lake.ports import Keys
from amply_lake.sources import Source, open_source
from amply_lake.statements import MEMBER, NUMBER_CHARACTERS, ROW, duckdb_preamble, keyed_text, name, text
from ledger_format.certificates import sources_digest


def members_key(keys: Keys, dataset: str) -> bytes:
    """The HMAC key for a dataset's people."""
    return keys.key(f"members/{dataset}")


def add_batch(
    new: Sequence[Source], order: Order, keys: Keys, history: History, work: Path, limits: Limits
) -> Violation | None:
    """Build a batch from new files and record it; a violation changes nothing.

    Raises:
        SourceError: A file is not what the policy says, or no certificate could tell of the batch; nothing changed.
    """
    key, policy, path = members_key(keys, order.dataset), order.policy, work / "batch.parquet"
    order_key = bytes.fromhex(keyed(key, f"order/{len(history.batches) + 1}"))
    with engine(limits) as db:
        open_source(db, new, policy, limits)
        _only_eligible(db, order, key, history)
        cut = Cutter(db, policy, limits).cut(key, order_key, path)
    if isinstance(cut, TooFew):
        return Violation(
            f"nothing of {order.dataset} was released: {cut.reason}",
            max(cut.suppressed, 1),
            is_empty=cut.rows_in == 0,
        )
    certified = _certified(cut, policy, new)
    check_fits(order.dataset, [*(batch.certified for batch in history.batches), certified])
    digest = sha256_of(path)
    kept = f"batch-{digest}.parquet"
    history.ledger.keep(kept, path)
    history.append(
        "batch",
        format=FORMAT,
        number=len(history.batches) + 1,
        file=kept,
        quasi=list(policy.quasi),
        released=list(policy.released),
        has_row_keys=policy.row_key is not None,
        sources=[source.sha256 for source in new],
        certified=certified,
    )
    return None


def _certified(cut: Cut, policy: Policy, sources: Sequence[Source]) -> dict[str, object]:
    """What each certificate of the batch's part repeats."""
    _, person = policy.person
    return {
        "loss": f"{cut.loss:.9f}",
        "rows_in": cut.rows_in,
        "suppressed": cut.rows_in - cut.rows,
        "policy": policy.id,
        "policy_sha256": policy.sha256,
        "demanded_k": policy.k,
        "demanded_l": policy.l if policy.sensitive else 1,
        "suppression_limit": f"{policy.suppression_limit.normalize():f}",
        "levels": dict(cut.levels),
        "sensitive": list(policy.sensitive),
        "sources": len(sources),
        "sources_sha256": sources_digest([source.sha256 for source in sources]),
        **({"person": person.publish_as} if person.publish_as else {}),
    }


def _only_eligible(db: duckdb.DuckDBPyConnection, order: Order, key: bytes, history: History) -> None:
    """Make the view `eligible`: the source without whoever is left out, and without rows that were released before."""
    person, _ = order.policy.person
    row_key = order.policy.row_key
    conditions = []
    if order.left_out:
        _give(db, "left_out", pa.array(sorted(order.left_out), type=pa.string()))
        conditions.append(
            f"NOT EXISTS (SELECT 1 FROM left_out w WHERE w.value = CAST(s.{name(person)} AS VARCHAR))"
        )
    relation = "source"
    if row_key:
        relation = without_repetitions(db, row_key)
        earlier = [history.ledger.fetch(batch.file) for batch in history.batches if batch.has_row_keys]
        if earlier:
            for statement in duckdb_preamble(key):
                db.execute(statement)
            files = ", ".join(text(str(path)) for path in earlier)
            db.execute(
                f"CREATE TEMP TABLE earlier AS SELECT {name(ROW)} AS value FROM read_parquet([{files}])"
            )
            digest = keyed_text(f"CAST(s.{name(row_key)} AS VARCHAR)")
            conditions.append(f"NOT EXISTS (SELECT 1 FROM earlier e WHERE e.value = {digest})")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    db.execute(f"CREATE TEMP VIEW eligible AS SELECT s.* FROM {relation} s{where}")


def without_repetitions(db: duckdb.DuckDBPyConnection, row_key: str) -> str:
    """The source with duplicate rows removed (at-least-once delivery).

    Raises:
        SourceError: Two rows that differ have one key.
    """
    repeated = f"SELECT count(*) - count(DISTINCT {name(row_key)}) FROM "
    if not db.execute(f"{repeated} source").fetchall()[0][0]:
        return "source"
    db.execute("CREATE TEMP TABLE once AS SELECT DISTINCT * FROM source")
    if db.execute(f"{repeated} once").fetchall()[0][0]:
        raise SourceError(
            f"two rows that differ have one {row_key}, or one has none; correct them and give the file again"
        )
    return "once"


def _give(db: duckdb.DuckDBPyConnection, table: str, values: pa.Array) -> None:
    db.register("given", pa.table({"value": values}))
    db.execute(f"CREATE TEMP TABLE {table} AS SELECT * FROM given")
    db.unregister("given")


def withhold(order: Order, keys: Keys, history: History, limits: Limits) -> None:
    """Withhold the cells of people who withdrew from all future releases. An unreadable batch delays no other.

    Of people of whom nothing is known (`Order.absent`) nothing is withheld: it would be for good, and nobody says that they withdrew.
    """
    if not order.withdrawn:
        return
    key = members_key(keys, order.dataset)
    members = sorted({member_of(key, person) for person in order.withdrawn})
    found: dict[str, list[int]] = {}
    failures: list[Exception] = []
    with engine(limits) as db:
        _give(db, "members", pa.array(members, type=pa.uint64()))
        for batch in history.batches:
            try:
                cells = _cells_of_members(db, history.ledger.fetch(batch.file))
            except Exception as error:  # noqa: BLE001 -- raised once what the others hold is withheld
                failures.append(error)
                continue
            more = sorted(cells - history.withheld.get(batch.number, set()))
            if more:
                found[str(batch.number)] = more
    if found:
        history.append("withheld", cells=found)
    if failures:
        raise failures[0]


def _cells_of_members(db: duckdb.DuckDBPyConnection, batch: Path) -> set[int]:
    rows = db.execute(
        f"SELECT DISTINCT {name(CELL)} FROM read_parquet({text(str(batch))}) "
        f"WHERE {name(MEMBER)} IN (SELECT value FROM members)"
    ).fetchall()
    return {int(row[0]) for row in rows}


def member_of(key: bytes, person: str) -> int:
    """A person's number in batches: the first 64 bits of their HMAC under `members_key`."""
    return int(keyed(key, person)[:NUMBER_CHARACTERS], 16)


def keyed(key: bytes, value: str) -> str:
    """HMAC-SHA-256 in hexadecimal."""
    return hmac.new(key, value.encode(), hashlib.sha256).hexdigest()


def sha256_of(path: Path) -> str:
    """A file's hash."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
