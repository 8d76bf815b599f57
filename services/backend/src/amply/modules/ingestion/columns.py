"""A dataset's column definitions: types, limits, and the anonymiser's policy (docs/data-platform.md, "What a policy says")."""

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final

from amply.modules.ingestion.domain import DatasetNotAcceptable

COLUMNS_MAX: Final = 64
STEPS_MAX: Final = 16
ONE_OF_MAX: Final = 100
WHOLE_NUMBERS_MAX: Final = 10_000
"""Of an `integer` that is released as it is, which has four digits besides: room for a year, a rating or a count; none for a telephone
number or a day. Four digits may be a postcode still, or a member's number: only who describes a column knows."""
_COMBINATIONS_MAX: Final = 1_000_000
"""Combinations of generalisation levels, which the anonymiser searches."""
_NUMBER_MAX: Final = 2**53 - 1
NAME: Final = r"^[a-z][a-z0-9_]{0,62}$"
_NAME: Final = re.compile(NAME)


class ColumnType(StrEnum):
    """What a column's values are. `date` is `2026-11-21`; `timestamp` is RFC 3339 with its offset."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"


class ColumnRole(StrEnum):
    """What a column says of people: `row_key` tells rows apart, `person` is whose a row is, `direct` names somebody, `quasi` is
    what others may know, `sensitive` what nobody shall learn, `insensitive` neither.
    """

    ROW_KEY = "row_key"
    PERSON = "person"
    DIRECT = "direct"
    QUASI = "quasi"
    SENSITIVE = "sensitive"
    INSENSITIVE = "insensitive"


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column.

    Attributes:
        least: The lowest value of an `integer` or `number`; `most` the highest. An `integer` that is released as it is has both.
        one_of: All that a `text` may be; empty: anything, which no text may be that is released as it is.
        generalise: How a quasi-identifier becomes coarser, in the words of a policy.
        bands: The lowest numbers of the bands that a sensitive `integer` is released in; empty: it is released as it is, and bounded.
        publish_as: What a person's pseudonym is called in releases; None: it is in none.
    """

    name: str
    type: ColumnType
    role: ColumnRole
    required: bool = False
    least: int | None = None
    most: int | None = None
    one_of: tuple[str, ...] = ()
    generalise: Mapping[str, Any] | None = None
    bands: tuple[int, ...] = ()
    publish_as: str | None = None

    def as_kept(self) -> dict[str, Any]:
        """The column as JSON for storage."""
        return {
            name: value
            for name, value in asdict(self).items()
            if value is not None and value is not False and value != ()
        }

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> "Column":
        """Parse the JSON of `as_kept`."""
        given = {**kept, "type": ColumnType(kept["type"]), "role": ColumnRole(kept["role"])}
        for name in ("one_of", "bands"):
            given[name] = tuple(given.get(name, ()))
        return cls(**given)


def check(columns: Sequence[Column]) -> None:
    """Refuse columns that the anonymiser could make nothing of.

    Raises:
        DatasetNotAcceptable: The sentence says what to change, `param` in which column.
    """
    if not 1 <= len(columns) <= COLUMNS_MAX:
        raise _wrong(f"Name 1 to {COLUMNS_MAX} columns.")
    names = Counter(column.name for column in columns)
    for place, column in enumerate(columns):
        param = f"columns.{place}"
        if not _NAME.fullmatch(column.name) or names[column.name] > 1:
            raise _wrong(
                "Give each column a name of its own, of a-z, 0-9 and '_', beginning with a letter.",
                f"{param}.name",
            )
        _check_values(column, param)
        _check_role(column, param, names)
    _check_together(columns)


def policy_of(columns: Sequence[Column], *, policy_id: str, retention_days: int) -> dict[str, Any]:
    """The anonymisation policy for these columns; k, l and the limit are those of `default-v2`."""
    return {
        "format": 1,
        "id": policy_id,
        "description": "Made of the columns of a dataset that an organisation hands in.",
        "k": 20,
        "l": 2,
        "suppression_limit": "0.2",
        "retention_days": {"raw": 90, "anonymised": retention_days},
        "columns": {column.name: _told(column) for column in columns},
    }


def names_and_types(columns: Sequence[Column]) -> list[tuple[str, str]]:
    """What must not change once data was ingested."""
    return [(column.name, column.type.value) for column in columns]


def in_clear(columns: Sequence[Column]) -> set[str]:
    """Columns whose every value may be released as it is, by what is asked for today. What was taken under fewer limits is none."""
    return {column.name for column in columns if _is_in_clear(column) and _too_much(column) is None}


def _is_in_clear(column: Column) -> bool:
    is_released = column.role in (ColumnRole.SENSITIVE, ColumnRole.INSENSITIVE)
    return is_released and not column.bands


