"""`amply-verify witness` as a process."""

import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ledger_format.cosignatures import WitnessKey
from tests.verify.ledger_samples import verifier_key
from tests.verify.watched_log import NAME


@dataclass
class WitnessProcess:
    """One witness; `address` is known once it was started."""

    directory: Path
    name: str = NAME
    log_keys: Sequence[str] = (str(verifier_key()),)
    listen: str = "127.0.0.1:0"
    address: str = ""
    key: WitnessKey | None = None
    running: subprocess.Popen[str] | None = field(default=None, repr=False)

    def command(self, *options: str) -> list[str]:
        told = ["--name", self.name, "--directory", str(self.directory), "--listen", self.listen]
        keys = [part for key in self.log_keys for part in ("--log-key", key)]
        return [sys.executable, "-m", "amply_verify", "witness", *told, *keys, *options]

    def start(self) -> "WitnessProcess":
        self.running = subprocess.Popen(
            self.command(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert self.running.stdout is not None
        said = []
        for line in self.running.stdout:
            said.append(line)
            if line.startswith("witness"):
                self.key = WitnessKey.parse(line.split()[1])
            if line.startswith("listens"):
                self.address = line.split()[1].removesuffix("/add-checkpoint")
                return self
        raise AssertionError(f"it did not start: {said}")

    def kill(self) -> None:
        """SIGKILL."""
        if self.running is not None:
            self.running.kill()
            self.running.communicate()

    def stop(self) -> int:
        """SIGTERM; returns its exit code."""
        assert self.running is not None
        self.running.terminate()
        self.running.communicate(timeout=30)
        return self.running.returncode

    def post(self, body: bytes) -> tuple[int, str, str]:
        """Status, content type and body of an answer."""
        request = urllib.request.Request(f"{self.address}/add-checkpoint", data=body, method="POST")  # noqa: S310 -- our own
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 -- our own
                return answer.status, answer.headers["Content-Type"], answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers["Content-Type"], error.read().decode()
