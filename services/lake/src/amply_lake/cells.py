"""Cells of a class: which of them are released, and which must be suppressed together.

A class is divided into cells of at least k people, each with l values of each sensitive column. Whoever withdraws takes
their whole cell along, so that two releases never differ by fewer than k people. Where chance leaves a cell with too
little, it is joined to the others of its class that are too small, and these to the first that is not.
"""

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bucket:
    """A random subset of a class's people, and whether it is large enough for a cell."""

    number_of_class: int
    bucket: int
    is_enough: bool


def buckets_of(people: int, k: int) -> int:
    """Number of buckets of a class: about 2k people each, so that few are too small."""
    return max(people // (2 * k), 1)


def cells(buckets: Iterable[Bucket]) -> Iterator[tuple[Bucket, int]]:
    """Number the cells consecutively over all classes; buckets come class by class, each class being large enough as a
    whole.
    """
    number = -1
    together: list[Bucket] = []
    for bucket in buckets:
        if together and together[0].number_of_class != bucket.number_of_class:
            number = yield from _of_class(together, number + 1)
            together = []
        together.append(bucket)
    if together:
        yield from _of_class(together, number + 1)


def _of_class(buckets: list[Bucket], first: int) -> Generator[tuple[Bucket, int], None, int]:
    """Number a class's cells; the first cell takes in all that are too small. Returns the last number."""
    enough = [bucket for bucket in buckets if bucket.is_enough]
    for at, bucket in enumerate(enough):
        yield bucket, first + at
    for bucket in buckets:
        if not bucket.is_enough:
            yield bucket, first
    return first + max(len(enough), 1) - 1
