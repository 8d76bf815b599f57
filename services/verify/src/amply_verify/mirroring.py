"""Copies of a log in a directory: making one, and finding what is wrong with one."""

import dataclasses
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from amply_verify.auditing.report import AuditReport
from amply_verify.auditing.run import Audit, Progress, run_audit
from amply_verify.checkpoint_check import FULL_TILE_BYTES
from amply_verify.consistency_check import compare
from amply_verify.directory import DirectoryGetter, store
from amply_verify.keys import Trust
from amply_verify.log_source import LogSource, open_log
from amply_verify.outcome import CheckFailure, Exit
from ledger_format.tiles import (
    MAX_BUNDLE_BYTES,
    TILE_HEIGHT,
    TILE_WIDTH,
    Tile,
    bundle_path,
    tile_path,
)

MAX_STRAYS_TOLD: Final = 20

_FILE: Final = re.compile(r"tile/([0-7]|entries)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")
_CHECKPOINT: Final = "checkpoint"


@dataclasses.dataclass(frozen=True, slots=True)
class CopyChecked:
    """A copy that was checked: what the audit says, and files that do not belong to the tree at hand.

    Attributes:
        leftovers: Partial files of smaller trees; they begin what has grown from them.
        strays: How many files are no part of a log, or lie beyond its checkpoint; `told` names the first.
    """

    audit: AuditReport
    leftovers: int
    strays: int
    told: tuple[str, ...]


def check_copy(directory: str, trusted: Trust, *, jobs: int | None, progress: Progress) -> CopyChecked:
    """Check every file of a copy: the tree's against the signed root, what is left over against the tree's.

    Raises:
        CheckFailure: A file is missing, damaged, or cannot be read.
        FormatError: The checkpoint is malformed or not signed, or the tree does not give the signed root.
    """
    audit = run_audit(Audit(place=directory, trusted=trusted, replay=False, jobs=jobs), progress)
    getter = DirectoryGetter(directory)
    leftovers, strays = 0, 0
    told: list[str] = []
    for name in _files(getter.root):
        kind = _classify(name, audit.signed.checkpoint.size)
        if kind == "left over":
            _check_leftover(name, LogSource("", getter, is_remote=False))
            leftovers += 1
        elif kind == "stray":
            strays += 1
            if len(told) < MAX_STRAYS_TOLD:
                told.append(name)
    return CopyChecked(audit, leftovers, strays, tuple(told))


def make_copy(
    address: str, directory: str, trusted: Trust, *, jobs: int | None, progress: Progress
) -> AuditReport:
    """Copy a log into a directory, or bring a copy up to date; the checkpoint comes last, once everything gives its root.

    Raises:
        ForkError: The copy's checkpoint and the log's contradict each other.
        CheckFailure: Something is damaged, or cannot be read or written.
        FormatError: A checkpoint is malformed or not signed, or the tree does not give the signed root.
    """
    try:
        Path(directory).mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise CheckFailure(
            Exit.UNREADABLE, f"{directory!r} cannot be made ({error})", "give a directory you can write to"
        ) from error
    audit = _fetch(
        Audit(place=address, trusted=trusted, replay=False, jobs=jobs, keep_in=directory), directory, progress
    )
    root = DirectoryGetter(directory).root
    if (root / _CHECKPOINT).exists():
        with open_log(directory) as copy:
            before = copy.checkpoint(Trust(trusted.keys))  # was cosigned by the witnesses of its own time
            if before.checkpoint.size > audit.signed.checkpoint.size:
                compare(audit.signed, before, copy.tile)
                raise CheckFailure(
                    Exit.STALE,
                    f"the log shows {audit.signed.checkpoint.size} entries, and the copy has "
                    f"{before.checkpoint.size} already",
                    "try again in a minute; if it stays so, report it to the log's operator",
                )
            compare(before, audit.signed, copy.tile)
    store(root / _CHECKPOINT, audit.note.encode())
    return audit


def _fetch(wanted: Audit, directory: str, progress: Progress) -> AuditReport:
    try:
        return run_audit(wanted, progress)
    except CheckFailure as failure:
        if failure.exit_code not in {Exit.PROOF, Exit.MALFORMED}:
            raise
        raise CheckFailure(
            failure.exit_code,
            failure.reason,
            f"remove what it names from {directory!r} and copy again; if it stays so, report it to the log's operator",
        ) from failure


def _files(root: Path) -> Iterator[str]:
    """Name every file below a directory, without following links."""
    for folder, _, names in os.walk(root):
        for name in sorted(names):
            yield Path(folder, name).relative_to(root).as_posix()


def _classify(name: str, size: int) -> str:
    """Whether a file belongs to the tree, is left over from a smaller one, or is a stray."""
    if name == _CHECKPOINT:
        return "in the tree"
    match = _FILE.fullmatch(name)
    if match is None:
        return "stray"
    level, place, partial = match.groups()
    index = int(place.replace("x", "").replace("/", ""))
    count = size if level == "entries" else size >> TILE_HEIGHT * int(level)
    present = min(TILE_WIDTH, count - index * TILE_WIDTH)
    width = int(partial) if partial else TILE_WIDTH
    if width > present or name != _path(level, index, width):
        return "stray"
    return "in the tree" if width == present else "left over"


def _path(level: str, index: int, width: int) -> str:
    return bundle_path(index, width) if level == "entries" else tile_path(Tile(int(level), index, width))


def _check_leftover(name: str, place: LogSource) -> None:
    level, index, width = _parts(name)
    limit = MAX_BUNDLE_BYTES if level == "entries" else FULL_TILE_BYTES
    content = place.getter.get(f"/{name}", limit=limit)
    folder = Path(name).parent
    wider = [f"/{folder.parent.as_posix()}/{folder.name.removesuffix('.p')}"]
    wider += [f"/{folder.as_posix()}/{wide}" for wide in range(TILE_WIDTH - 1, width, -1)]
    for address in wider:
        try:
            grown = place.getter.get(address, limit=limit)
        except CheckFailure as failure:
            if failure.exit_code is not Exit.NOT_THERE:
                raise
            continue
        if not grown.startswith(content):
            raise CheckFailure(
                Exit.PROOF,
                f"{name} is not the beginning of what has grown from it ({address.lstrip('/')})",
                "what is read here is damaged; compare with another copy, and report it to the log's operator",
            )
        return
    raise CheckFailure(Exit.NOT_THERE, f"what has grown from {name} is missing", f"copy entry {index} again")


def _parts(name: str) -> tuple[str, str, int]:
    match = _FILE.fullmatch(name)
    if match is None:
        raise AssertionError("only files of a log are left over")
    level, place, partial = match.groups()
    return level, place, int(partial)
