"""A local run of a test's own: its directory, and ports that nobody uses."""

import socket
from pathlib import Path

from local_cloud.ports import Ports, is_free
from local_cloud.settings import Settings

_HIGHEST_BASE = 60000


def settings_of_our_own(state: Path) -> Settings:
    """Settings over seven free ports in a row; the directories are made."""
    settings = Settings(state=state, ports=Ports(base=_free_base()))
    settings.prepare()
    return settings


def _free_base() -> int:
    while True:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            base = int(probe.getsockname()[1])
        if base <= _HIGHEST_BASE and all(is_free(port) for port in Ports(base=base).by_part().values()):
            return base
