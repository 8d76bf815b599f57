"""Generalisation of quasi-identifiers, as SQL that DuckDB and Athena both understand.

Level 0 is made from the raw value; every later level is made from the label of level 0 alone, so that a level can never
be finer than the one before it. The last level of all is `*`. What cannot be read (no number, no date) is `?`.
"""

import dataclasses
from typing import Final, Protocol

TOP: Final = "*"
UNKNOWN: Final = "?"


class Generalisation(Protocol):
    """A kind of generalisation; `steps` counts its levels without the last one, `*` (suppressed)."""

    @property
    def steps(self) -> int:
        """How many levels there are below `*`."""
        ...

    def first(self, value: str) -> str:
        """The SQL that makes the label of level 0 from the SQL of a raw value (text, or NULL)."""
        ...

    def coarser(self, label: str, level: int) -> str:
        """The SQL that makes the label of a level above 0, below `*`, from the SQL of a label of level 0."""
        ...


def at_level(kind: Generalisation, value: str, level: int) -> str:
    """The SQL of a raw value's label at a level."""
    if level == kind.steps:
        return f"'{TOP}'"
    if level == 0:
        return kind.first(value)
    # A value that a table has is its own label, and one that it has not is unknown at each level.
    return kind.coarser(value if isinstance(kind, Hierarchy) else kind.first(value), level)


@dataclasses.dataclass(frozen=True, slots=True)
class Ranges:
    """Integers to ranges such as `35-39`; all from `highest` on are one (`100+`), below `lowest` none is expected."""

    widths: tuple[int, ...]
    lowest: int
    highest: int

    @property
    def steps(self) -> int:
        """A level a width."""
        return len(self.widths)

    def first(self, value: str) -> str:
        """Find the range of a number."""
        number = f"TRY_CAST({value} AS BIGINT)"
        return (
            f"CASE WHEN {number} >= {self.highest} THEN '{self.highest}+' "
            f"WHEN {number} >= {self.lowest} THEN {self._range(number, 0)} ELSE '{UNKNOWN}' END"
        )

    def coarser(self, label: str, level: int) -> str:
        """Widen a range."""
        number = f"TRY_CAST(split_part({label}, '-', 1) AS BIGINT)"
        return f"CASE WHEN {number} IS NULL THEN {label} ELSE {self._range(number, level)} END"

    def _range(self, number: str, level: int) -> str:
        width = self.widths[level]
        begins = f"{number} - ({number} - {self.lowest}) % {width}"
        return f"CAST({begins} AS VARCHAR) || '-' || CAST({begins} + {width - 1} AS VARCHAR)"


@dataclasses.dataclass(frozen=True, slots=True)
class Beginnings:
    """Prefixes, upper-cased without spaces: `SW1*` of a postal code, `+49***` of a masked phone number."""

    keep: tuple[int, ...]
    rest: str

    @property
    def steps(self) -> int:
        """A level a length."""
        return len(self.keep)

    def first(self, value: str) -> str:
        """Cut a text."""
        text = f"upper(replace(replace({value}, ' ', ''), '*', ''))"
        return (
            f"CASE WHEN {text} <> '' THEN substr({text}, 1, {self.keep[0]}) || '{self.rest}' "
            f"ELSE '{UNKNOWN}' END"
        )

    def coarser(self, label: str, level: int) -> str:
        """Cut it shorter."""
        kept = f"substr(replace({label}, '*', ''), 1, {self.keep[level]}) || '{self.rest}'"
        return f"CASE WHEN {label} = '{UNKNOWN}' THEN {label} ELSE {kept} END"


@dataclasses.dataclass(frozen=True, slots=True)
class Whole:
    """A category such as a country or payment method: kept or suppressed."""

    @property
    def steps(self) -> int:
        """One level below `*`."""
        return 1

    def first(self, value: str) -> str:
        """Take the value, which is never `*`."""
        return f"coalesce(NULLIF(replace({value}, '{TOP}', ''), ''), '{UNKNOWN}')"

    def coarser(self, label: str, level: int) -> str:
        """There is none."""
        del level
        return label


