"""Specification of one supervised process."""

import hashlib
import json
import signal
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

FAST_SHUTDOWN = signal.SIGINT
"""What PostgreSQL calls fast: open transactions are rolled back, data is flushed."""


@dataclass(frozen=True, kw_only=True)
class Health:
    """A command that exits 0 when the part is well, and how often to ask; all times in seconds.

    The numbers mean what they mean in an ECS container health check.
    """

    command: tuple[str, ...]
    interval: float = 10.0
    timeout: float = 5.0
    retries: int = 3
    start_period: float = 60.0


@dataclass(frozen=True, kw_only=True)
class Part:
    """One process: its command, its whole environment, where its output goes, and how it is watched.

    `inputs` is a digest of whatever else must restart it when it changes (its source code, for one).
    `as_nobody` drops root for servers that refuse it. `stop_seconds` is its grace before SIGKILL.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    directory: str
    log: str
    health: Health
    inputs: str = ""
    as_nobody: bool = False
    stop_signal: int = signal.SIGTERM
    stop_seconds: float = 15.0

    def fingerprint(self) -> str:
        """A digest that changes whenever a running process must be restarted."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "environment": dict(self.environment)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Part":
        health = {**value["health"], "command": tuple(value["health"]["command"])}
        return cls(**{**value, "command": tuple(value["command"]), "health": Health(**health)})
