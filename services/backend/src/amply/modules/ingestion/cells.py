"""Validates the cells of a row against the types and limits of its dataset's columns."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from amply.modules.ingestion.columns import Column, ColumnType
from amply.modules.ingestion.domain import CELL_BYTES_MAX, RowReason

_INTEGER: Final = re.compile(r"-?[0-9]{1,19}")
_NUMBER: Final = re.compile(r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,3})?")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIMESTAMP: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_MICROSECONDS: Final = re.compile(r"(\.[0-9]{6})[0-9]+")
_LEAST, _MOST = -(2**63), 2**63 - 1
_NAMED_CHARACTERS_MAX: Final = 63

Value = str | int | float | bool | date | datetime | None
Row = tuple[Value, ...]


class CellError(Exception):
    """A cell's value does not match its column."""

    def __init__(self, reason: RowReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True)
class RowError:
    """Why a row is refused, and the column at fault if there is one."""

    reason: RowReason
    column: str | None = None


class Checker:
    """Validates rows of one dataset. `are_texts`: cells are strings, as in CSV, and an empty one is null."""

    def __init__(self, columns: Sequence[Column], *, are_texts: bool) -> None:
        self._columns = [(column, _reader(column, are_texts=are_texts)) for column in columns]
        self._names = frozenset(column.name for column in columns)

    def check(self, found: Mapping[str, Any]) -> Row | RowError:
        """The row's values in column order, or its first error."""
        if not found.keys() <= self._names:
            unknown = min(found.keys() - self._names)
            return RowError(RowReason.UNKNOWN_COLUMN, _shown(unknown))
        values: list[Value] = []
        for column, read in self._columns:
            value = found.get(column.name)
            if value is None:
                if column.required:
                    return RowError(RowReason.MISSING, column.name)
                values.append(None)
                continue
            try:
                values.append(read(value))
            except CellError as bad:
                return RowError(bad.reason, column.name)
        return tuple(values)


def _shown(name: str) -> str:
    """A name that a stranger chose, as it can be told of."""
    return name[:_NAMED_CHARACTERS_MAX].encode(errors="replace").decode().replace("\0", "?")


def _reader(column: Column, *, are_texts: bool) -> Callable[[Any], Value]:
    read = (_WRITTEN if are_texts else _TYPED)[column.type]
    within = _limits(column)

    def reading(value: Any) -> Value:
        if isinstance(value, dict | list):
            raise CellError(RowReason.NESTED)
        return within(read(value))

    return reading


def _limits(column: Column) -> Callable[[Value], Value]:
    least, most = column.least, column.most
    one_of = frozenset(column.one_of)

    def within(value: Value) -> Value:
        if one_of and value not in one_of:
            raise CellError(RowReason.NOT_ONE_OF_THEM)
        if isinstance(value, int | float) and (
            (least is not None and value < least) or (most is not None and value > most)
        ):
            raise CellError(RowReason.OUT_OF_RANGE)
        return value

    return within if one_of or least is not None or most is not None else lambda value: value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise CellError(RowReason.WRONG_TYPE)
    if "\0" in value:
        raise CellError(RowReason.NULL_CHARACTER)
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise CellError(RowReason.NOT_UTF8) from None
    if size > CELL_BYTES_MAX:
        raise CellError(RowReason.CELL_TOO_LONG)
    return value


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise CellError(RowReason.WRONG_TYPE)
    if not _LEAST <= value <= _MOST:
        raise CellError(RowReason.OUT_OF_RANGE)
    return value


def _number(value: Any) -> float:
    if type(value) not in (int, float):
        raise CellError(RowReason.WRONG_TYPE)
    try:
        number = float(value)
    except OverflowError:
        raise CellError(RowReason.NOT_A_NUMBER) from None
    if not math.isfinite(number):
        raise CellError(RowReason.NOT_A_NUMBER)
    return number


def _yes_or_no(value: Any) -> bool:
    if type(value) is not bool:
        raise CellError(RowReason.WRONG_TYPE)
    return value


def _day(value: Any) -> date:
    text = _text(value)
    if not _DATE.fullmatch(text):
        raise CellError(RowReason.WRONG_TYPE)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CellError(RowReason.OUT_OF_RANGE) from None


def _moment(value: Any) -> datetime:
    text = _text(value)
    if not _TIMESTAMP.fullmatch(text):
        raise CellError(RowReason.WRONG_TYPE)
    try:
        # Python keeps microseconds.
        return datetime.fromisoformat(_MICROSECONDS.sub(r"\1", text.upper())).astimezone(UTC)
    except (ValueError, OverflowError):
        raise CellError(RowReason.OUT_OF_RANGE) from None


def _written_whole(value: Any) -> int:
    text = _text(value)
    if not _INTEGER.fullmatch(text):
        raise CellError(RowReason.WRONG_TYPE)
    return _whole(int(text))


def _written_number(value: Any) -> float:
    text = _text(value)
    if text.lower() in ("nan", "inf", "-inf", "infinity", "-infinity"):
        raise CellError(RowReason.NOT_A_NUMBER)
    if not _NUMBER.fullmatch(text):
        raise CellError(RowReason.WRONG_TYPE)
    return _number(float(text))


def _written_yes_or_no(value: Any) -> bool:
    text = _text(value)
    if text not in ("true", "false"):
        raise CellError(RowReason.WRONG_TYPE)
    return text == "true"


_TYPED: Final[Mapping[ColumnType, Callable[[Any], Value]]] = {
    ColumnType.TEXT: _text,
    ColumnType.INTEGER: _whole,
    ColumnType.NUMBER: _number,
    ColumnType.BOOLEAN: _yes_or_no,
    ColumnType.DATE: _day,
    ColumnType.TIMESTAMP: _moment,
}
_WRITTEN: Final[Mapping[ColumnType, Callable[[Any], Value]]] = {
    **_TYPED,
    ColumnType.INTEGER: _written_whole,
    ColumnType.NUMBER: _written_number,
    ColumnType.BOOLEAN: _written_yes_or_no,
}
