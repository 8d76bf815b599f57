"""The addresses on which processes listen, from the kernel."""

import socket
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_LISTENING, _LOCAL_ADDRESS, _STATE, _INODE = "0A", 1, 3, 9


def addresses(pids: Iterable[int]) -> set[str]:
    """The local IPv4 and IPv6 addresses (no ports) that any of these processes listens on."""
    inodes = {inode for pid in pids for inode in _socket_inodes(pid)}
    found = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        for line in table.read_text().splitlines()[1:] if table.exists() else ():
            fields = line.split()
            if fields[_STATE] == _LISTENING and fields[_INODE] in inodes:
                found.add(_readable(fields[_LOCAL_ADDRESS].partition(":")[0]))
    return found


def _socket_inodes(pid: int) -> Iterable[str]:
    with suppress(OSError):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                target = str(descriptor.readlink())
                if target.startswith("socket:["):
                    yield target.removeprefix("socket:[").removesuffix("]")


def _readable(hexadecimal: str) -> str:
    """The kernel writes addresses as 32-bit words in the machine's (little-endian) order."""
    words = [bytes.fromhex(hexadecimal[start : start + 8])[::-1] for start in range(0, len(hexadecimal), 8)]
    packed = b"".join(words)
    return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)
