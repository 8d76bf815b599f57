"""The operator during the demo: runs admin commands in a one-off task."""

import json
from typing import Any

from local_cloud import laptop, tasks
from local_cloud.cloud import Cloud

ADMIN = "admin"
WORKER = "worker"
"""Whose settings a command needs that asks the processor for something or reads what a gift's salts protect."""

_PROGRAM = ("python", "-m", "amply.entrypoints.admin")


class Staff:
    """Runs admin commands and parses their JSON lines."""

    def __init__(self, cloud: Cloud, *, task: str = ADMIN) -> None:
        self._settings = cloud.settings
        self._task = tasks.one_off(cloud, task)
        self._environment = tasks.environment(self._task, cloud=cloud, laptop=laptop.of(cloud.settings))

    def type(self, *command: str) -> list[dict[str, Any]]:
        """Run a command to its end; what it printed, line by line.

        Raises:
            LocalCloudError: It ended with a failure.
        """
        printed = tasks.run(
            self._task,
            environment=self._environment,
            settings=self._settings,
            command=(*_PROGRAM, *command),
            log=command[0],
        )
        return [json.loads(line) for line in printed.splitlines()]
