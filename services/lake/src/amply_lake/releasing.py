"""Releasing: files become a batch, batches become a release, and a release is there as a whole or not at all.

The order of steps is what makes a repetition harmless. A batch is decided by its record, after its file is kept. A release
is decided by its record, which holds its certificate, after its files are written; its folder gets its name last. Whoever
is killed in between is followed by a run that finds what was decided, makes the same files again, and goes on.
"""

import fcntl
import hashlib
import hmac
import re
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

import duckdb
import pyarrow as pa

from amply_lake.cutting import CELL, Cut, Cutter, TooFew
from amply_lake.engine import engine, write_csv, write_parquet
from amply_lake.errors import LakeError, LedgerConflict, LedgerError, SourceError
from amply_lake.history import Batch, History, Released
from amply_lake.limits import Limits
from amply_lake.measuring import Measured, measure
from amply_lake.policy import Policy
from amply_lake.ports import Keys, ReleaseLedger, Signer
from amply_lake.sources import Source, identify, open_source
from amply_lake.statements import (
    CLASS,
    MEMBER,
    MEMBER_CHARACTERS,
    ROW,
    duckdb_preamble,
    name,
    pseudonym,
    text,
)
from ledger_format.certificates import Certificate, Part, open_certificate, sign_certificate
from ledger_format.notes import VerifierKey

CERTIFICATE: Final = "certificate"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")  # as certificates have them
METRIC: Final = "KAnonViolations"
Form = Literal["parquet", "csv"]


@dataclass(frozen=True, slots=True)
class Release:
    """A release that is there: its folder, with a file a part and the certificate, and what the certificate says."""

    folder: Path
    certificate: Certificate
    is_new: bool


@dataclass(frozen=True, slots=True)
class Violation:
    """Nothing was released, since the policy forbids it: why, in a sentence, and what the metric `KAnonViolations` counts.

    `violations` is how many rows would have had to be left out, or are in classes that are too small; at least 1.
    """

    reason: str
    violations: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be released, to whom, and where to. The policy holds for what is new.

    `withdrawn` are all people of the dataset who do not consent any more, as the sources name them; `into` is the folder
    that releases are made in.
    """

    dataset: str
    buyer: str
    policy: Policy
    into: Path
    form: Form = "parquet"
    withdrawn: Collection[str] = ()

    def __post_init__(self) -> None:
        for what in (self.dataset, self.buyer):
            if _NAME.fullmatch(what) is None:
                raise LakeError(f"{what!r} names no dataset and no buyer; use letters, digits and '._-'")

    @property
    def home(self) -> Path:
        """Where this buyer's releases of this dataset are."""
        return self.into / self.dataset / self.buyer


def release(
    sources: Sequence[Path],
    order: Order,
    *,
    keys: Keys,
    ledger: ReleaseLedger,
    signer: Signer,
    clock: Callable[[], datetime],
    limits: Limits,
) -> Release | Violation:
    """Release a dataset to a buyer: what was released before, and what is in those files that was not.

    Files that were released already are left as they are; without any, what there is is released. A violation changes
    nothing, so that the same files may come again with others. The same order again is the same release.

    Raises:
        SourceError: A file is not what the policy says.
        LedgerConflict: Somebody else released meanwhile; ask again.
        LedgerError: The ledger is damaged.
    """
    with _alone(order.home) as work:
        history = History.read(ledger, order.dataset)
        found = identify(sources, limits) if sources else []
        new = [source for source in found if source.sha256 not in history.sources]
        if new and (violation := _add_batch(new, order, keys, history, work, limits)):
            return violation
        if not history.batches:
            raise SourceError(
                f"nothing of {order.dataset} was ever released and no file was given; give files"
            )
        _withhold(order, keys, history, limits)
        return _release(order, keys, history, signer, clock(), work, limits)


