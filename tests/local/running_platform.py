"""A whole local platform, driven by make commands."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress

import pytest

from local_cloud.cloud import Cloud
from local_cloud.deployment import Deployment
from local_cloud.settings import Settings
from local_cloud.supervisor.client import Client


class Platform:
    """One running platform, driven by its commands alone."""

    def __init__(self, settings: Settings, *, flags: str = "") -> None:
        """`flags` are those of `make local FLAGS=…`."""
        self.settings = settings
        self.place = {"AMPLY_LOCAL_DIR": str(settings.state), "AMPLY_PORT_BASE": str(settings.ports.base)}
        self._environment = {**os.environ, **self.place, "AMPLY_FLAGS": flags}

    def type(self, command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._words(command), env=self._environment, capture_output=True, text=True, check=False
        )

    def type_and_kill(self, command: str, *, once: Callable[[], bool]) -> None:
        """Kill the command and all it started in its own session, in the middle of its work."""
        process = subprocess.Popen(
            self._words(command), env=self._environment, stdout=subprocess.DEVNULL, start_new_session=True
        )
        try:
            while not once():
                with suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=0.25)
                    pytest.fail("the command ended before it could be killed")
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def deployed_stacks(self) -> int:
        """How many stacks the CDK's command line has reported as deployed."""
        log = self.settings.log_of("cdk")
        return log.read_text().count("✅  local/") if log.exists() else 0

    def change(self, context: str) -> subprocess.CompletedProcess[str]:
        """Deploy by hand, as any CDK user would, with one more value of context."""
        run = Deployment(Cloud(self.settings))
        arguments = (
            "deploy",
            "local/*",
            *run.app(assembly="changed"),
            "--context",
            context,
            "--require-approval",
            "never",
        )
        return subprocess.run(
            [str(self.settings.cdk), *arguments],
            cwd=self.settings.root,
            env=run._environment(),
            capture_output=True,
            text=True,
            check=False,
        )

    def _words(self, command: str) -> list[str]:
        return [sys.executable, "-m", "local_cloud", command]


def pid_of(client: Client, name: str) -> int:
    """The process of a part that runs."""
    pid = next(part.pid for part in client.status() if part.name == name)
    assert pid is not None
    return pid


def verify(receipt: str, key: str, *more: str) -> subprocess.CompletedProcess[str]:
    """What the verifier says of a receipt's file."""
    return subprocess.run(
        [sys.executable, "-m", "amply_verify", "receipt", receipt, "--key", key, *more],
        capture_output=True,
        text=True,
        check=False,
    )