DATE_STEPS: Final = ("day", "month", "quarter", "year")


@dataclasses.dataclass(frozen=True, slots=True)
class Dates:
    """Dates or UTC timestamps to months, quarters and years."""

    periods: tuple[str, ...]

    @property
    def steps(self) -> int:
        """A level a period."""
        return len(self.periods)

    def first(self, value: str) -> str:
        """Find the period of a day."""
        day = f"CAST(TRY_CAST(substr({value}, 1, 10) AS DATE) AS VARCHAR)"
        return f"CASE WHEN {day} IS NULL THEN '{UNKNOWN}' ELSE {_period(day, self.periods[0])} END"

    def coarser(self, label: str, level: int) -> str:
        """Find the longer period that a period lies in."""
        longer = _period(label, self.periods[level])
        return f"CASE WHEN {label} = '{UNKNOWN}' THEN {label} ELSE {longer} END"


def _period(text: str, period: str) -> str:
    """The SQL of a period's name from that of a shorter one: `2026-11-27`, `2026-11`, `2026-Q4`, `2026`."""
    if period == "quarter":
        month = f"substr({text}, 6, 2)"
        number = (
            f"CASE WHEN {month} <= '03' THEN '1' WHEN {month} <= '06' THEN '2' "
            f"WHEN {month} <= '09' THEN '3' ELSE '4' END"
        )
        return f"substr({text}, 1, 4) || '-Q' || {number}"
    return f"substr({text}, 1, { {'day': 10, 'month': 7, 'year': 4}[period] })"


