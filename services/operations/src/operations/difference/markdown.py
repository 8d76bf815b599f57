"""Escapes text for Markdown, and limits a comment's size.

What comes from a template is shown as code: nothing in a code span is a link, a mention, an image or HTML.
https://github.github.com/gfm/#code-spans
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

LONGEST_COMMENT: Final = 65_536
"""Characters; GitHub refuses a longer comment."""
_LONGEST_CODE: Final = 160
"""Characters of one value from a template."""
_SPARE: Final = 2_048
"""Characters, for the sentences that say what was cut."""
_RUNS: Final = re.compile(r"`+")


def code(value: Any) -> str:
    """A value as a code span on one line: backticks fenced, what cannot be seen made visible, shortened."""
    text = "".join(_visible(character) for character in plain(value).replace("<!--", "<! --"))
    if len(text) > _LONGEST_CODE:
        text = f"{text[:_LONGEST_CODE]}…"
    if not text.strip():
        return "(empty)"
    fence = "`" * (max((len(run) for run in _RUNS.findall(text)), default=0) + 1)
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{space}{text}{space}{fence}"


def cell(value: Any) -> str:
    """A code span for a table, where a bar would end the cell even within code."""
    return code(value).replace("|", "\\|")


def plain(value: Any) -> str:
    """A template's value as one line of text, with references as CloudFormation's Fn::Sub writes them."""
    match _flat(value):
        case None:
            return "nothing"
        case str() as text:
            return text
        case other:
            return json.dumps(other, ensure_ascii=False, separators=(", ", ": "), default=str)


def _flat(value: Any) -> Any:
    match value:
        case {"Ref": str(name), **rest} if not rest:
            return f"${{{name}}}"
        case {"Fn::GetAtt": [*parts], **rest} if not rest:
            return f"${{{'.'.join(map(str, parts))}}}"
        case {"Fn::Join": [str(separator), [*parts]], **rest} if not rest:
            return separator.join(map(plain, parts))
        case dict():
            return {key: _flat(inner) for key, inner in value.items()}
        case list():
            return [_flat(inner) for inner in value]
        case _:
            return value


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character.isspace() else f"\\u{ord(character):04x}"


@dataclass(frozen=True, kw_only=True)
class Part:
    """A piece of a comment: `rows` may be truncated, `head` and `tail` are always kept."""

    head: Sequence[str] = ()
    rows: Sequence[str] = ()
    tail: Sequence[str] = ()


def fitting(parts: Sequence[Part], *, limit: int | None = LONGEST_COMMENT) -> str:
    """All parts as one text of at most `limit` characters; earlier parts keep their rows before later ones."""
    fixed = sum(len(line) + 1 for part in parts for line in (*part.head, *part.tail))
    left = None if limit is None else limit - fixed - _SPARE
    lines: list[str] = []
    for part in parts:
        kept = _kept(part.rows, left)
        left = None if left is None else left - sum(len(row) + 1 for row in kept)
        cut = len(part.rows) - len(kept)
        lines += [*part.head, *kept, *(_cut(cut) if cut else ()), *part.tail]
    return "\n".join(lines).rstrip() + "\n"


def _kept(rows: Sequence[str], left: int | None) -> Sequence[str]:
    if left is None:
        return rows
    for number, row in enumerate(rows):
        left -= len(row) + 1
        if left < 0:
            return rows[:number]
    return rows


def _cut(rows: int) -> tuple[str, ...]:
    return ("", f"*{rows} more are cut here, for GitHub takes no longer comment; `--whole` prints them.*")
