"""Which loopback port each part of a local run listens on: the app's local stage and the runner count alike."""

from dataclasses import dataclass

LOOPBACK = "127.0.0.1"
DEFAULT_BASE = 8700
LOWEST_BASE = 1024
"""The first port that needs no privilege."""
PORTS = 11
"""How many ports a run takes, from its base on."""
HIGHEST_BASE = 65535 - (PORTS - 1)
WITNESSES = (1, 2, 3)


@dataclass(frozen=True, kw_only=True)
class LocalPorts:
    """All ports are offsets from `base`.

    Raises:
        ValueError: From `base` on there is no room for all of them.
    """

    base: int = DEFAULT_BASE

    def __post_init__(self) -> None:
        if not LOWEST_BASE <= self.base <= HIGHEST_BASE:
            raise ValueError(
                f"port_base {self.base} leaves no room for {PORTS} unprivileged ports: "
                f"choose a number from {LOWEST_BASE} to {HIGHEST_BASE}."
            )

    @property
    def api(self) -> int:
        return self.base

    @property
    def edge(self) -> int:
        return self.base + 1

    @property
    def stripe(self) -> int:
        return self.base + 2

    @property
    def outbox(self) -> int:
        return self.base + 3

    @property
    def postgres(self) -> int:
        return self.base + 4

    @property
    def valkey(self) -> int:
        return self.base + 5

    @property
    def cloud(self) -> int:
        return self.base + 6

    def witness(self, number: int) -> int:
        """Port of the first, second or third witness."""
        return self.base + 6 + number

    @property
    def terminals(self) -> int:
        """MQTT port of the emulated cloud, with the flag `iot`."""
        return self.base + 10

    def by_part(self) -> dict[str, int]:
        return {
            "cloud": self.cloud,
            "postgres": self.postgres,
            "valkey": self.valkey,
            "stripe": self.stripe,
            "api": self.api,
            "edge": self.edge,
            "outbox": self.outbox,
            **{witness_part(number): self.witness(number) for number in WITNESSES},
        }


def witness_part(number: int) -> str:
    """What a witness is called among the parts, and in the policy."""
    return f"witness-{number}"
