"""Runs amply-verify as a donor would: receipt, pinned key and witness policy, without network."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from local_cloud.demo import network_off
from local_cloud.failures import LocalCloudError
from local_cloud.settings import Settings

_REFUSED = range(10, 20)
"""Exit statuses that mean checked and refused; from 20 on it could not check at all."""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """How a receipt was refused."""

    exit_status: int
    reason: tuple[str, ...]


class Verifier:
    """Runs `amply-verify receipt` against the pinned key and the policy."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.network_off = network_off.strongest()

    def accept(self, receipt: Path) -> tuple[str, ...]:
        """What it says about a receipt that must be accepted."""
        done = self._run(receipt)
        if done.returncode != 0:
            raise LocalCloudError(f"The receipt {receipt} was refused: {done.stderr.strip()}")
        return tuple(done.stdout.splitlines())

    def witnesses(self, receipt: Path) -> tuple[str, ...]:
        """Who has cosigned the checkpoint of a receipt that must be accepted."""
        said = json.loads(self._run(receipt, "--json").stdout)
        return tuple(witness["name"] for witness in said["checkpoint"]["witnesses"])

    def refuse(self, receipt: Path) -> Refusal:
        """How it refuses a receipt that must not be accepted."""
        done = self._run(receipt)
        if done.returncode not in _REFUSED:
            raise LocalCloudError(
                f"The altered receipt {receipt} was not refused (exit status {done.returncode}): "
                f"{(done.stdout + done.stderr).strip()}"
            )
        return Refusal(exit_status=done.returncode, reason=tuple(done.stderr.splitlines()))

    def _run(self, receipt: Path, *options: str) -> subprocess.CompletedProcess[str]:
        settings = self._settings
        trusted = ("--key", str(settings.verifier_key), "--policy", str(settings.policy))
        arguments = ("receipt", str(receipt), *trusted, *options)
        return subprocess.run(
            self.network_off.command("amply_verify", arguments),
            cwd=settings.state,
            capture_output=True,
            text=True,
            check=False,
        )


def altered_copy(receipt: Path) -> Path:
    """A copy whose middle byte differs in one bit."""
    content = bytearray(receipt.read_bytes())
    content[len(content) // 2] ^= 1
    path = receipt.with_suffix(".altered")
    path.write_bytes(content)
    return path
