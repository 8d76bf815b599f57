"""Settings of a local run: its directory and its ports."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local_cloud.failures import LocalCloudError
from stacks.local_ports import DEFAULT_BASE, HIGHEST_BASE, LOOPBACK, LOWEST_BASE, LocalPorts

PROJECT_ROOT = Path(__file__).resolve().parents[4]
REGION = "us-east-1"
ACCOUNT = "000000000000"
ENVIRONMENT = "local"
MARKS = ("up.lock", "supervisor.lock")
"""Either is in every run's directory; `.ci/end-run` looks for the same."""
_OF_A_CHECKOUT = (".git", "Makefile")
"""Neither is in any."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One local run. `state` (AMPLY_LOCAL_DIR) holds all its files, `ports` (AMPLY_PORT_BASE) all its ports."""

    state: Path
    ports: LocalPorts
    root: Path = PROJECT_ROOT

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        base = environ.get("AMPLY_PORT_BASE") or str(DEFAULT_BASE)
        if not base.isdigit():
            raise LocalCloudError(
                f"AMPLY_PORT_BASE is {base!r}: give a port number, as in AMPLY_PORT_BASE=9700."
            )
        if not LOWEST_BASE <= int(base) <= HIGHEST_BASE:
            raise LocalCloudError(
                f"AMPLY_PORT_BASE is {base}: choose a number from {LOWEST_BASE} to {HIGHEST_BASE}."
            )
        state = Path(environ.get("AMPLY_LOCAL_DIR") or PROJECT_ROOT / "var" / "local")
        return cls(state=state.absolute(), ports=LocalPorts(base=int(base)))

    @property
    def holds_a_run(self) -> bool:
        """Whether the directory was made by a run and holds nothing else: all in it may be removed."""
        if self.is_default:
            return True
        is_marked = any((self.state / name).exists() for name in MARKS)
        return is_marked and not any((self.state / name).exists() for name in _OF_A_CHECKOUT)

    @property
    def is_default(self) -> bool:
        """Whether this is the default run of `make`."""
        return self.state == PROJECT_ROOT / "var" / "local"

    def url(self, port: int) -> str:
        return f"http://{LOOPBACK}:{port}"

    @property
    def api_url(self) -> str:
        return self.url(self.ports.api)

    @property
    def edge_url(self) -> str:
        return self.url(self.ports.edge)

    @property
    def log_url(self) -> str:
        return f"{self.edge_url}/log"

    @property
    def stripe_url(self) -> str:
        return self.url(self.ports.stripe)

    @property
    def outbox_url(self) -> str:
        return self.url(self.ports.outbox)

    @property
    def cloud_url(self) -> str:
        return self.url(self.ports.cloud)

    @property
    def lock(self) -> Path:
        """What commands that change the run lock; from its first moment it marks the directory as a run's."""
        return self.state / MARKS[0]

    @property
    def verifier_key(self) -> Path:
        """The log's verifier key, as its operator publishes it."""
        return self.state / "verifier-key"

    @property
    def policy(self) -> Path:
        """The witness policy, for the publisher and verifiers."""
        return self.state / "policy"

    def witness(self, number: int) -> Path:
        """The key and the memory of one witness."""
        return self.state / f"witness-{number}"

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def mail(self) -> Path:
        return self.state / "mail"

    @property
    def heartbeats(self) -> Path:
        return self.state / "heartbeats"

    @property
    def credentials(self) -> Path:
        return self.state / "credentials"

    @property
    def flags(self) -> Path:
        """Enabled parts of the data platform in this run."""
        return self.state / "flags"

    @property
    def emulator(self) -> Path:
        return self.state / "cloud"

    @property
    def python(self) -> Path:
        return self.root / ".venv" / "bin" / "python"

    @property
    def emulator_python(self) -> Path:
        return self.root / ".venv-cloud" / "bin" / "python"

    @property
    def cdk(self) -> Path:
        return self.root / "node_modules" / ".bin" / "cdk"

    def log_of(self, part: str) -> Path:
        return self.logs / f"{part}.log"

    def prepare(self) -> None:
        """Make the directories: for this user's eyes, but for the way to the database, which may run as another."""
        self.state.mkdir(parents=True, exist_ok=True)
        self.lock.touch()
        for directory in (self.logs, self.mail, self.heartbeats, self.emulator, self.credentials):
            directory.mkdir(mode=0o700, exist_ok=True)
