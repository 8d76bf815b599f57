"""A local run with its own directory and free ports."""

import os
from collections.abc import Iterator
from pathlib import Path

from local_cloud.ports import is_free
from local_cloud.settings import Settings
from stacks.local_ports import LocalPorts
from tests.ports import is_ours

_FIRST, _BASES_OF_A_WORKER, _APART = 12_000, 220, 11
"""Below what the kernel hands to outgoing connections (32768 and above), which would take a port between two looks."""


def settings_of_our_own(state: Path) -> Settings:
    """Settings over eleven free ports in a row; the directories are made."""
    settings = Settings(state=state, ports=LocalPorts(base=next(_free_bases)))
    settings.prepare()
    return settings


def _bases() -> Iterator[int]:
    """Each base once, and in each test worker others; what another run beside this one has is passed over."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = _FIRST + worker % 8 * _BASES_OF_A_WORKER * _APART
    for base in range(first, first + _BASES_OF_A_WORKER * _APART, _APART):
        ports = LocalPorts(base=base)
        if is_ours(base) and all(is_free(port) for port in (*ports.by_part().values(), ports.terminals)):
            yield base


_free_bases = _bases()
