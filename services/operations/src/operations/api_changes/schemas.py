"""Compares two JSON schemas for whoever sends or reads the data they describe."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

Schema = Mapping[str, Any]

_LEAST: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems")
_MOST: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
_ANYTHING: Final = "anything"
"""What a schema without a type takes."""
_DEPTH_MAX: Final = 12
"""Schemas that hold themselves are followed this far."""


class SchemaUse(StrEnum):
    """Who writes what a schema describes."""

    REQUEST = "request"
    ANSWER = "answer"


@dataclass(frozen=True, kw_only=True, order=True)
class Change:
    """One difference, in a sentence. `is_breaking`: what worked before need not any more."""

    is_breaking: bool
    operation: str
    what: str

    @property
    def line(self) -> str:
        """What it is called where it is said to be on purpose."""
        return f"{self.operation}: {self.what}"


@dataclass(frozen=True, kw_only=True)
class Pair:
    """The same place in both documents."""

    before: Schema
    after: Schema
    roots: tuple[Schema, Schema]
    way: SchemaUse
    operation: str
    where: str
    depth: int = 0

    def changes(self) -> Iterator[Change]:
        """Every difference, here and below."""
        old, new = _resolved(self.before, self.roots[0]), _resolved(self.after, self.roots[1])
        if self.depth > _DEPTH_MAX or old == new == {}:
            return
        yield from self._kinds()
        yield from self._formats(old, new)
        yield from self._choices(old, new)
        yield from self._bounds(old, new)
        yield from self._fields(old, new)
        if "items" in old and "items" in new:
            yield from self._below(old["items"], new["items"], f"{self.where}[]")

    def _says(self, what: str, *, breaks: SchemaUse | None) -> Change:
        """`breaks`: whom it breaks; None: nobody."""
        return Change(is_breaking=breaks is self.way, operation=self.operation, what=f"{self.where} {what}")

    def _kinds(self) -> Iterator[Change]:
        before, after = _kinds(self.before, self.roots[0]), _kinds(self.after, self.roots[1])
        gone, come = sorted(before - after), sorted(after - before)
        if gone and _ANYTHING not in after:
            yield self._says(f"is no longer {' or '.join(gone)}", breaks=SchemaUse.REQUEST)
        if come and _ANYTHING not in before:
            yield self._says(f"may be {' or '.join(come)}", breaks=SchemaUse.ANSWER)

    def _formats(self, old: Schema, new: Schema) -> Iterator[Change]:
        if old.get("format") != new.get("format"):
            what = f"has the format {new.get('format')} and no longer {old.get('format')}"
            yield self._says(what, breaks=self.way)

    def _choices(self, old: Schema, new: Schema) -> Iterator[Change]:
        if "enum" not in new and "enum" not in old:
            return
        before, after = (
            {str(each) for each in old.get("enum", ())},
            {str(each) for each in new.get("enum", ())},
        )
        if "enum" not in old:
            yield self._says(f"is one of {', '.join(sorted(after))} only", breaks=SchemaUse.REQUEST)
        elif "enum" not in new:
            yield self._says("may be anything", breaks=SchemaUse.ANSWER)
        else:
            if gone := sorted(before - after):
                yield self._says(f"is no longer {' or '.join(gone)}", breaks=SchemaUse.REQUEST)
            if come := sorted(after - before):
                # Whoever reads is told in the document's description to expect more.
                yield self._says(f"may be {' or '.join(come)}", breaks=None)

    def _bounds(self, old: Schema, new: Schema) -> Iterator[Change]:
        for name in (*_LEAST, *_MOST, "pattern"):
            before, after = old.get(name), new.get(name)
            if before != after:
                narrows = _narrows(name, before, after)
                yield self._says(
                    f"has {name} {after} and no longer {before}",
                    breaks=SchemaUse.REQUEST if narrows else None,
                )

    def _fields(self, old: Schema, new: Schema) -> Iterator[Change]:
        before, after = old.get("properties", {}), new.get("properties", {})
        needed_before, needed = set(old.get("required", ())), set(new.get("required", ()))
        for name in before.keys() - after.keys():
            yield self._says(f"has no {name} any more", breaks=self.way)
        for name in after.keys() - before.keys():
            breaks = SchemaUse.REQUEST if name in needed else None
            yield self._says(f"{'needs' if name in needed else 'has'} {name}", breaks=breaks)
        for name in before.keys() & after.keys():
            if name in needed - needed_before:
                yield self._says(f"needs {name}", breaks=SchemaUse.REQUEST)
            if name in needed_before - needed:
                yield self._says(f"may come without {name}", breaks=SchemaUse.ANSWER)
            yield from self._below(before[name], after[name], f"{self.where}.{name}")

    def _below(self, before: Schema, after: Schema, where: str) -> Iterator[Change]:
        inner = Pair(
            before=before,
            after=after,
            roots=self.roots,
            way=self.way,
            operation=self.operation,
            where=where,
            depth=self.depth + 1,
        )
        yield from inner.changes()


def _narrows(name: str, before: Any, after: Any) -> bool:
    """Whether less is taken than before."""
    if after is None:
        return False
    if before is None or name == "pattern":
        return True
    return bool(after > before) if name in _LEAST else bool(after < before)


def _resolved(schema: Schema, root: Schema) -> Schema:
    """What a reference leads to; of "this or null", this."""
    while "$ref" in schema:
        found: Any = root
        for part in str(schema["$ref"]).removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    choices = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    return _resolved(choices[0], root) if len(choices) == 1 else schema


def _kinds(schema: Schema, root: Schema) -> set[str]:
    """The JSON types that a schema takes, null among them."""
    if "$ref" in schema:
        return _kinds(_resolved(schema, root), root)
    if "anyOf" in schema:
        return {kind for each in schema["anyOf"] for kind in _kinds(each, root)}
    told = schema.get("type", _ANYTHING)
    return {told} if isinstance(told, str) else set(told)
