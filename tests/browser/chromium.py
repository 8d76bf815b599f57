"""Finds a Chromium: the system's (headless shell preferred), or the one in the npm package @sparticuz/chromium."""

import fcntl
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).parent
_NAMES: Final = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True, kw_only=True)
class Browser:
    """An executable and what it must be started with."""

    path: str
    arguments: tuple[str, ...]


def find() -> Browser | None:
    """The browser to test with; None when there is none."""
    # Every page here is ours and on loopback; the sandbox would need privileges that test machines do not give.
    arguments = ("--no-sandbox", "--disable-background-networking", "--disable-component-update")
    system = next(filter(None, map(shutil.which, _NAMES)), None)
    if system is not None:
        return Browser(path=system, arguments=arguments)
    carried = _unpacked()
    return None if carried is None else Browser(path=carried, arguments=(*arguments, "--headless=shell"))


def _unpacked() -> str | None:
    """The package unpacks its binary into the temporary folder on first use; ours stays beside the package."""
    package = _HERE / "node_modules" / "@sparticuz" / "chromium"
    if not package.is_dir():
        return None
    folder = _HERE / "node_modules" / ".browser"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # test workers start together
        script = 'import("@sparticuz/chromium").then(async (found) => console.log(await found.default.executablePath()))'
        unpacked = subprocess.run(
            ["node", "-e", script],
            cwd=_HERE,
            env={**os.environ, "TMPDIR": str(folder)},
            capture_output=True,
            text=True,
            check=True,
        )
    return unpacked.stdout.strip()
