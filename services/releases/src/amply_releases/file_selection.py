"""Selects the files of a batch: present and valid under the policy. An invalid file delays no other."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from amply_lake import Limits, Policy, SourceError, examine
from amply_releases.datasets import FileState, Waiting
from amply_releases.lines import GONE, SET_ASIDE, say
from amply_releases.ports import Parts

INCOMING: Final = "in"
"""The folder of copies, within `scratch`."""
ODD_MAX: Final = 8
"""Files of a turn that contradict others: to find one takes reading all of them some times, and other datasets wait meanwhile. What
comes after the next one waits for another turn."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that waits, and its copy here."""

    file: Waiting
    path: Path


def sift(parts: Parts, policy: Policy, fetched: Sequence[Fetched], *, now: datetime) -> list[Fetched]:
    """Keep of what was fetched what can be released together; say of the rest what became of it.

    Files without a row are done at once: a writer leaves them where everybody has withdrawn.
    """
    fit = [one for one in fetched if _fits(parts, policy, one, now=now)]
    for _ in range(ODD_MAX):
        odd = _first_odd(fit, policy, parts.limits)
        if odd is None:
            return fit
        number, reason = odd
        _set_aside(parts, fit.pop(number).file, reason, now=now)
    odd = _first_odd(fit, policy, parts.limits)
    return fit if odd is None else fit[: odd[0]]


def fetch(parts: Parts, waiting: Sequence[Waiting], *, now: datetime) -> Iterator[Fetched]:
    """As many as one batch may have; the others wait for the next one."""
    folder = parts.scratch / INCOMING
    shutil.rmtree(folder, ignore_errors=True)
    together = 0
    for number, file in enumerate(waiting):
        if file.size_bytes > parts.limits.source_bytes:
            # Fetched, it could fill the disk, and all datasets would wait for it.
            reason = f"{file.name.rpartition('/')[2]} has {file.size_bytes} bytes, and {parts.limits.source_bytes} may be read; split it"
            _set_aside(parts, file, reason, now=now)
            continue
        if together and together + file.size_bytes > parts.batch_bytes:
            return
        place = folder / f"{number:04}" / file.name.rpartition("/")[2]
        place.parent.mkdir(parents=True)
        found = parts.raw.fetch(file.key, place)
        if found is None:
            parts.datasets.decide(file, FileState.GONE, now=now)
            say(GONE, dataset=file.dataset_id, file=file.name)
        elif found.etag == file.etag:  # otherwise it was written anew, and a message about that is on its way
            together += file.size_bytes
            yield Fetched(file, place)


def _fits(parts: Parts, policy: Policy, one: Fetched, *, now: datetime) -> bool:
    try:
        rows = examine([one.path], policy, parts.limits).rows
    except SourceError as error:
        _set_aside(parts, one.file, str(error), now=now)
        return False
    if rows == 0:
        parts.datasets.decide(one.file, FileState.RELEASED, now=now)
    return rows > 0


def _first_odd(files: Sequence[Fetched], policy: Policy, limits: Limits) -> tuple[int, str] | None:
    """The first file that does not go with those before it, and why: found by halves."""

    def wrong_with(count: int) -> str | None:
        try:
            examine([one.path for one in files[:count]], policy, limits)
        except SourceError as error:
            return str(error)
        return None

    reason = wrong_with(len(files)) if len(files) > 1 else None
    if reason is None:
        return None
    good, bad = 1, len(files)
    while bad - good > 1:
        middle = (good + bad) // 2
        found = wrong_with(middle)
        good, bad, reason = (middle, bad, reason) if found is None else (good, middle, found)
    return bad - 1, reason


def _set_aside(parts: Parts, file: Waiting, reason: str, *, now: datetime) -> None:
    parts.datasets.decide(file, FileState.SET_ASIDE, reason, now=now)
    say(SET_ASIDE, dataset=file.dataset_id, file=file.name)
