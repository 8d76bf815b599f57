"""The files of a release: one for each batch, for one buyer."""

from pathlib import Path

import duckdb
from duckdb.func import PythonUDFType
from duckdb.sqltypes import DuckDBPyType

from amply_lake.batching import keyed, sha256_of
from amply_lake.cutting import CELL
from amply_lake.engine import engine, write_csv, write_parquet
from amply_lake.history import BY_BATCH, Batch, History
from amply_lake.limits import Limits
from amply_lake.measuring import Measured, measure
from amply_lake.orders import Order, Violation
from amply_lake.ports import Keys
from amply_lake.pseudonyms import pseudonyms
from amply_lake.statements import CLASS, MEMBER, name, text
from ledger_format.certificates import Part


def write_parts(
    order: Order, keys: Keys, history: History, work: Path, limits: Limits, *, rows_by: str
) -> list[Part] | Violation:
    """Write a file for each batch with released rows, and describe each. `rows_by`: as in `history`."""
    (work / "release").mkdir()
    parts = []
    with engine(limits) as db:
        for batch in history.batches:
            part = _write_part(db, order, keys, history, batch, work / "release", rows_by=rows_by)
            if isinstance(part, Violation):
                return part
            if part is not None:
                parts.append(part)
    if not parts:
        return Violation(
            f"nothing of {order.dataset} is left to release, since people in every cell have withdrawn",
            1,
            is_empty=True,
        )
    return parts


def _write_part(
    db: duckdb.DuckDBPyConnection,
    order: Order,
    keys: Keys,
    history: History,
    batch: Batch,
    folder: Path,
    *,
    rows_by: str,
) -> Part | Violation | None:
    """Write a batch's file for a buyer, measure what was written, and refuse what is less than was demanded."""
    certified = batch.certified
    withheld = sorted(history.withheld.get(batch.number, ()))
    path = folder / f"part-{batch.number:06}.{order.form}"
    # A key a buyer and a batch, and the class beside the member: pseudonyms lead nowhere else.
    key = bytes.fromhex(keyed(keys.key(f"buyer/{order.buyer}"), f"{order.dataset}/{batch.number}"))
    shown = f"pseudonym_{batch.number}"
    db.create_function(
        shown,
        pseudonyms(key),
        [DuckDBPyType("UBIGINT"), DuckDBPyType("UBIGINT")],
        DuckDBPyType("VARCHAR"),
        type=PythonUDFType.ARROW,
    )
    source = f"read_parquet({text(str(history.ledger.fetch(batch.file)))})"
    where = f" WHERE {name(CELL)} NOT IN ({', '.join(map(str, withheld))})" if withheld else ""
    write = write_parquet if order.form == "parquet" else write_csv
    rows = write(db, _rows(batch, shown, f"{source}{where}", rows_by=rows_by), path)
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
        sha256=sha256_of(path),
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
            "person": certified.get("person"),
        },
    )


def _rows(batch: Batch, shown: str, kept: str, *, rows_by: str) -> str:
    """The SQL of a part's rows; `shown` is the function that makes pseudonyms.

    In the order of the batch, all buyers' files would have a person in one place, and two buyers find each other's pseudonyms
    by it. So they stand by pseudonym in each class: a buyer's own order, the same each time, which tells nothing that the rows
    themselves do not. So do a person's rows among themselves.
    """
    person = batch.certified.get("person")
    pseudonym = f"{shown}({name(MEMBER)}, CAST({name(CLASS)} AS UBIGINT))"
    columns = [f"{pseudonym} AS {name(each)}" if each == person else name(each) for each in batch.released]
    if person is None or rows_by == BY_BATCH:
        return f"SELECT {', '.join(columns)} FROM {kept}"
    said = ", ".join(map(name, batch.released))
    return (
        f"SELECT {said} FROM (SELECT {', '.join(columns)}, {name(CLASS)} FROM {kept}) "
        f"ORDER BY {name(CLASS)}, {name(person)}, hash({said})"
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
