"""Seconds of processor time that processes have used: other work on the machine hardly changes them."""

import os
from pathlib import Path
from typing import Final

_TICK: Final = os.sysconf("SC_CLK_TCK")
_PARENT, _OWN, _OF_ENDED = 1, slice(11, 13), slice(13, 15)
"""Places in `/proc/<pid>/stat` behind the name, which may hold anything: man 5 proc."""


def seconds_of(pid: int) -> float:
    """What this process has used, its threads included."""
    fields = _fields(pid)
    return sum(map(int, fields[_OWN])) / _TICK if fields else 0.0


def seconds_with_children(pid: int) -> float:
    """The same and what its children have, those that have ended and that it has waited for included."""
    fields = _fields(pid)
    if not fields:
        return 0.0
    children = (int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit())
    living = sum(seconds_of(child) for child in children if _parent(child) == pid)
    return sum(map(int, (*fields[_OWN], *fields[_OF_ENDED]))) / _TICK + living


def _parent(pid: int) -> int:
    fields = _fields(pid)
    return int(fields[_PARENT]) if fields else 0


def _fields(pid: int) -> list[str]:
    """Those behind the name; none where the process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
