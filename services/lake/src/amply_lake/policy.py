"""Anonymisation policies: the role of each column, and the minimum number of people in a released class."""

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TypeVar

from amply_lake.generalisation import Generalisation, Hierarchy


@dataclasses.dataclass(frozen=True, slots=True)
class RowKey:
    """Identifies rows, such as an event id: never released, and prevents releasing a row twice."""


@dataclasses.dataclass(frozen=True, slots=True)
class Person:
    """Identifies the person of a row. Released as a keyed hash under another name, or (None) not at all."""

    publish_as: str | None


@dataclasses.dataclass(frozen=True, slots=True)
class Direct:
    """A direct identifier: never released in any form."""


@dataclasses.dataclass(frozen=True, slots=True)
class Quasi:
    """A quasi-identifier: released as coarse as necessary."""

    generalisation: Generalisation


@dataclasses.dataclass(frozen=True, slots=True)
class Sensitive:
    """A sensitive attribute: each class must hold several values. Numbers are released as bands.

    `bands` are the lowest numbers of each band but the first two, which are `<0` and from 0; without any, the value is released
    as it is.
    """

    bands: tuple[int, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Insensitive:
    """An insensitive attribute: released as it is."""


Column = RowKey | Person | Direct | Quasi | Sensitive | Insensitive
_Kind = TypeVar("_Kind", RowKey, Person, Quasi, Sensitive, Insensitive)


@dataclasses.dataclass(frozen=True, slots=True)
class Policy:
    """A parsed policy document; `canonical` are its RFC 8785 bytes, whose hash identifies it.

    `suppression_limit` is the share of a batch's rows that may be left out, from 0 to 1.
    """

    id: str
    k: int
    l: int  # noqa: E741 -- the field's own name: l-diversity
    suppression_limit: Decimal
    raw_days: int
    anonymised_days: int
    columns: Mapping[str, Column]
    canonical: bytes

    @property
    def sha256(self) -> str:
        """The hash that names the policy, hierarchies included."""
        return hashlib.sha256(self.canonical).hexdigest()

    @property
    def quasi(self) -> dict[str, Generalisation]:
        """The quasi-identifiers, by name, in the document's canonical order."""
        return {name: column.generalisation for name, column in self._of(Quasi)}

    @property
    def sensitive(self) -> dict[str, Sensitive]:
        """The sensitive columns, by name."""
        return dict(self._of(Sensitive))

    @property
    def insensitive(self) -> tuple[str, ...]:
        """The names of the insensitive columns."""
        return tuple(name for name, _ in self._of(Insensitive))

    @property
    def person(self) -> tuple[str, Person]:
        """The column that says who a row is of."""
        return next(self._of(Person))

    @property
    def row_key(self) -> str | None:
        """The column that tells rows apart."""
        return next((name for name, _ in self._of(RowKey)), None)

    @property
    def hierarchies(self) -> tuple[Hierarchy, ...]:
        """The tables that the policy's SQL reads."""
        return tuple(kind for kind in self.quasi.values() if isinstance(kind, Hierarchy))

    @property
    def released(self) -> tuple[str, ...]:
        """The names of a release's columns, in their order."""
        _, person = self.person
        pseudonym = (person.publish_as,) if person.publish_as else ()
        return (*pseudonym, *self.quasi, *self.sensitive, *self.insensitive)

    def _of(self, kind: type[_Kind]) -> Iterator[tuple[str, _Kind]]:
        return ((name, column) for name, column in self.columns.items() if isinstance(column, kind))