@contextmanager
def _alone(home: Path) -> Iterator[Path]:
    """A folder to work in, empty, and for nobody else: the lock ends with whoever holds it, however they end.

    Raises:
        LedgerConflict: Somebody else works in it.
    """
    home.mkdir(parents=True, exist_ok=True)
    with (home / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LedgerConflict(
                f"somebody else is releasing into {home}; try again when they are done"
            ) from error
        work = home / ".work"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _members_key(keys: Keys, dataset: str) -> bytes:
    return keys.key(f"members/{dataset}")


def _add_batch(
    new: Sequence[Source], order: Order, keys: Keys, history: History, work: Path, limits: Limits
) -> Violation | None:
    key, policy, path = _members_key(keys, order.dataset), order.policy, work / "batch.parquet"
    with engine(limits) as db:
        open_source(db, new, policy, limits)
        _only_eligible(db, order, key, history)
        cut = Cutter(db, policy, limits).cut(key, path)
    if isinstance(cut, TooFew):
        return Violation(f"nothing of {order.dataset} was released: {cut.reason}", max(cut.suppressed, 1))
    digest = _sha256(path)
    kept = f"batch-{digest}.parquet"
    history.ledger.keep(kept, path)
    history.append(
        "batch",
        number=len(history.batches) + 1,
        file=kept,
        quasi=list(policy.quasi),
        released=list(policy.released),
        has_row_keys=policy.row_key is not None,
        certified=_certified(cut, policy, new),
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
        "sources": [source.sha256 for source in sources],
        **({"person": person.publish_as} if person.publish_as else {}),
    }


def _only_eligible(db: duckdb.DuckDBPyConnection, order: Order, key: bytes, history: History) -> None:
    """Make the view `eligible`: the source without whoever has withdrawn, and without rows that were released before."""
    person, _ = order.policy.person
    row_key = order.policy.row_key
    conditions = []
    if order.withdrawn:
        _give_texts(db, "withdrawn", order.withdrawn)
        conditions.append(
            f"NOT EXISTS (SELECT 1 FROM withdrawn w WHERE w.value = CAST(s.{name(person)} AS VARCHAR))"
        )
    relation = "source"
    if row_key:
        relation = _without_repetitions(db, row_key)
        earlier = [history.ledger.fetch(batch.file) for batch in history.batches if batch.has_row_keys]
        if earlier:
            for statement in duckdb_preamble(key):
                db.execute(statement)
            files = ", ".join(text(str(path)) for path in earlier)
            db.execute(
                f"CREATE TEMP TABLE earlier AS SELECT {name(ROW)} AS value FROM read_parquet([{files}])"
            )
            digest = f"substr(keyed(CAST(s.{name(row_key)} AS VARCHAR)), 1, {MEMBER_CHARACTERS})"
            conditions.append(f"NOT EXISTS (SELECT 1 FROM earlier e WHERE e.value = {digest})")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    db.execute(f"CREATE TEMP VIEW eligible AS SELECT s.* FROM {relation} s{where}")


def _without_repetitions(db: duckdb.DuckDBPyConnection, row_key: str) -> str:
    """The source, each row once: whoever delivers at least once delivers some twice.

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


def _give_texts(db: duckdb.DuckDBPyConnection, table: str, values: Collection[str]) -> None:
    db.register("given", pa.table({"value": pa.array(sorted(set(values)), type=pa.string())}))
    db.execute(f"CREATE TEMP TABLE {table} AS SELECT * FROM given")
    db.unregister("given")


def _withhold(order: Order, keys: Keys, history: History, limits: Limits) -> None:
    """Release no more the cells of whoever has withdrawn, to nobody."""
    if not order.withdrawn:
        return
    key = _members_key(keys, order.dataset)
    members = [_keyed(key, person)[:MEMBER_CHARACTERS] for person in order.withdrawn]
    found: dict[str, list[int]] = {}
    with engine(limits) as db:
        _give_texts(db, "members", members)
        for batch in history.batches:
            cells = db.execute(
                f"SELECT DISTINCT {name(CELL)} FROM read_parquet({text(str(history.ledger.fetch(batch.file)))}) "
                f"WHERE {name(MEMBER)} IN (SELECT value FROM members) ORDER BY 1"
            ).fetchall()
            more = sorted({int(row[0]) for row in cells} - history.withheld.get(batch.number, set()))
            if more:
                found[str(batch.number)] = more
    if found:
        history.append("withheld", cells=found)


def _keyed(key: bytes, value: str) -> str:
    return hmac.new(key, value.encode(), hashlib.sha256).hexdigest()


def _release(
    order: Order, keys: Keys, history: History, signer: Signer, now: datetime, work: Path, limits: Limits
) -> Release | Violation:
    earlier = history.releases_to(order.buyer)
    last = earlier[-1] if earlier else None
    if last and last.state == history.state() and last.form == order.form:
        return _finished(order, keys, history, last, signer, work, limits)
    parts = _write_parts(order, keys, history, work, limits)
    if isinstance(parts, Violation):
        return parts
    certificate = Certificate(
        dataset=order.dataset,
        buyer=order.buyer,
        release=len(earlier) + 1,
        issued_at=now.replace(microsecond=0),
        previous=hashlib.sha256(last.certificate.encode()).hexdigest() if last else None,
        parts=tuple(parts),
    )
    note = sign_certificate(certificate, signer.name, signer.public_key, signer.sign)
    folder = f"{certificate.release:06}"
    history.append(
        "release",
        buyer=order.buyer,
        number=certificate.release,
        state=history.state(),
        form=order.form,
        folder=folder,
        certificate=note,
    )
    return _named(order, work, folder, note, certificate, is_new=True)


def _finished(
    order: Order, keys: Keys, history: History, last: Released, signer: Signer, work: Path, limits: Limits
) -> Release | Violation:
    """A release that was decided already: as it stands, or made again as it was decided."""
    verifier = VerifierKey(signer.name, signer.public_key)
    certificate = open_certificate(last.certificate.encode(), [verifier]).certificate
    folder = order.home / last.folder
    if (folder / CERTIFICATE).exists():
        return Release(folder, certificate, is_new=False)
    parts = _write_parts(order, keys, history, work, limits)
    if isinstance(parts, Violation):
        return parts
    if tuple(part.sha256 for part in parts) != tuple(part.sha256 for part in certificate.parts):
        raise LedgerError(
            f"the files of release {last.folder} come out otherwise than they were certified; use the version of DuckDB that made them"
        )
    return _named(order, work, last.folder, last.certificate, certificate, is_new=False)


def _named(
    order: Order, work: Path, folder: str, note: str, certificate: Certificate, *, is_new: bool
) -> Release:
    """Give the folder its name, with everything in it: from here on it is there."""
    made = work / "release"
    (made / CERTIFICATE).write_text(note, encoding="utf-8")
    place = order.home / folder
    if (place / CERTIFICATE).exists():
        raise LedgerError(
            f"{place} is there, and the ledger does not know of it; find out whose it is, and move it away"
        )
    shutil.rmtree(place, ignore_errors=True)  # without a certificate it is no release
    made.rename(place)
    return Release(place, certificate, is_new)


def _write_parts(
    order: Order, keys: Keys, history: History, work: Path, limits: Limits
) -> list[Part] | Violation:
    (work / "release").mkdir()
    parts = []
    with engine(limits) as db:
        for batch in history.batches:
            part = _write_part(db, order, keys, history, batch, work / "release")
            if isinstance(part, Violation):
                return part
            if part is not None:
                parts.append(part)
    if not parts:
        return Violation(
            f"nothing of {order.dataset} is left to release, since people in every cell have withdrawn", 1
        )
    return parts


def _write_part(
    db: duckdb.DuckDBPyConnection, order: Order, keys: Keys, history: History, batch: Batch, folder: Path
) -> Part | Violation | None:
    """Write a batch's file for a buyer, measure what was written, and refuse what is less than was demanded."""
    certified = batch.certified
    withheld = sorted(history.withheld.get(batch.number, ()))
    path = folder / f"part-{batch.number:06}.{order.form}"
    # A key a buyer and a batch, and the class beside the member: pseudonyms lead nowhere else.
    key = bytes.fromhex(_keyed(keys.key(f"buyer/{order.buyer}"), f"{order.dataset}/{batch.number}"))
    shown = pseudonym(key, name(MEMBER), f"lpad(CAST({name(CLASS)} AS VARCHAR), 12, '0')")
    source = f"read_parquet({text(str(history.ledger.fetch(batch.file)))})"
    where = f" WHERE {name(CELL)} NOT IN ({', '.join(map(str, withheld))})" if withheld else ""
    person = certified.get("person")
    columns = [
        f"{shown} AS {name(column)}" if column == person else name(column) for column in batch.released
    ]
    write = write_parquet if order.form == "parquet" else write_csv
    rows = write(db, f"SELECT {', '.join(columns)} FROM {source}{where}", path)
    if rows == 0:
        path.unlink()
        return None
    measured, people = _measured(db, batch, path, f"(FROM {source}{where})")
    too_little = _too_little(measured, certified["demanded_k"], certified["demanded_l"])
    if too_little:
        return Violation(f"{path.name} has classes of {too_little}, and was not released", 1)
    return Part(
        batch=batch.number,
        file=path.name,
        sha256=_sha256(path),
        size=path.stat().st_size,
        rows=rows,
        people=people,
        classes=measured.classes,
        k=measured.k,
        l=measured.l,
        t=None if measured.t is None else f"{measured.t:.9f}",
        withheld=len(withheld),
        **{
            **certified,
            "sensitive": tuple(certified["sensitive"]),
            "sources": tuple(certified["sources"]),
            "person": person,
        },
    )


def _measured(db: duckdb.DuckDBPyConnection, batch: Batch, path: Path, kept: str) -> tuple[Measured, int]:
    """Measure a written file, by its own pseudonyms where it has any; and count its people by the batch's."""
    reader = "read_parquet" if path.suffix == ".parquet" else "read_csv"
    how = "" if path.suffix == ".parquet" else ", all_varchar = true, header = true, delim = ','"
    person = batch.certified.get("person")
    measured = measure(
        db,
        f"{reader}({text(str(path))}{how})" if person else kept,
        person=person or MEMBER,
        quasi=batch.quasi,
        sensitive=batch.certified["sensitive"],
    )
    (people,) = db.execute(f"SELECT count(DISTINCT {name(MEMBER)}) FROM {kept}").fetchall()[0]
    return measured, int(people)


def _too_little(measured: Measured, k: int, l: int) -> str | None:  # noqa: E741 -- the field's own name
    if measured.k < k:
        return f"{measured.k} people, fewer than {k}"
    if measured.l is not None and measured.l < l:
        return f"{measured.l} values, fewer than {l}"
    return None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
