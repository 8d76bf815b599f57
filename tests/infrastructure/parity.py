"""Lists every difference between the templates of staging and production, with its path."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from stacks.environments import ENVIRONMENTS
from tests.infrastructure.assembly import Deployed, Resource

LISTED = Path(__file__).with_name("staging.toml")
_DOMAIN = "amply.example"
_HASH = re.compile(r"[0-9A-F]{8}")
"""The library's, at the end of ids."""
_OWNER = re.compile(r"(?<=aws-cdk:cr-owned:)[0-9a-f]{8}")
"""The library's mark of who uploads into a bucket."""


def listed() -> Mapping[str, str]:
    """The differences that are meant, each with its reason."""
    return {str(path): str(reason) for path, reason in tomllib.loads(LISTED.read_text()).items()}


def differences(one: Deployed, other: Deployed) -> Iterator[str]:
    """Paths that read `stack TYPE LogicalId Properties.Name`, each once, sorted by stack."""
    for stack in sorted(set(one.templates) | set(other.templates)):
        if stack not in one.templates or stack not in other.templates:
            yield f"{stack} (only in {(one if stack in one.templates else other).name})"
            continue
        yield from _in_stack(stack, one, other)


def _in_stack(stack: str, one: Deployed, other: Deployed) -> Iterator[str]:
    mine, theirs = (_resources(stack, deployed) for deployed in (one, other))
    for place in sorted(set(mine) | set(theirs)):
        if place not in mine or place not in theirs:
            yield f"{place} (only in {(one if place in mine else other).name})"
        else:
            yield from (f"{place} {path}" for path in _paths(mine[place], theirs[place]))
    left, right = (_normal(deployed.templates[stack], deployed) for deployed in (one, other))
    for part in sorted((set(left) | set(right)) - {"Resources"}):
        yield from (f"{stack} {part} {path}" for path in _paths(left.get(part, {}), right.get(part, {})))


def _resources(stack: str, deployed: Deployed) -> Mapping[str, object]:
    """By type and path in the construct tree; logical ids may carry a hash of the environment's name."""
    found: dict[str, object] = {}
    for logical_id, body in deployed.templates[stack].get("Resources", {}).items():
        path = Resource(stack, logical_id, body).path.removeprefix(f"{deployed.name}/{stack}/")
        place = f"{stack} {body['Type']} {_plain(path.removesuffix('/Resource'), deployed)}"
        assert place not in found, place
        found[place] = _normal(body, deployed)
    return found


def _paths(left: object, right: object, path: str = "") -> Iterator[str]:
    if left == right:
        return
    if isinstance(left, dict) and isinstance(right, dict):
        for key in sorted(set(left) | set(right)):
            yield from _paths(left.get(key), right.get(key), f"{path}.{key}" if path else str(key))
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for index, (mine, theirs) in enumerate(zip(left, right, strict=True)):
            yield from _paths(mine, theirs, f"{path}.{index}")
    else:
        yield path


def _normal(value: object, deployed: Deployed) -> dict[str, object]:
    """The value with what differs by definition taken out, and with named lists read by name."""

    def normal(inner: object) -> object:
        if isinstance(inner, dict):
            return {
                _plain(str(key), deployed): normal(item) for key, item in inner.items() if key != "Metadata"
            }
        if isinstance(inner, list):
            names = [item.get("Name") if isinstance(item, dict) else None for item in inner]
            if names and all(names):
                return {str(name): normal(item) for name, item in zip(names, inner, strict=True)}
            return [normal(item) for item in inner]
        return _plain(inner, deployed) if isinstance(inner, str) else inner

    found = normal(value)
    assert isinstance(found, dict)
    return found


def _plain(text: str, deployed: Deployed) -> str:
    """Without the environment's name, account and domain, and without the hashes of what contains the name."""
    settings = ENVIRONMENTS[deployed.name]  # type: ignore[index]  # names read from disk
    registry = settings.image.repository.partition(".")[0]
    for what in (f"{deployed.name}.{_DOMAIN}", _DOMAIN, settings.account, registry):
        text = text.replace(what, "*")
    if deployed.name in text:
        text = _HASH.sub("", text).replace(deployed.name, "*")
    return _OWNER.sub("", text)


def unlisted(found: list[str], patterns: Mapping[str, str]) -> list[str]:
    """Differences no pattern of the list covers."""
    return [path for path in found if not any(fnmatchcase(path, pattern) for pattern in patterns)]


def stale(found: list[str], patterns: Mapping[str, str]) -> list[str]:
    """Patterns of the list that no difference fits any more."""
    return [pattern for pattern in patterns if not any(fnmatchcase(path, pattern) for path in found)]
