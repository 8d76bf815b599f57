"""Choices of an environment about its database, as types that exclude what RDS refuses.

RDS refuses a read replica, and a blue/green deployment, of an instance whose master password it manages itself:
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html#rds-secrets-manager-limitations.
So a replica is a word of `RotatedByUs`, and `ManagedByRds` has none.
"""

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, kw_only=True)
class ManagedByRds:
    """RDS creates the master secret, and rotates it every seven days."""


@dataclass(frozen=True, kw_only=True)
class RotatedByUs:
    """Our own secret and rotation function: for a blue/green upgrade, or with a read replica."""

    days: int = 7
    read_replica: bool = False
    """One more instance that follows the first, for `amply_read` alone."""

    def __post_init__(self) -> None:
        if not 1 <= self.days <= 90:  # noqa: PLR2004 -- a password older than a season is one nobody rotates
            raise ValueError(f"The master password is rotated every 1 to 90 days, not every {self.days}.")


MasterPassword = ManagedByRds | RotatedByUs


class Insights(Enum):
    """CloudWatch Database Insights: wait events by statement."""

    NONE = "none"
    STANDARD = "standard"
    """Seven days, free of charge."""
    ADVANCED = "advanced"
    """Fifteen months, billed by vCPU."""


class Connections(Enum):
    """How tasks connect to the database: directly, or through a proxy."""

    DIRECT = "direct"
    """Each task keeps a pool of its own: up to 20 connections an API task, 10 a worker; at the largest some 250."""
    RDS_PROXY = "RDS Proxy"
    """Shares connections and holds them through a failover. Its certificate chains to Amazon's public roots, not to
    RDS's own: the image trusts both. Take it out for a blue/green upgrade: docs/runbooks/database-upgrade.md.
    """
