"""Feature flags of environments, and the rule that a disabled one leaves no trace."""

import json
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass

from stacks.environment import Environment
from tests.infrastructure.assembly import Deployed


@dataclass(frozen=True, kw_only=True)
class Flag:
    """Stacks that exist only with it, and stacks it may add resources to. Everything else is the same byte by byte."""

    own: frozenset[str]
    adds_to: frozenset[str] = frozenset()


def switches(of: type = Environment, path: str = "") -> Iterator[str]:
    """Every field an environment can say no in (`X | None`, or a bool), by its path through the settings."""
    hints = typing.get_type_hints(of)
    for field in fields(of):
        choices = _choices(hints[field.name])
        here = f"{path}{field.name}"
        if bool in choices or types.NoneType in choices:
            yield here
        for choice in choices:
            if is_dataclass(choice):
                yield from switches(choice, f"{here}.")


def _choices(hint: object) -> tuple[type, ...]:
    """The members of a union, or the one type."""
    found = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    return tuple(one for one in found if isinstance(one, type))


def traces(flag: Flag, *, off: Deployed, on: Deployed) -> Iterator[str]:
    """A sentence for each thing that is there although it is off, or is another because it is on."""
    for stack in sorted(flag.own & set(off.templates)):
        yield f"{stack} is there although it is off"
    for stack in sorted(flag.own - set(on.templates)):
        yield f"{stack} is not there although it is on"
    for stack in sorted((set(off.templates) | set(on.templates)) - flag.own):
        if stack not in off.templates or stack not in on.templates:
            yield f"{stack} comes or goes with it, and is not listed as its own"
        elif stack in flag.adds_to:
            yield from _changed(stack, off.templates[stack], on.templates[stack])
        elif json.dumps(off.templates[stack]) != json.dumps(on.templates[stack]):
            yield f"{stack} changes with it"


def _changed(stack: str, off: Mapping[str, typing.Any], on: Mapping[str, typing.Any]) -> Iterator[str]:
    """What is there without it must be the same with it; resources may be there besides."""
    for section in sorted(set(off) | set(on)):
        before, after = off.get(section, {}), on.get(section, {})
        if section != "Resources":
            if json.dumps(before) != json.dumps(after):
                yield f"{stack}: {section} change with it"
            continue
        for name, body in before.items():
            if json.dumps(after.get(name)) != json.dumps(body):
                yield f"{stack}: {name} changes with it"
