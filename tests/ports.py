"""Free loopback ports for test servers, each reserved until its process ends.

A port that was only looked at may be taken before its server is there: by another worker's, by another run's beside this
one, or by the kernel for a connection that goes out. So ports come from above the kernel's, and each is held by a name
that all test processes of the machine share.
"""

import os
from collections.abc import Iterator
from socket import AF_INET, AF_UNIX, SO_REUSEADDR, SOL_SOCKET, socket  # before the tests' ban replaces it

_FIRST, _END = 61_000, 65_500
"""Linux takes the ports of outgoing connections from 32768 to 60999, where nobody has said otherwise."""


def free_port() -> int:
    """One that nobody listens on, and that nobody else is given."""
    port = next(_coming, None)
    assert port is not None, "this process has been given every port there is"
    return port


def is_ours(port: int) -> bool:
    """Whether nobody had it; it is this process's from now on."""
    name = socket(AF_UNIX)
    try:
        name.bind(f"\0amply-tests-port-{port}")
    except OSError:
        name.close()
        return False
    name.detach()  # it is held as long as the process lives, which closes it
    return True


def listener() -> socket:
    """A socket that listens already: whoever connects before its server is ready waits."""
    made = socket(AF_INET)
    made.bind(("127.0.0.1", 0))
    made.listen(128)
    return made


def _is_free(port: int) -> bool:
    with socket(AF_INET) as probe:
        # As servers do: a connection that lingers does not make a port taken.
        probe.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _ports() -> Iterator[int]:
    """Each once; processes begin at different ones, so that few are asked for twice."""
    count = _END - _FIRST
    begin = os.getpid() * 97 % count
    for step in range(count):
        port = _FIRST + (begin + step) % count
        if is_ours(port) and _is_free(port):
            yield port


_coming = _ports()
