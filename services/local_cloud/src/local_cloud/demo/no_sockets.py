"""`python no_sockets.py MODULE ARGUMENTS…`: run a module in a process that cannot open a socket.

An audit hook cannot be taken away again (PEP 578), so nothing the module does brings the network back.
"""

import runpy
import sys


def refuse(event: str, _arguments: object) -> None:
    if event.startswith("socket."):
        raise PermissionError(f"the network is off: {event}")


if __name__ == "__main__":
    sys.addaudithook(refuse)
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
