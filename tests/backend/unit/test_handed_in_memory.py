"""However long a file is, reading it takes the same memory."""

import subprocess
import sys
from collections.abc import Iterator
from itertools import chain, repeat
from typing import Final

import pytest

MEASURED: Final = """
import io, json, resource, sys
from tests.backend.handed_in import VISITS
from tests.backend.unit.test_handed_in_memory import long_file
from amply.modules.ingestion.reading import Reading, Shape
from amply.modules.ingestion.domain import Compression, FileFormat
kind, rows = sys.argv[1], int(sys.argv[2])
shape = Shape(format=FileFormat(kind), compression=Compression.NONE, columns=VISITS)
reading = Reading(long_file(kind, rows), shape, open_parquet=None)
for _ in reading.accepted():
    pass
assert reading.read == rows, reading.read
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


class long_file:  # noqa: N801 -- reads as a function
    """Rows without an end, as they are read."""

    def __init__(self, kind: str, rows: int) -> None:
        head = {"csv": b"visit,guest,email\n", "json": b"[", "jsonl": b""}[kind]
        tail = {"csv": b"", "json": b"]", "jsonl": b""}[kind]
        between = b"," if kind == "json" else b"\n"
        row = (
            b"v,g," + b"e" * 200
            if kind == "csv"
            else b'{"visit": "v", "guest": "g", "email": "%s"}' % (b"e" * 200)
        )
        body = chain.from_iterable((row, between) for _ in repeat(None, rows - 1))
        self._pieces: Iterator[bytes] = chain([head], body, [row, tail])

    def read(self, _size: int, /) -> bytes:
        held = bytearray()
        for piece in self._pieces:
            held += piece
            if len(held) > 60_000:
                break
        return bytes(held)


@pytest.mark.nightly
@pytest.mark.parametrize("kind", ["csv", "jsonl", "json"])
def test_a_file_three_times_as_long_takes_no_more_memory(kind: str) -> None:
    def peak(rows: int) -> int:
        ended = subprocess.run(
            [sys.executable, "-c", MEASURED, kind, str(rows)], capture_output=True, text=True, check=True
        )
        return int(ended.stdout)

    once, three_times = peak(100_000), peak(300_000)
    assert three_times < once * 1.15, (once, three_times)
