"""Which loopback port each part listens on, and who sits on one that is taken."""

import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from local_cloud.failures import LocalCloudError

LOOPBACK = "127.0.0.1"
DEFAULT_BASE = 8700
LOWEST_BASE = 1024
"""The first port that needs no privilege."""
PORTS = 11
"""How many ports a run takes, from its base on."""
HIGHEST_BASE = 65535 - (PORTS - 1)
WITNESSES = (1, 2, 3)


@dataclass(frozen=True, kw_only=True)
class Ports:
    """Every port derives from one base, as `-c port_base=` gives it to the CDK app's local stage."""

    base: int = DEFAULT_BASE

    def __post_init__(self) -> None:
        if not LOWEST_BASE <= self.base <= HIGHEST_BASE:
            raise LocalCloudError(
                f"AMPLY_PORT_BASE is {self.base}: choose a number from {LOWEST_BASE} to {HIGHEST_BASE}."
            )

    @property
    def api(self) -> int:
        return self.base

    @property
    def edge(self) -> int:
        return self.base + 1

    @property
    def stripe(self) -> int:
        return self.base + 2

    @property
    def outbox(self) -> int:
        return self.base + 3

    @property
    def postgres(self) -> int:
        return self.base + 4

    @property
    def valkey(self) -> int:
        return self.base + 5

    @property
    def cloud(self) -> int:
        return self.base + 6

    def witness(self, number: int) -> int:
        """Of the first, second and third witness."""
        return self.base + 6 + number

    @property
    def terminals(self) -> int:
        """MQTT of the emulated cloud, where the flag `iot` is on."""
        return self.base + 10

    def by_part(self) -> dict[str, int]:
        return {
            "cloud": self.cloud,
            "postgres": self.postgres,
            "valkey": self.valkey,
            "stripe": self.stripe,
            "api": self.api,
            "edge": self.edge,
            "outbox": self.outbox,
            **{witness_part(number): self.witness(number) for number in WITNESSES},
        }


def witness_part(number: int) -> str:
    """What a witness is called among the parts, and in the policy."""
    return f"witness-{number}"


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
