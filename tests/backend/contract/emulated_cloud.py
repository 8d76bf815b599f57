"""The emulated cloud of contract tests: one for each worker, empty, in memory, on its own port."""

import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_EMULATOR = Path(__file__).resolve().parents[3] / ".venv-cloud" / "bin" / "ministack"
_START_SECONDS_MAX = 120.0


@contextmanager
def emulated_cloud(*, port: int, directory: Path) -> Iterator[str]:
    """Start it, wait until it answers, give its address."""
    assert _EMULATOR.exists(), "the emulated cloud is not installed: type 'make setup'"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(directory),
        "TMPDIR": str(directory),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
    }
    with (directory / "emulator.log").open("wb") as log:
        process = subprocess.Popen(
            [_EMULATOR], env=environment, cwd=directory, stdout=log, stderr=log, start_new_session=True
        )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS_MAX
    while True:
        assert process.poll() is None, "the emulated cloud ended at once"
        assert time.monotonic() < deadline, "the emulated cloud does not answer"
        try:
            urllib.request.urlopen(f"{address}/_ministack/health", timeout=30).close()  # noqa: S310 -- our own loopback address
        except OSError:
            time.sleep(0.05)
        else:
            return
