"""Waivers for replacements that a reviewer accepted: a TOML file, each entry with a reason and an expiry date.

[[replacement]]
environment = "sandbox"
stack = "storage"
logical_id = "Documents7E5B2978"
reason = "The bucket is empty in the sandbox; the new name follows the others."
until = 2027-01-31
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from operations.difference.outcome import CannotCompareError

SHORTEST_REASON: Final = 25
"""Characters; shorter than this nobody has ever explained anything."""
_FIELDS: Final = {"environment": str, "stack": str, "logical_id": str, "reason": str, "until": date}


@dataclass(frozen=True, kw_only=True)
class ApprovedReplacement:
    """One resource of one environment that may be replaced or destroyed, through the day `until`."""

    environment: str
    stack: str
    logical_id: str
    reason: str
    until: date

    def holds_on(self, day: date) -> bool:
        return day <= self.until


def read_approved_replacements(file: Path) -> tuple[ApprovedReplacement, ...]:
    """Read the file.

    Raises:
        CannotCompareError: It cannot be read, or an entry is not complete and unambiguous.
    """
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as wrong:
        raise CannotCompareError(f"The approvals in {file} cannot be read: {wrong}") from wrong
    entries = document.pop("replacement", [])
    if document or not isinstance(entries, list):
        raise CannotCompareError(f"{file} holds [[replacement]] entries and nothing else.")
    approved = tuple(_approval(file, number, entry) for number, entry in enumerate(entries, start=1))
    places = [(approval.environment, approval.stack, approval.logical_id) for approval in approved]
    if twice := next((place for place in places if places.count(place) > 1), None):
        raise CannotCompareError(f"{file} names {'/'.join(twice)} twice; keep one.")
    return approved


def _approval(file: Path, number: int, entry: Mapping[str, Any]) -> ApprovedReplacement:
    where = f"{file}, replacement {number}"
    if not isinstance(entry, dict) or set(entry) != set(_FIELDS):
        raise CannotCompareError(f"{where}: give {', '.join(_FIELDS)}, each once and nothing else.")
    for name, kind in _FIELDS.items():
        # A date with a time is a date to Python; here it would leave open which day is the last.
        if not isinstance(entry[name], kind) or isinstance(entry[name], datetime):
            raise CannotCompareError(
                f"{where}: {name} is a {'day such as 2027-01-31' if kind is date else 'text'}."
            )
    if len(entry["reason"].strip()) < SHORTEST_REASON:
        raise CannotCompareError(f"{where}: an approval needs a reason a reviewer can judge.")
    return ApprovedReplacement(**entry)
