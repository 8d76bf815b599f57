"""Runs a command without network access, by the strongest isolation that this machine offers."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_NO_SOCKETS = Path(__file__).with_name("no_sockets.py")


@dataclass(frozen=True, kw_only=True)
class NetworkOff:
    """A way to run without network: description and command-line prefix."""

    words: str
    prefix: tuple[str, ...]

    def command(self, module: str, arguments: Sequence[str]) -> list[str]:
        """The command line that runs a Python module so."""
        return [*self.prefix, module, *arguments]


def strongest() -> NetworkOff:
    """A network namespace of its own where the kernel allows one, otherwise an audit hook that refuses sockets."""
    python = (sys.executable, "-m")
    unshare = shutil.which("unshare")
    if unshare is not None:
        # An ordinary user may only do it as the root of a user namespace.
        flags = ("--net",) if os.geteuid() == 0 else ("--map-root-user", "--net")
        if _works(unshare, *flags):
            return NetworkOff(words="in an empty network namespace", prefix=(unshare, *flags, *python))
    return NetworkOff(
        words="with sockets refused by an audit hook", prefix=(sys.executable, str(_NO_SOCKETS))
    )


def _works(unshare: str, *flags: str) -> bool:
    return subprocess.run([unshare, *flags, "true"], capture_output=True, check=False).returncode == 0
