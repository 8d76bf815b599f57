"""Outcomes of a comparison, and their exit codes."""

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes, which a pipeline relies on."""

    SAFE = 0
    """Nothing that holds data is replaced or destroyed, or an approval names each."""
    BLOCKED = 1
    """Something that holds data would be replaced or destroyed, and no approval names it."""
    NOT_COMPARED = 2
    """There is no answer; standard error says in one sentence why."""


class CannotCompareError(Exception):
    """The comparison failed; the message says why and what to do."""
