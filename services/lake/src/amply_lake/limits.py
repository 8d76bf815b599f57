"""Limits on all input."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of a run and its sources; larger input is refused before it is read in full.

    `spill` is a folder for what does not fit into memory. `expansion` is how many times larger than the file what is
    packed in it may be, once it is more than `free_bytes`.
    """

    spill: Path
    memory_bytes: int = 2 << 30
    threads: int = 2
    rows: int = 1_000_000_000
    source_bytes: int = 1 << 40
    expansion: int = 200
    free_bytes: int = 256 << 20
    cell_bytes: int = 4_096
    files: int = 500
    tuples: int = 5_000_000
