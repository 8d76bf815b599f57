"""Three witnesses as real processes, and a policy with a quorum of two."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import httpx2

from ledger_format.cosignatures import WitnessKey
from ledger_format.notes import VerifierKey
from ledger_format.policies import Group, Policy, PolicyWitness
from tests.faults.cloud import REGION
from tests.faults.process import Process

WITNESSES: Final = ("witness-1", "witness-2", "witness-3")
_OK: Final = 200


def image_and_runtime(directory: Path) -> dict[str, str]:
    """What the image and Fargate themselves put into every container; `python` is this project's."""
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(directory),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "AWS_DEFAULT_REGION": REGION,
    }


def policy(directory: Path, ports: Mapping[str, int]) -> Policy:
    """Two of the three, by the keys that they make when they are first asked for them."""
    return Policy(
        logs=(),
        witnesses=tuple(
            PolicyWitness(name, _key(directory, name), f"http://127.0.0.1:{port}")
            for name, port in ports.items()
        ),
        groups=(Group("two-of-three", 2, tuple(ports)),),
        quorum="two-of-three",
    )


def witness(directory: Path, name: str, *, port: int, log_key: VerifierKey, http: httpx2.Client) -> Process:
    """A partner's: it is told the log's key and its own name, and nothing of the platform."""
    listen = f"127.0.0.1:{port}"

    def answers() -> bool:
        try:
            return http.get(f"http://{listen}/").status_code == _OK
        except httpx2.TransportError:
            return False

    return Process(
        name=name,
        command=(*_command(directory, name), "--log-key", str(log_key), "--listen", listen),
        environment=image_and_runtime(directory),
        log=directory / f"{name}.log",
        is_ready=answers,
    )


def _command(directory: Path, name: str) -> tuple[str, ...]:
    own = ("--name", f"localhost/{name}", "--directory", str(directory / name))
    return ("python", "-m", "amply_verify", "witness", *own)


def _key(directory: Path, name: str) -> WitnessKey:
    done = subprocess.run(
        [*_command(directory, name), "--print-key"],
        env=image_and_runtime(directory),
        capture_output=True,
        text=True,
        check=True,
    )
    return WitnessKey.parse(done.stdout.strip())
