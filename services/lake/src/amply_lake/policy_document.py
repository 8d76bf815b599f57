"""Parses policy documents (JSON) strictly: what is not understood is refused, since it would not be applied."""

import csv
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from importlib.resources import files
from itertools import pairwise
from typing import Any, Final

import rfc8785

from amply_lake.errors import HierarchyError, PolicyError
from amply_lake.generalisation import (
    DATE_STEPS,
    TOP,
    UNKNOWN,
    Beginnings,
    Dates,
    Generalisation,
    Hierarchy,
    Networks,
    Places,
    Ranges,
    UserAgents,
    Whole,
)
from amply_lake.policy import Column, Direct, Insensitive, Person, Policy, Quasi, RowKey, Sensitive

FORMAT: Final = 1
MAX_DOCUMENT_BYTES: Final = 1_048_576
MAX_COLUMNS: Final = 64
MAX_STEPS: Final = 16
MAX_NODES: Final = 1_000_000
MAX_HIERARCHY_ROWS: Final = 100_000
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")
_ID: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}")
_SHARE: Final = re.compile(r"[01](?:\.[0-9]{1,12})?")
_MAX_NUMBER: Final = 2**53 - 1


def default_policy() -> Policy:
    """The policy `default-v2`, as this package ships it."""
    return shipped_policy("default-v2")


def shipped_policy(name: str) -> Policy:
    """A policy that this package ships, by its id: `default-v2`, `donations-v1`."""
    return read_policy((files("amply_lake") / "policies" / f"{name}.json").read_bytes())


def read_policy(document: bytes, hierarchies: Mapping[str, bytes] | None = None) -> Policy:
    """Read a policy document. `hierarchies` holds the CSV files (`;` between cells) that it names, by their names.

    Raises:
        PolicyError: It is malformed, contradicts itself, or names a hierarchy that is not given.
    """
    raw = _parse(document)
    _exactly(
        raw,
        "the policy",
        {"format", "id", "description", "k", "l", "suppression_limit", "retention_days", "columns"},
    )
    if raw["format"] != FORMAT:
        raise PolicyError(f"the policy's format is {raw['format']!r}; this version reads format {FORMAT}")
    retention = _exactly(raw["retention_days"], "retention_days", {"raw", "anonymised"})
    columns = raw["columns"]
    if not isinstance(columns, dict) or not 1 <= len(columns) <= MAX_COLUMNS:
        raise PolicyError(f"'columns' has to name 1 to {MAX_COLUMNS} columns")
    given = hierarchies or {}
    policy = Policy(
        id=_text(raw["id"], "the policy's id", _ID),
        k=_number(raw["k"], "k", 2),
        l=_number(raw["l"], "l", 1),
        suppression_limit=_share(raw["suppression_limit"]),
        raw_days=_number(retention["raw"], "retention_days.raw", 1),
        anonymised_days=_number(retention["anonymised"], "retention_days.anonymised", 1),
        columns={
            _text(name, "a column's name", _NAME): _column(name, column, given)
            for name, column in sorted(columns.items())
        },
        canonical=rfc8785.dumps({**raw, "hierarchies": _hashable(given, columns)}),
    )
    _check(policy)
    return policy


def _parse(document: bytes) -> dict[str, Any]:
    if len(document) > MAX_DOCUMENT_BYTES:
        raise PolicyError(f"a policy has at most {MAX_DOCUMENT_BYTES} bytes; give the policy itself")
    try:
        raw = json.loads(document.decode(), object_pairs_hook=_no_key_twice, parse_float=_no_fraction)
    except (ValueError, RecursionError) as error:
        raise PolicyError("the policy is not JSON in UTF-8; correct its spelling") from error
    if not isinstance(raw, dict):
        raise PolicyError("a policy is a JSON object")
    return raw


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        twice = sorted({key for key, _ in pairs if [other for other, _ in pairs].count(key) > 1})
        raise PolicyError(f"the policy has {', '.join(twice)} twice; leave one of them")
    return result


def _no_fraction(text: str) -> Any:
    raise PolicyError(f'the policy holds the number {text}; write shares as text, such as "0.04"')


def _exactly(value: Any, what: str, keys: set[str], optional: frozenset[str] = frozenset()) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise PolicyError(f"{what} has to be a JSON object")
    missing, unknown = sorted(keys - value.keys()), sorted(value.keys() - keys - optional)
    if missing:
        raise PolicyError(f"{what} lacks {', '.join(missing)}")
    if unknown:
        raise PolicyError(f"{what} has {', '.join(unknown)}, which nobody knows; correct or remove it")
    return value


def _text(value: Any, what: str, form: re.Pattern[str]) -> str:
    if not isinstance(value, str) or form.fullmatch(value) is None:
        raise PolicyError(f"{what} has to look like {form.pattern}, and is {value!r}")
    return value


def _number(value: Any, what: str, least: int) -> int:
    if type(value) is not int or not least <= value <= _MAX_NUMBER:
        raise PolicyError(f"{what} has to be a whole number from {least} on, and is {value!r}")
    return value


