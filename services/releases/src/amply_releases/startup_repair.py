"""Repairs a dataset's state at start, for instance after failover to another region.

Of what was written last, the region that takes over may have some, in any order (docs/adr/0148-the-lake-in-a-second-region.md).
"""

from datetime import datetime
from enum import StrEnum
from typing import Final

from amply_lake.history import History
from amply_releases.datasets import EVERYBODY, Standing
from amply_releases.ports import Parts, UnreadableSourceError
from amply_releases.publishing import catalogue, columns_of, place_of

_LOOKED_AT_AGAIN: Final = 5
"""More than end while one is being shown."""


class RepairStep(StrEnum):
    """Done once a process each: what fails later is no reason to write thousands of ends again."""

    ENDED = "ended"
    WENT_BACK = "went back"
    SHOWN = "shown"


def look_once(parts: Parts, dataset_id: str, done: set[RepairStep], *, now: datetime) -> None:
    """Have nothing served that has ended, nothing ended that was never decided, and in the catalogue what is served.

    `done`: what this process has done of it before, and has now.
    """
    standing = parts.datasets.standing(dataset_id, now=now)
    if standing is None:
        return
    if RepairStep.ENDED not in done:
        _end_what_has_ended(parts, dataset_id, standing, now=now)
        done.add(RepairStep.ENDED)
    if RepairStep.WENT_BACK not in done:
        _go_back_to_the_ledger(parts, dataset_id, standing)
        done.add(RepairStep.WENT_BACK)
    if RepairStep.SHOWN not in done:
        _show(parts, dataset_id, standing)
        done.add(RepairStep.SHOWN)


def _end_what_has_ended(parts: Parts, dataset_id: str, standing: Standing, *, now: datetime) -> None:
    """That all lower numbers have ended may have come along, and the end of each of them not. And whoever died while showing one may
    have put it into the catalogue afterwards.
    """
    parts.datasets.take_back(dataset_id, since=1, before=standing.kept_from, now=now)
    for revision in range(max(standing.kept_from - _LOOKED_AT_AGAIN, 1), standing.kept_from):
        parts.catalogue.remove(dataset_id, revision)


def _go_back_to_the_ledger(parts: Parts, dataset_id: str, standing: Standing) -> None:
    """What the table has as ended, and the ledger that came along never decided, is decided again, and must not be refused then.

    In one region a number ends only once the ledger knows of it; the table was read before.
    """
    newest = History.read(parts.ledgers.of(dataset_id), dataset_id).newest_to(EVERYBODY)
    following = max(0 if newest is None else newest.number, standing.latest) + 1
    if following < standing.kept_from:
        parts.datasets.go_back(dataset_id, to=following, before=standing.kept_from)


def _show(parts: Parts, dataset_id: str, standing: Standing) -> None:
    """The newest revision, which has all rows, to a catalogue that begins empty."""
    newest = standing.latest
    try:
        source = parts.datasets.source(dataset_id)
    except UnreadableSourceError:
        return  # it is told of elsewhere
    if source is None or not parts.datasets.is_served(dataset_id, newest):
        return
    columns = columns_of(source, parts.ledgers.of(dataset_id))
    catalogue(parts, source, columns, newest, place_of(dataset_id, newest))
    if not parts.datasets.is_served(dataset_id, newest):
        parts.catalogue.remove(dataset_id, newest)
