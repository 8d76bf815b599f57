"""Finds the members that a group PATCH names, so that the SCIM library need not load thousands.

What is not surely about these alone is about all of them.
"""

import json
import re
from typing import Any, Final

_GROUP: Final = re.compile(r"/groups/[^/]+/?", re.IGNORECASE)
_ONE_OF_THEM: Final = re.compile(r'members\[\s*value\s+eq\s+("(?:[^"\\]|\\.)*")\s*\]', re.IGNORECASE)
_ITS_OWN: Final = frozenset({"displayname", "externalid"})
_KEYS: Final = frozenset({"op", "path", "value"})


def named_by(method: str, path: str, *, is_plain: bool, body: bytes) -> frozenset[str] | None:
    """The members that a group PATCH names (none for a change of name); None if it may concern all.

    `is_plain`: the answer is asked for in no form of its own, so that it does not show the group.
    """
    if method != "PATCH" or not is_plain or _GROUP.fullmatch(path) is None:
        return None
    try:
        said = json.loads(body)
    except ValueError:
        return None
    operations = said.get("Operations") if isinstance(said, dict) else None
    if not isinstance(operations, list):
        return None
    named: set[str] = set()
    for operation in operations:
        found = _named(operation)
        if found is None:
            return None
        named |= found
    return frozenset(named)


def _named(operation: Any) -> set[str] | None:
    if not isinstance(operation, dict) or not operation.keys() <= _KEYS:
        return None
    op, path, value = operation.get("op"), operation.get("path"), operation.get("value")
    if not isinstance(op, str) or not isinstance(path, str):
        return None
    if path.lower() in _ITS_OWN:
        return set()
    if path.lower() == "members" and op.lower() in ("add", "remove"):
        return _listed(value)
    one = _ONE_OF_THEM.fullmatch(path) if op.lower() == "remove" and value is None else None
    return None if one is None else _listed([{"value": _unquoted(one[1])}])


def _listed(value: Any) -> set[str] | None:
    """Each by its id; None where something has none."""
    entries = value if isinstance(value, list) else [value]
    found = [entry.get("value") if isinstance(entry, dict) else None for entry in entries]
    named = {each for each in found if isinstance(each, str)}
    return named if all(isinstance(each, str) for each in found) else None


def _unquoted(text: str) -> str | None:
    try:
        return str(json.loads(text))
    except ValueError:
        return None