def _numbers(value: Any, what: str, least: int) -> tuple[int, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_STEPS:
        raise PolicyError(f"{what} has to be a list of 1 to {MAX_STEPS} whole numbers")
    return tuple(_number(number, what, least) for number in value)


def _share(value: Any) -> Decimal:
    """A share as certificates spell it."""
    if not isinstance(value, str) or _SHARE.fullmatch(value) is None or Decimal(value) > 1:
        raise PolicyError(
            'suppression_limit has to be a share from 0 to 1 as text, with 12 decimals at most, such as "0.04", '
            f"and is {value!r}"
        )
    return Decimal(value)


def _column(name: str, raw: Any, hierarchies: Mapping[str, bytes]) -> Column:
    what = f"the column {name!r}"
    role = raw.get("role") if isinstance(raw, dict) else None
    make = _ROLES.get(role) if isinstance(role, str) else None
    if make is None:
        raise PolicyError(f"{what} has the role {role!r}; the roles are {', '.join(sorted(_ROLES))}")
    return make(name, raw, what, hierarchies)


def _person(name: str, raw: Any, what: str, _: Mapping[str, bytes]) -> Person:
    del name
    publish_as = _exactly(raw, what, {"role", "publish_as"})["publish_as"]
    return Person(None if publish_as is None else _text(publish_as, f"publish_as of {what}", _NAME))


def _quasi(name: str, raw: Any, what: str, hierarchies: Mapping[str, bytes]) -> Quasi:
    described = _exactly(raw, what, {"role", "generalise"})["generalise"]
    kind = described.get("kind") if isinstance(described, dict) else None
    make = _KINDS.get(kind) if isinstance(kind, str) else None
    if make is None:
        raise PolicyError(f"{what} is generalised as {kind!r}; the kinds are {', '.join(sorted(_KINDS))}")
    return Quasi(make(name, described, what, hierarchies))


def _sensitive(name: str, raw: Any, what: str, _: Mapping[str, bytes]) -> Sensitive:
    del name
    _exactly(raw, what, {"role"}, frozenset({"bands"}))
    bands = _numbers(raw["bands"], f"bands of {what}", 1) if "bands" in raw else ()
    if list(bands) != sorted(set(bands)):
        raise PolicyError(f"bands of {what} have to ascend")
    return Sensitive(bands)


def _plain(column: Column) -> Callable[[str, Any, str, Mapping[str, bytes]], Column]:
    def make(name: str, raw: Any, what: str, _: Mapping[str, bytes]) -> Column:
        del name
        _exactly(raw, what, {"role"})
        return column

    return make


_ROLES: Final[Mapping[str, Callable[[str, Any, str, Mapping[str, bytes]], Column]]] = {
    "row_key": _plain(RowKey()),
    "person": _person,
    "direct": _plain(Direct()),
    "quasi": _quasi,
    "sensitive": _sensitive,
    "insensitive": _plain(Insensitive()),
}


def _ranges(name: str, raw: Any, what: str, _: Mapping[str, bytes]) -> Generalisation:
    del name
    _exactly(raw, what, {"kind", "widths", "from", "to"})
    widths = _numbers(raw["widths"], f"widths of {what}", 1)
    lowest, highest = _number(raw["from"], "from", 0), _number(raw["to"], "to", 1)
    _each_in_the_next(widths, f"widths of {what}")
    if highest <= lowest or (highest - lowest) % widths[-1]:
        raise PolicyError(f"from and to of {what} have to be a whole number of the widest range apart")
    return Ranges(widths, lowest, highest)


def _beginnings(rest: str) -> Callable[[str, Any, str, Mapping[str, bytes]], Generalisation]:
    def make(name: str, raw: Any, what: str, _: Mapping[str, bytes]) -> Generalisation:
        del name
        _exactly(raw, what, {"kind", "keep"})
        keep = _numbers(raw["keep"], f"keep of {what}", 1)
        if list(keep) != sorted(set(keep), reverse=True):
            raise PolicyError(f"keep of {what} has to descend")
        return Beginnings(keep, rest)

    return make


def _dates(name: str, raw: Any, what: str, _: Mapping[str, bytes]) -> Generalisation:
    del name
    _exactly(raw, what, {"kind", "periods"})
    periods = raw["periods"]
    if not isinstance(periods, list) or not periods or periods != [p for p in DATE_STEPS if p in periods]:
        raise PolicyError(f"periods of {what} have to be some of {', '.join(DATE_STEPS)}, in this order")
    return Dates(tuple(periods))


def _networks(name: str, raw: Any, what: str, _: Mapping[str, bytes]) -> Generalisation:
    del name
    _exactly(raw, what, {"kind", "version_4", "version_6"})
    lengths = [_numbers(raw[version], f"{version} of {what}", 8) for version in ("version_4", "version_6")]
    for allowed, bits in zip(((24, 16, 8), (64, 48, 32, 16)), lengths, strict=True):
        if list(bits) != [length for length in allowed if length in bits] or len(bits) != len(lengths[0]):
            raise PolicyError(
                f"{what} may keep 24, 16, 8 bits of version 4 and 64, 48, 32, 16 of version 6, paired"
            )
    return Networks(tuple(zip(*lengths, strict=True)))


def _user_agents(name: str, raw: Any, what: str, _: Mapping[str, bytes]) -> Generalisation:
    del name
    _exactly(raw, what, {"kind"})
    return UserAgents()


def _places(name: str, raw: Any, what: str, _: Mapping[str, bytes]) -> Generalisation:
    del name
    tenths = _numbers(_exactly(raw, what, {"kind", "tenths_of_degree"})["tenths_of_degree"], what, 1)
    _each_in_the_next(tenths, f"tenths_of_degree of {what}")
    return Places(tenths)


def _whole(name: str, raw: Any, what: str, _: Mapping[str, bytes]) -> Generalisation:
    del name
    _exactly(raw, what, {"kind"})
    return Whole()


def _hierarchy(name: str, raw: Any, what: str, hierarchies: Mapping[str, bytes]) -> Generalisation:
    file = _exactly(raw, what, {"kind", "file"})["file"]
    if not isinstance(file, str) or file not in hierarchies:
        raise PolicyError(
            f"{what} names the hierarchy {file!r}, which was not given; give it with the policy"
        )
    return Hierarchy(name, _hierarchy_rows(file, hierarchies[file]))


_KINDS: Final[Mapping[str, Callable[[str, Any, str, Mapping[str, bytes]], Generalisation]]] = {
    "ranges": _ranges,
    "truncate": _beginnings("*"),
    "mask": _beginnings("***"),
    "dates": _dates,
    "networks": _networks,
    "user_agents": _user_agents,
    "places": _places,
    "whole": _whole,
    "hierarchy": _hierarchy,
}


def _each_in_the_next(sizes: Sequence[int], what: str) -> None:
    if any(size >= later or later % size for size, later in pairwise(sizes)):
        raise PolicyError(f"{what} have to grow, each a multiple of the one before")


def _hierarchy_rows(file: str, content: bytes) -> tuple[tuple[str, ...], ...]:
    """Read a hierarchy's CSV: a value, then its label at each level; a last level of `*` alone is left out."""
    try:
        rows = [tuple(row) for row in csv.reader(io.StringIO(content.decode()), delimiter=";", strict=True)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise HierarchyError(f"the hierarchy {file!r} is not CSV in UTF-8 with ';' between cells") from error
    if not 1 <= len(rows) <= MAX_HIERARCHY_ROWS or len({len(row) for row in rows}) != 1:
        raise HierarchyError(
            f"the hierarchy {file!r} has to have 1 to {MAX_HIERARCHY_ROWS} rows of one length"
        )
    if len(rows[0]) > 1 and all(row[-1] == TOP for row in rows):
        rows = [row[:-1] for row in rows]
    if not 1 <= len(rows[0]) <= MAX_STEPS or any(cell in {"", TOP, UNKNOWN} for row in rows for cell in row):
        raise HierarchyError(f"the hierarchy {file!r} has an empty cell, or '*' or '?' below the last level")
    if len({row[0] for row in rows}) != len(rows):
        raise HierarchyError(f"the hierarchy {file!r} has a value twice; leave one of them")
    for fine, coarse in pairwise(range(len(rows[0]))):
        if len({(row[fine], row[coarse]) for row in rows}) != len({row[fine] for row in rows}):
            raise HierarchyError(
                f"level {coarse} of the hierarchy {file!r} splits what level {fine} holds together"
            )
    return tuple(sorted(rows))


def _hashable(hierarchies: Mapping[str, bytes], columns: Mapping[str, Any]) -> dict[str, list[list[str]]]:
    """The hierarchies that the policy uses, as they go into its hash."""
    used = {
        column["generalise"].get("file")
        for column in columns.values()
        if isinstance(column, dict) and isinstance(column.get("generalise"), dict)
    }
    return {
        file: [list(row) for row in _hierarchy_rows(file, content)]
        for file, content in sorted(hierarchies.items())
        if file in used
    }


def _check(policy: Policy) -> None:
    """Refuse a policy whose columns make no sense together."""
    kinds = [type(column) for column in policy.columns.values()]
    if kinds.count(Person) != 1 or kinds.count(RowKey) > 1:
        raise PolicyError("a policy has exactly one column with the role person, and at most one row_key")
    if not policy.quasi:
        raise PolicyError(
            "a policy without quasi-identifiers protects nobody; name what others may know of people"
        )
    if policy.l > 1 and not policy.sensitive:
        raise PolicyError(
            "l says how many values a class must hold, and no column is sensitive; name one or set l to 1"
        )
    if len(set(policy.released)) != len(policy.released):
        raise PolicyError("publish_as is the name of another column; choose one of its own")
    nodes = 1
    for kind in policy.quasi.values():
        nodes *= kind.steps + 1
    if nodes > MAX_NODES:
        raise PolicyError(
            f"the policy's levels make {nodes} combinations, and {MAX_NODES} can be searched; name fewer"
        )
