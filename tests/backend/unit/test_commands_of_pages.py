"""The administration's commands that pages and runbooks tell people to type exist, with the options that stand there."""

import re
from itertools import takewhile
from pathlib import Path
from typing import Final

import click
import pytest

from amply.entrypoints.admin import main

ROOT: Final = Path(__file__).parents[3]
PAGES: Final = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
_TYPED: Final = (
    re.compile(r"amply\.entrypoints\.admin ([^`\n]+)"),
    re.compile(r"""COMMAND=(['"])(?P<command>.+?)\1"""),
    re.compile(r"`admin ([a-z][^`]+)`"),
)
_WORD: Final = re.compile(r"[a-z][a-z-]*")
_OPTION: Final = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")


def typed(page: str) -> set[str]:
    """Every command that stands on a page, in one line each."""
    lines = re.sub(r"\s*\\\n\s*", " ", page)
    inline = re.sub(r"(?<=[^\n`])\n(?=[^\n`|#-])", " ", page)
    found = set(_TYPED[0].findall(lines))
    found |= {match["command"] for match in _TYPED[1].finditer(lines)}
    return found | set(_TYPED[2].findall(inline))


def command_of(words: str) -> click.Command:
    """The command that these words begin with."""
    found: click.Command = main
    for word in takewhile(lambda word: _WORD.fullmatch(word) is not None, words.split()):
        if not isinstance(found, click.Group):
            break
        named = found.get_command(click.Context(found), word)
        assert named is not None, f"there is no command '{word}' in: admin {words}"
        found = named
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_tells_people_to_type_can_be_typed(page: Path) -> None:
    for words in typed(page.read_text()):
        command = command_of(words)
        there = {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
        assert set(_OPTION.findall(words)) - there - {"--help"} == set(), f"admin {words}"


def test_commands_are_found_on_pages() -> None:
    assert sum(len(typed(page.read_text())) for page in PAGES) > 60