def _told(column: Column) -> dict[str, Any]:
    told: dict[str, Any] = {"role": column.role.value}
    if column.role is ColumnRole.PERSON:
        told["publish_as"] = column.publish_as
    elif column.role is ColumnRole.QUASI:
        told["generalise"] = dict(column.generalise or {})
    elif column.role is ColumnRole.SENSITIVE and column.bands:
        told["bands"] = list(column.bands)
    return told


def _wrong(sentence: str, param: str = "columns") -> DatasetNotAcceptable:
    return DatasetNotAcceptable(sentence, param=param)


def _check_values(column: Column, param: str) -> None:
    has_range = column.least is not None or column.most is not None
    if has_range and column.type not in (ColumnType.INTEGER, ColumnType.NUMBER):
        raise _wrong("Only an 'integer' or a 'number' has a least and a most.", param)
    if column.least is not None and column.most is not None and column.least > column.most:
        raise _wrong("Let the least be no more than the most.", param)
    if column.one_of and (column.type is not ColumnType.TEXT or len(set(column.one_of)) < len(column.one_of)):
        raise _wrong(f"Only a 'text' is one of several, each once and {ONE_OF_MAX} at most.", param)


def _check_role(column: Column, param: str, names: Mapping[str, int]) -> None:
    is_quasi = column.role is ColumnRole.QUASI
    if is_quasi != (column.generalise is not None):
        raise _wrong(
            "Say of a quasi-identifier, and of nothing else, how it becomes coarser.", f"{param}.generalise"
        )
    if is_quasi:
        _check_generalisation(column, f"{param}.generalise")
    if column.bands and (column.role is not ColumnRole.SENSITIVE or column.type is not ColumnType.INTEGER):
        raise _wrong("Only a sensitive 'integer' has bands.", f"{param}.bands")
    if not _ascends(column.bands) or len(column.bands) > STEPS_MAX:
        raise _wrong(
            f"Let bands begin at 1 or more, and ascend; {STEPS_MAX} of them at most.", f"{param}.bands"
        )
    if _is_in_clear(column):
        _check_in_clear(column, param)
    if column.publish_as is not None:
        is_name = _NAME.fullmatch(column.publish_as) and column.publish_as not in names
        if column.role is not ColumnRole.PERSON or not is_name:
            raise _wrong(
                "Only a person's column has another name in releases, which is no column's.",
                f"{param}.publish_as",
            )
    if column.role in (ColumnRole.PERSON, ColumnRole.ROW_KEY) and not column.required:
        raise _wrong(
            "Require what says whose a row is, and what tells rows apart: set 'required'.",
            f"{param}.required",
        )


def _check_in_clear(column: Column, param: str) -> None:
    """What nothing is done to must not be able to name or to find somebody."""
    found = _too_much(column)
    if found is not None:
        field, sentence = found
        raise _wrong(sentence, f"{param}.{field}")


def _too_much(column: Column) -> tuple[str, str] | None:
    """What of a column's description lets it say too much where it is released as it is, and what to do; None: nothing."""
    match column.type:
        case ColumnType.TEXT if not column.one_of:
            return (
                "one_of",
                "Say in 'one_of' what a text may be that is released as it is: free text may name people.",
            )
        case ColumnType.INTEGER if not _is_bounded(column):
            banded = ", or give 'bands'" if column.role is ColumnRole.SENSITIVE else ""
            return "most", (
                "Say with 'least' and 'most' what an 'integer' may be that is released as it is, of four digits and "
                f"{WHOLE_NUMBERS_MAX:,} whole numbers at most{banded}: a longer one may be somebody's telephone number."
            )
        case ColumnType.NUMBER:
            return "role", (
                "Make a 'number' 'direct', or hand it in as an 'integer' of smaller units, 'quasi' or with 'bands': what stands "
                "behind the point may be somebody's place or account."
            )
        case ColumnType.DATE | ColumnType.TIMESTAMP:
            return (
                "role",
                "Make a day or a moment 'quasi', of the kind 'dates', or 'direct': others may know it of somebody.",
            )
        case _:
            return None


def _is_bounded(column: Column) -> bool:
    least, most = column.least, column.most
    if least is None or most is None:
        return False
    has_four_digits = max(abs(least), abs(most)) < WHOLE_NUMBERS_MAX
    return has_four_digits and most - least < WHOLE_NUMBERS_MAX


def _check_together(columns: Sequence[Column]) -> None:
    roles = Counter(column.role for column in columns)
    if roles[ColumnRole.PERSON] != 1 or roles[ColumnRole.ROW_KEY] > 1:
        raise _wrong("Name one column as 'person', and at most one as 'row_key': k counts people.")
    if not roles[ColumnRole.QUASI] or not roles[ColumnRole.SENSITIVE]:
        raise _wrong(
            "Name what others may know of people as 'quasi', and what nobody shall learn as 'sensitive'."
        )
    levels = [_levels(column.generalise) for column in columns if column.generalise is not None]
    if math.prod(levels) > _COMBINATIONS_MAX:
        raise _wrong("Name fewer levels or fewer quasi-identifiers: together they are too many to search.")