@dataclasses.dataclass(frozen=True, slots=True)
class Networks:
    """IP addresses to networks; prefix lengths in steps of 8 bits (IPv4) or 16 bits (IPv6)."""

    bits: tuple[tuple[int, int], ...]

    @property
    def steps(self) -> int:
        """A level a pair of lengths."""
        return len(self.bits)

    def first(self, value: str) -> str:
        """Find an address's network. A group that `::` leaves out is 0, and so is each after it."""
        version_4, version_6 = self.bits[0]
        octets = [f"TRY_CAST(split_part({value}, '.', {at}) AS INTEGER)" for at in range(1, 5)]
        is_version_4 = " AND ".join(f"{octet} BETWEEN 0 AND 255" for octet in octets)
        kept = [f"CAST({octet} AS VARCHAR)" for octet in octets[: version_4 // 8]]
        groups = [f"lower(split_part({value}, ':', {at}))" for at in range(1, version_6 // 16 + 1)]
        is_version_6 = " AND ".join(
            [
                f"{value} LIKE '%:%:%'",
                *(
                    f"length({group}) <= 4 AND translate({group}, '0123456789abcdef', '') = ''"
                    for group in groups
                ),
            ]
        )
        filled = [
            f"CASE WHEN {' OR '.join(f'{earlier} = {_EMPTY}' for earlier in groups[: at + 1])} THEN '0' "
            f"ELSE {group} END"
            for at, group in enumerate(groups)
        ]
        return (
            f"CASE WHEN {is_version_4} THEN {_joined(kept, '.')} || '{_zeros(version_4)}' "
            f"WHEN {is_version_6} THEN {_joined(filled, ':')} || '::/{version_6}' ELSE '{UNKNOWN}' END"
        )

    def coarser(self, label: str, level: int) -> str:
        """Find the larger network that a network lies in."""
        version_4, version_6 = self.bits[level]
        octets = [f"split_part({label}, '.', {at})" for at in range(1, version_4 // 8 + 1)]
        groups = [f"split_part({label}, ':', {at})" for at in range(1, version_6 // 16 + 1)]
        return (
            f"CASE WHEN {label} LIKE '%:%' THEN {_joined(groups, ':')} || '::/{version_6}' "
            f"WHEN {label} LIKE '%.%' THEN {_joined(octets, '.')} || '{_zeros(version_4)}' ELSE {label} END"
        )


_EMPTY: Final = "''"


def _joined(parts: list[str], mark: str) -> str:
    return f" || '{mark}' || ".join(parts)


def _zeros(version_4: int) -> str:
    return ".0" * (4 - version_4 // 8) + f"/{version_4}"


@dataclasses.dataclass(frozen=True, slots=True)
class UserAgents:
    """User agents to browser family and kind of device (`firefox mobile`), then kind of device alone."""

    @property
    def steps(self) -> int:
        """Two levels."""
        return 2

    def first(self, value: str) -> str:
        """Find the family."""
        families = " ".join(
            f"WHEN {value} LIKE '%{mark}%' THEN '{family}'"
            for mark, family in (
                ("Edg", "edge"),
                ("OPR/", "opera"),
                ("Firefox/", "firefox"),
                ("FxiOS/", "firefox"),
                ("Chrome/", "chrome"),
                ("CriOS/", "chrome"),
                ("Safari/", "safari"),
            )
        )
        device = f"CASE WHEN {value} LIKE '%Mobi%' THEN ' mobile' ELSE ' desktop' END"
        return (
            f"CASE WHEN {value} IS NULL OR {value} = '' THEN '{UNKNOWN}' "
            f"ELSE (CASE {families} ELSE 'other' END) || {device} END"
        )

    def coarser(self, label: str, level: int) -> str:
        """Leave the family out."""
        del level  # there is one
        return f"CASE WHEN {label} = '{UNKNOWN}' THEN {label} ELSE split_part({label}, ' ', 2) END"


@dataclasses.dataclass(frozen=True, slots=True)
class Places:
    """`latitude,longitude` in degrees to squares, named by the south-west corner (`52.5 13.4`); sides in tenths of a
    degree.
    """

    tenths: tuple[int, ...]

    @property
    def steps(self) -> int:
        """A level a length of side."""
        return len(self.tenths)

    def first(self, value: str) -> str:
        """Find the square of a point."""
        latitude, longitude = (f"TRY_CAST(split_part({value}, ',', {at}) AS DOUBLE)" for at in (1, 2))
        corners = [
            self._corner(f"CAST(floor({degrees} * 10) AS BIGINT)", 0) for degrees in (latitude, longitude)
        ]
        return (
            f"CASE WHEN {latitude} BETWEEN -90 AND 90 AND {longitude} BETWEEN -180 AND 180 "
            f"THEN {_joined(corners, ' ')} ELSE '{UNKNOWN}' END"
        )

    def coarser(self, label: str, level: int) -> str:
        """Find the larger square that a square lies in."""
        corners = [
            self._corner(f"CAST(CAST(split_part({label}, ' ', {at}) AS DECIMAL(5, 1)) * 10 AS BIGINT)", level)
            for at in (1, 2)
        ]
        return f"CASE WHEN {label} = '{UNKNOWN}' THEN {label} ELSE {_joined(corners, ' ')} END"

    def _corner(self, tenths: str, level: int) -> str:
        side = self.tenths[level]
        southwest = f"({tenths} - (({tenths} % {side}) + {side}) % {side})"
        return f"CAST(CAST({southwest} / 10.0 AS DECIMAL(5, 1)) AS VARCHAR)"


@dataclasses.dataclass(frozen=True, slots=True)
class Hierarchy:
    """Values by a table: each row is a value and its label at each further level, without the last one, `*`.

    In SQL it is a table `hierarchy_COLUMN` with the columns `_level_0`, `_level_1`, …, as no column of a source is called.
    """

    column: str
    rows: tuple[tuple[str, ...], ...]

    @property
    def steps(self) -> int:
        """Its columns."""
        return len(self.rows[0])

    @property
    def table(self) -> str:
        """The table's name in SQL."""
        return f"hierarchy_{self.column}"

    def first(self, value: str) -> str:
        """A value that the table has is its own label."""
        return (
            f"coalesce((SELECT max(h._level_0) FROM {self.table} h WHERE h._level_0 = {value}), '{UNKNOWN}')"
        )

    def coarser(self, label: str, level: int) -> str:
        """Look a label up."""
        return f"coalesce((SELECT max(h._level_{level}) FROM {self.table} h WHERE h._level_0 = {label}), '{UNKNOWN}')"
