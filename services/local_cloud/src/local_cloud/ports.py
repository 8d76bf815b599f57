"""Whether a loopback port is free, and who sits on one that is taken."""

import socket
from contextlib import suppress
from pathlib import Path

from local_cloud.failures import LocalCloudError
from stacks.local_ports import LOOPBACK


def is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a connection lingering in TIME_WAIT does not make a port taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def require_free(part: str, port: int) -> None:
    """Raise the sentence that names the part, the port and, where the system tells, who has it."""
    if is_free(port):
        return
    owner = _listener(port)
    taken_by = f"by {owner}" if owner else "by another program"
    raise LocalCloudError(
        f"Port {port}, which {part} needs, is taken {taken_by}: stop it, or choose other ports with AMPLY_PORT_BASE."
    )


def _listener(port: int) -> str | None:
    """The name and pid of the process that listens on a port, when we may look at it."""
    inodes = _listening_inodes(port)
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and inodes & _socket_inodes(process):
            with suppress(OSError):  # it may end while we look; it had the port a moment ago
                return f"{(process / 'comm').read_text().strip()} (pid {process.name})"
    return None


def _listening_inodes(port: int) -> set[str]:
    listening, local_address, state, inode = "0A", 1, 3, 9
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if not Path(table).exists():
            continue
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[state] == listening and int(fields[local_address].rpartition(":")[2], 16) == port:
                found.add(fields[inode])
    return found


def _socket_inodes(process: Path) -> set[str]:
    """The sockets a process has open; none when we may not look, or it ends while we do."""
    found: set[str] = set()
    with suppress(OSError):
        for descriptor in (process / "fd").iterdir():
            with suppress(OSError):
                found.add(str(descriptor.readlink()).removeprefix("socket:[").removesuffix("]"))
    return found