_STEPS: Final = ("widths", "keep", "periods", "version_4", "tenths_of_degree")
_FIXED_LEVELS: Final = 3
"""Levels of user agents: family and device, device, suppressed."""


def _levels(generalise: Mapping[str, Any]) -> int:
    return next((len(generalise[name]) + 1 for name in _STEPS if name in generalise), _FIXED_LEVELS)


def _check_generalisation(column: Column, param: str) -> None:
    described = dict(column.generalise or {})
    kind = described.pop("kind", None)
    form = _KINDS.get(kind) if isinstance(kind, str) else None
    if form is None:
        raise _wrong(f"Name as kind one of {', '.join(sorted(_KINDS))}.", f"{param}.kind")
    if column.type not in form.types:
        raise _wrong(f"The kind '{kind}' is for columns of {' and '.join(form.types)}.", f"{param}.kind")
    if set(described) != form.fields or not form.holds(described):
        raise _wrong(f"For the kind '{kind}', {form.advice}.", param)


@dataclass(frozen=True, kw_only=True)
class _Form:
    """What is said of a kind of generalisation beside its name, and of what types a column of it is."""

    types: tuple[ColumnType, ...]
    fields: frozenset[str]
    holds: Callable[[Mapping[str, Any]], bool]
    advice: str


def _numbers(value: Any, *, least: int = 1) -> bool:
    return (
        isinstance(value, list | tuple)
        and 1 <= len(value) <= STEPS_MAX
        and all(type(each) is int and least <= each <= _NUMBER_MAX for each in value)
    )


def _ascends(numbers: Sequence[int]) -> bool:
    return all(1 <= each <= _NUMBER_MAX for each in numbers) and list(numbers) == sorted(set(numbers))


def _each_in_the_next(sizes: Sequence[int]) -> bool:
    return all(size < later and later % size == 0 for size, later in pairwise(sizes))


def _are_ranges(said: Mapping[str, Any]) -> bool:
    widths, lowest, highest = said["widths"], said["from"], said["to"]
    return (
        _numbers(widths)
        and _each_in_the_next(widths)
        and _numbers([lowest], least=0)
        and _numbers([highest])
        and highest > lowest
        and (highest - lowest) % widths[-1] == 0
    )


def _descends(said: Mapping[str, Any]) -> bool:
    return _numbers(said["keep"]) and _ascends(list(reversed(said["keep"])))


def _are_periods(said: Mapping[str, Any]) -> bool:
    periods = said["periods"]
    return (
        isinstance(periods, list | tuple)
        and bool(periods)
        and list(periods) == [each for each in ("day", "month", "quarter", "year") if each in periods]
    )


def _are_networks(said: Mapping[str, Any]) -> bool:
    allowed = {"version_4": (24, 16, 8), "version_6": (64, 48, 32, 16)}
    given = {version: said[version] for version in allowed}
    return (
        all(_numbers(lengths) for lengths in given.values())
        and len(given["version_4"]) == len(given["version_6"])
        and all(
            list(lengths) == [bits for bits in allowed[version] if bits in lengths]
            for version, lengths in given.items()
        )
    )


def _are_places(said: Mapping[str, Any]) -> bool:
    return _numbers(said["tenths_of_degree"]) and _each_in_the_next(said["tenths_of_degree"])


_TEXT: Final = (ColumnType.TEXT,)
_KINDS: Final[Mapping[str, _Form]] = {
    "ranges": _Form(
        types=(ColumnType.INTEGER,),
        fields=frozenset({"widths", "from", "to"}),
        holds=_are_ranges,
        advice="give widths, each a multiple of the one before, and from and to, a whole number of the widest apart",
    ),
    **{
        kind: _Form(
            types=_TEXT,
            fields=frozenset({"keep"}),
            holds=_descends,
            advice="say in keep how many characters are left, fewer each time",
        )
        for kind in ("truncate", "mask")
    },
    "dates": _Form(
        types=(ColumnType.DATE, ColumnType.TIMESTAMP),
        fields=frozenset({"periods"}),
        holds=_are_periods,
        advice="give periods: some of day, month, quarter, year, in this order",
    ),
    "networks": _Form(
        types=_TEXT,
        fields=frozenset({"version_4", "version_6"}),
        holds=_are_networks,
        advice="give as many of 24, 16, 8 bits as version_4 as of 64, 48, 32, 16 as version_6, in this order",
    ),
    "user_agents": _Form(
        types=_TEXT, fields=frozenset(), holds=lambda _: True, advice="nothing more is to be said"
    ),
    "places": _Form(
        types=_TEXT,
        fields=frozenset({"tenths_of_degree"}),
        holds=_are_places,
        advice="give tenths_of_degree, each a multiple of the one before",
    ),
}
"""Those of the anonymiser that need no table of their own."""
