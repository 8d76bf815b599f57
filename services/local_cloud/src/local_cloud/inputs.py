"""Digests of source files, by which a repeated `make local` detects changes."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

_MADE_BY_TOOLS = frozenset({"__pycache__", "node_modules", "build", ".mypy_cache", ".ruff_cache"})


def digest(paths: Iterable[Path], *, words: Iterable[str] = ()) -> str:
    """One digest of the names and contents of all files under `paths`, and of `words`. A missing path is empty."""
    whole = hashlib.sha256()
    for word in words:
        whole.update(word.encode() + b"\0")
    for path in paths:
        for file in _files(path):
            whole.update(str(file).encode() + b"\0")
            whole.update(hashlib.sha256(file.read_bytes()).digest())
    return whole.hexdigest()


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    for file in sorted(path.rglob("*")):
        if file.is_file() and not _MADE_BY_TOOLS.intersection(file.relative_to(path).parts):
            yield file
