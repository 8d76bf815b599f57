"""The revisions of a checkout's migrations, parsed as text without importing the backend."""

import re
from dataclasses import dataclass
from pathlib import Path

from operations.restore.outcome import NotChecked

_REVISION = re.compile(r'^revision = "([^"]+)"$', re.MULTILINE)
_BEFORE = re.compile(r'^down_revision = "([^"]+)"$', re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Migrations:
    """All revisions, and the head."""

    known: frozenset[str]
    newest: str


def read_migrations(folder: Path) -> Migrations:
    """Raises NotChecked unless the folder holds one line of revisions."""
    texts = [file.read_text() for file in sorted(folder.glob("*.py"))]
    known = {revision for text in texts for revision in _REVISION.findall(text)}
    newest = known - {before for text in texts for before in _BEFORE.findall(text)}
    if len(newest) != 1:
        raise NotChecked(
            f"{folder} holds no single line of migrations: run this in a checkout of the release."
        )
    return Migrations(known=frozenset(known), newest=newest.pop())
