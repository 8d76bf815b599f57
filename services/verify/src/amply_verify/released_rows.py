"""What a released file is, counted row by row: CSV by the standard library, Parquet where pyarrow is installed."""

import csv
import importlib.util
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from amply_verify.outcome import CheckFailure, Exit
from ledger_format.certificates import Part

_UNKNOWN: Final = "?"
_MAX_CELL: Final = 65_536
_SAME: Final = 1e-6  # t is written with nine digits


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted: people by their pseudonyms, `l` and `t` where something is sensitive."""

    rows: int
    classes: int
    k: int
    l: int | None  # noqa: E741 -- the field's own name
    t: float | None


def can_count(part: Part) -> str | None:
    """Why a part's people cannot be counted here; None where they can."""
    if part.person is None:
        return f"{part.file} has no pseudonyms, so that its people cannot be counted"
    if part.file.endswith(".parquet") and importlib.util.find_spec("pyarrow") is None:
        return f"{part.file} is Parquet, and pyarrow is not installed: its rows were not read (pip install pyarrow)"
    if not part.file.endswith((".parquet", ".csv")):
        return f"{part.file} is neither CSV nor Parquet: its rows were not read"
    return None


def check_rows(path: Path, part: Part) -> Counted:
    """Count a part's rows, and hold them against the certificate.

    Raises:
        CheckFailure: They cannot be read, or are not what the certificate says.
    """
    counted = _count(path, part)
    said = {"rows": part.rows, "classes": part.classes, "k": part.k, "l": part.l}
    for what, claimed in said.items():
        found = getattr(counted, what)
        if found != claimed:
            raise _contradicts(part, f"{what} is {found}, and the certificate says {claimed}")
    if counted.t is not None and part.t is not None and abs(counted.t - float(part.t)) > _SAME:
        raise _contradicts(part, f"t is {counted.t:.9f}, and the certificate says {part.t}")
    return counted


def _contradicts(part: Part, how: str) -> CheckFailure:
    return CheckFailure(
        Exit.BOOKS,
        f"the rows of {part.file} are not what was certified: {how}",
        "whoever signed this was wrong, so do not rely on it, and tell them",
    )


def _count(path: Path, part: Part) -> Counted:
    people: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
    pairs: list[defaultdict[tuple[tuple[str, ...], str], set[str]]] = [
        defaultdict(set) for _ in part.sensitive
    ]
    rows = 0
    for person, klass, values in _rows(path, part):
        rows += 1
        people[klass].add(person)
        for value, of_column in zip(values, pairs, strict=True):
            of_column[klass, value].add(person)
    counts = [{key: len(found) for key, found in of_column.items()} for of_column in pairs]
    return Counted(
        rows=rows,
        classes=len(people),
        k=min((len(found) for found in people.values()), default=0),
        l=min((_least_values(each, people.keys()) for each in counts), default=None),
        t=max((_farthest(each) for each in counts), default=None),
    )


def _least_values(counts: dict[tuple[tuple[str, ...], str], int], classes: Any) -> int:
    values = Counter(klass for klass, value in counts if value != _UNKNOWN)
    return min((values[klass] for klass in classes), default=0)


def _farthest(counts: dict[tuple[tuple[str, ...], str], int]) -> float:
    """The largest of all classes' distances to the whole: half the sum of the differences of the values' shares."""
    whole, sizes = Counter[str](), Counter[tuple[str, ...]]()
    for (klass, value), count in counts.items():
        whole[value] += count
        sizes[klass] += count
    total = sum(sizes.values())
    apart: defaultdict[tuple[str, ...], float] = defaultdict(lambda: 1.0)  # as far as no value at all
    for (klass, value), count in counts.items():
        of_whole = whole[value] / total
        apart[klass] += abs(count / sizes[klass] - of_whole) - of_whole
    return max((each / 2 for each in apart.values()), default=0.0)


_Row = tuple[str, tuple[str, ...], tuple[str, ...]]


def _rows(path: Path, part: Part) -> Iterator[_Row]:
    """Each row's pseudonym, class and sensitive values."""
    quasi = sorted(part.levels)
    wanted = [part.person or "", *quasi, *part.sensitive]
    rows = (
        _parquet_rows(path, part, wanted) if part.file.endswith(".parquet") else _csv_rows(path, part, wanted)
    )
    for row in rows:
        yield row[0], tuple(row[1 : 1 + len(quasi)]), tuple(row[1 + len(quasi) :])


def _csv_rows(path: Path, part: Part, wanted: Sequence[str]) -> Iterator[Sequence[str]]:
    before = csv.field_size_limit(_MAX_CELL)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.reader(file, strict=True)
            header = next(rows, [])
            if len(set(header)) != len(header) or not set(wanted) <= set(header):
                raise _contradicts(part, "it lacks columns that the certificate names")
            places = [header.index(column) for column in wanted]
            for row in rows:
                if len(row) != len(header):
                    raise _contradicts(part, "a row has more or fewer cells than the first line")
                yield [row[place] for place in places]
    except (UnicodeDecodeError, csv.Error) as error:
        raise _contradicts(part, "it is not CSV in UTF-8") from error
    finally:
        csv.field_size_limit(before)


def _parquet_rows(path: Path, part: Part, wanted: Sequence[str]) -> Iterator[Sequence[str]]:
    import pyarrow as pa  # noqa: PLC0415 -- only who has it can read Parquet
    import pyarrow.parquet as pq  # noqa: PLC0415 -- as said above

    try:
        with pq.ParquetFile(path) as file:
            if not set(wanted) <= set(file.schema_arrow.names):
                raise _contradicts(part, "it lacks columns that the certificate names")
            for batch in file.iter_batches(columns=list(dict.fromkeys(wanted))):
                columns = [batch.column(column).to_pylist() for column in wanted]
                yield from ([str(cell) for cell in row] for row in zip(*columns, strict=True))
    except pa.ArrowException as error:
        raise _contradicts(part, "it is not whole Parquet") from error
