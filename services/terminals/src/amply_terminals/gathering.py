"""Gathers single messages into daily files for the anonymiser.

Every day that is over is looked at again for as long as a message may still come late out of the queue. A file is named by
what is in it: where nothing is new, nothing is read and nothing is written. Where something came late there is a second
file with all rows again, which the anonymiser tells apart by `event_id`.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Final, Protocol

from amply_terminals.datasets import DATASETS, Dataset
from amply_terminals.store import Store
from amply_terminals.told import Kind

LOOKED_AT_AGAIN: Final = 15
"""Days: the queue keeps a message for fourteen."""
ROWS_OF_A_FILE: Final = 10_000
_AT_ONCE: Final = 16


class Sources(Protocol):
    """The table Datasets, as far as two of its items go."""

    def name(self, dataset: Dataset) -> None:
        """Say that it is there, unless a newer version says so already."""
        ...


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """One file that was written."""

    dataset: str
    day: date
    rows: int


def gather(*, store: Store, sources: Sources, now: datetime) -> Iterator[Gathered]:
    """Write what is missing, the oldest day first; ended at any moment, the next call goes on."""
    for days in range(LOOKED_AT_AGAIN, 0, -1):
        day = now.date() - timedelta(days=days)
        for kind in Kind:
            yield from _day(kind, day, store=store, sources=sources)


def _day(kind: Kind, day: date, *, store: Store, sources: Sources) -> Iterator[Gathered]:
    dataset = DATASETS[kind]
    found = store.keys(f"terminals/{kind}/dt={day}/")
    while keys := list(islice(found, ROWS_OF_A_FILE)):
        name = dataset.file_name(day.isoformat(), keys)
        if next(store.keys(name), None) is not None:
            continue
        # Named first: a file of a dataset that nobody knows would be set aside.
        sources.name(dataset)
        if store.put_once(name, dataset.file(_read(keys, store))):
            yield Gathered(dataset=dataset.id, day=day, rows=len(keys))


def _read(keys: Sequence[str], store: Store) -> list[bytes]:
    with ThreadPoolExecutor(_AT_ONCE) as at_once:
        return list(at_once.map(lambda key: _there(key, store), keys))


def _there(key: str, store: Store) -> bytes:
    found = store.get(key)
    if found is None:
        raise LookupError(f"{key} was listed and is gone; the next turn lists again.")
    return found
