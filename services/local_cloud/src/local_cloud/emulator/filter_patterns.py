"""Parses the subset of CloudWatch Logs filter patterns that our stacks use.

Terms a line must contain (`ERROR "not found"`: both; no term: every line), or one field of a JSON line that must be a text
(`{ $.event = "release_failed" }`). Any other pattern is refused in a sentence: counting by half a pattern would be worse
than counting nothing. What patterns mean:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

_SELECTOR: Final = r"\$((?:\.[A-Za-z0-9_-]+)+)"
_FIELD_IS: Final = re.compile(rf'\{{\s*{_SELECTOR}\s*=\s*"([^"*\\]*)"\s*\}}')
_TERM: Final = re.compile(r'"([^"\\]+)"|(\w+)')
_TERMS: Final = re.compile(rf"\s*(?:(?:{_TERM.pattern})(?:\s+|$))*")


class NotUnderstoodError(Exception):
    """A metric filter uses an unsupported feature; the message says what to do."""


class Line:
    """One log line, parsed as JSON lazily and once."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def _read(self) -> Any:
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError):
            return None

    def field(self, path: "Selector") -> Any:
        """What stands there; None where there is nothing, or the line is no JSON."""
        found = self._read
        for key in path.keys:
            found = found.get(key) if isinstance(found, dict) else None
        return found


@dataclass(frozen=True)
class Selector:
    """A path to a field of a JSON line: `$.key`, `$.key.inner`."""

    keys: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "Selector":
        """Raise NotUnderstoodError where it is anything else, an item of an array for one."""
        found = re.fullmatch(_SELECTOR, text)
        if found is None:
            raise NotUnderstoodError(
                f"The laptop cloud does not understand the selector {text!r}: name a field by its keys, as in $.key.inner."
            )
        return cls(tuple(found[1][1:].split(".")))


@dataclass(frozen=True)
class Terms:
    """The line contains each of these terms, case-sensitively."""

    terms: tuple[str, ...]

    def matches(self, line: Line) -> bool:
        return all(term in line.text for term in self.terms)


@dataclass(frozen=True)
class FieldIs:
    """The field equals this text."""

    selector: Selector
    text: str

    def matches(self, line: Line) -> bool:
        return bool(line.field(self.selector) == self.text)


Pattern = Terms | FieldIs


def parse(pattern: str) -> Pattern:
    """A pattern as the API has it.

    Raises:
        NotUnderstoodError: It is of another kind.
    """
    field_is = _FIELD_IS.fullmatch(pattern.strip())
    if field_is is not None:
        return FieldIs(Selector.parse(f"${field_is[1]}"), field_is[2])
    if _TERMS.fullmatch(pattern):
        return Terms(tuple(quoted or word for quoted, word in _TERM.findall(pattern)))
    raise NotUnderstoodError(
        f"The laptop cloud does not understand the filter pattern {pattern!r}: "
        "use words and quoted texts, or one field of a JSON line that equals a text, "
        "or teach local_cloud/emulator/filter_patterns.py more."
    )
