"""Excludes people without valid consent, and those who withdrew since the last check."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from amply_lake import examine
from amply_releases.datasets import Source, Standing
from amply_releases.ports import Consent, Parts

_AGAIN_DAYS = 2
"""Looked at once more each time: the table's index by day follows the table itself a little later."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """People as the files name them. `withdrawn`: the table says so. `absent`: it says nothing of them, as one that was made anew does.

    `is_anybody`: there is somebody in the files of whom it says something, or nobody at all.
    """

    withdrawn: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()
    is_anybody: bool = True


def left_out(
    parts: Parts,
    source: Source,
    standing: Standing,
    files: Sequence[Path],
    *,
    has_batches: bool,
    today: date,
) -> LeftOut:
    """People who are not released.

    The ledger keeps withheld what was withheld once, so that whoever withdrew before that need not be named again; and nobody
    gets into a batch who is not given now.
    """
    if not source.of_donors:
        return LeftOut()
    lately = parts.consents.withdrawn(_days(standing, today)) if has_batches else set()
    people = examine(files, source.policy, parts.limits, people=True).people if files else frozenset()
    states = parts.consents.states(people)
    withdrawn = {one for one, state in states.items() if state == Consent.WITHDRAWN}
    given = {one for one, state in states.items() if state == Consent.GIVEN}
    return LeftOut(
        withdrawn=frozenset(lately | withdrawn),
        absent=people - given - withdrawn,
        is_anybody=bool(states) or not people,
    )


def _days(standing: Standing, today: date) -> list[date]:
    first = min(standing.withdrawn_until, today) - timedelta(days=_AGAIN_DAYS)
    return [first + timedelta(days=number) for number in range((today - first).days + 1)]
