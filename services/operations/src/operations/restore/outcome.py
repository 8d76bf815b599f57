"""Outcomes and exit codes of a rehearsal. Only a complete success, cleaned up, exits with 0."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, IntEnum


class Exit(IntEnum):
    """Exit codes. The lowest that fits is told: what is wrong with the data comes before what is left to tidy up."""

    REHEARSED = 0
    USAGE = 2
    WRONG = 10
    """Restored, and not what it should be."""
    NOT_CHECKED = 20
    """Something stood in the way; nothing is known of the backup."""
    LEFT_BEHIND = 30
    """The throw-away instance is still there, and costs."""


class NotChecked(Exception):
    """What stood in the way of knowing, and what to do, in one sentence."""


class Verdict(Enum):
    """What one check has found."""

    RIGHT = "ok"
    WRONG = "WRONG"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One check and the sentence that a person reads."""

    check: str
    verdict: Verdict
    sentence: str


def judge(findings: Iterable[Finding]) -> Exit:
    """No findings prove nothing."""
    verdicts = {finding.verdict for finding in findings}
    if Verdict.WRONG in verdicts:
        return Exit.WRONG
    return Exit.REHEARSED if verdicts == {Verdict.RIGHT} else Exit.NOT_CHECKED
