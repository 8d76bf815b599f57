"""How long data outlives its resource: one value, from which every deletion setting is derived."""

from dataclasses import dataclass
from enum import Enum

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_s3 as s3


class UnsafeDurabilityError(ValueError):
    """An unsafe combination: it could lose promised data, or keep data that nobody can ever remove."""


class Loss(Enum):
    """What may happen to data when its resource leaves the template."""

    NEVER = "never"
    """The resource stays in the account, outside the stack."""
    AFTER_SNAPSHOT = "after a snapshot"
    """What can be snapshotted is, then deleted; what cannot (buckets, keys) stays."""
    ACCEPTED = "accepted"
    """Deleted with the stack. Needs the second key, see `Durability.with_destruction`."""


class LockMode(Enum):
    """S3 Object Lock modes; https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html."""

    GOVERNANCE = "GOVERNANCE"
    """Principals with s3:BypassGovernanceRetention may still delete."""
    COMPLIANCE = "COMPLIANCE"
    """Nobody, the root user included, can delete or shorten before the retention ends."""


@dataclass(frozen=True, kw_only=True)
class ObjectLock:
    """The default retention of a write-once bucket."""

    mode: LockMode
    days: int

    def __post_init__(self) -> None:
        if self.days < 1:
            raise UnsafeDurabilityError(
                f"Object Lock needs a retention of at least one day, not {self.days}."
            )

    @property
    def retention(self) -> s3.ObjectLockRetention:
        duration = Duration.days(self.days)
        if self.mode is LockMode.COMPLIANCE:
            return s3.ObjectLockRetention.compliance(duration)
        return s3.ObjectLockRetention.governance(duration)


@dataclass(frozen=True, kw_only=True)
class KeptBackups:
    """Retention of daily, weekly and monthly backups of the second tier, in days."""

    daily: int
    weekly: int
    monthly: int


@dataclass(frozen=True, kw_only=True)
class VaultLock:
    """A lock on a backup vault; https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html.

    With `cooling_off_days` the lock is a COMPLIANCE lock once they have passed: until then it can be taken off again,
    after that nobody can, and what is in the vault stays its whole time. Without, it is a GOVERNANCE lock.
    """

    shortest_days: int
    longest_days: int
    cooling_off_days: int | None


@dataclass(frozen=True, kw_only=True)
class Durability:
    """An environment's guarantees about its data.

    Raises UnsafeDurabilityError for combinations that contradict themselves.
    """

    loss: Loss
    backup_days: int
    """How far back the database can be restored to any second."""
    object_lock: ObjectLock | None

    def __post_init__(self) -> None:
        if not 1 <= self.backup_days <= 35:  # noqa: PLR2004 -- the range RDS accepts for automated backups
            raise UnsafeDurabilityError(f"RDS keeps automated backups 1 to 35 days, not {self.backup_days}.")
        locked = self.object_lock
        compliance = locked is not None and locked.mode is LockMode.COMPLIANCE
        if compliance and self.loss is not Loss.NEVER:
            raise UnsafeDurabilityError(
                "A COMPLIANCE lock outlives every attempt to delete it: it belongs to data that is never lost."
            )
        if self.loss is Loss.NEVER and not compliance:
            raise UnsafeDurabilityError("Data that is never lost needs a COMPLIANCE lock on its checkpoints.")
        if self.loss is Loss.NEVER and self.backup_days < 7:  # noqa: PLR2004 -- a long weekend plus the time to notice
            raise UnsafeDurabilityError("Data that is never lost needs at least seven days of backups.")

    def with_destruction(self, *, allowed: bool) -> "Durability":
        """Confirm destruction: without it, data whose loss the configuration accepts is retained."""
        if self.loss is not Loss.ACCEPTED or allowed:
            return self
        return Durability(
            loss=Loss.AFTER_SNAPSHOT, backup_days=self.backup_days, object_lock=self.object_lock
        )

    @property
    def removal_policy(self) -> RemovalPolicy:
        """For resources without snapshots: buckets, keys, queues, logs."""
        return RemovalPolicy.DESTROY if self.loss is Loss.ACCEPTED else RemovalPolicy.RETAIN

    @property
    def snapshot_policy(self) -> RemovalPolicy:
        """For resources with snapshots: databases and caches."""
        match self.loss:
            case Loss.NEVER:
                return RemovalPolicy.RETAIN
            case Loss.AFTER_SNAPSHOT:
                return RemovalPolicy.SNAPSHOT
            case Loss.ACCEPTED:
                return RemovalPolicy.DESTROY

    @property
    def protected(self) -> bool:
        """Deletion protection of databases, and termination protection of stacks with data."""
        return self.loss is not Loss.ACCEPTED

    @property
    def empties_buckets(self) -> bool:
        return self.loss is Loss.ACCEPTED

    @property
    def backup_retention(self) -> Duration:
        return Duration.days(self.backup_days)

    @property
    def kept_backups(self) -> KeptBackups | None:
        """Retention in AWS Backup; None if everything may be lost."""
        match self.loss:
            case Loss.NEVER:
                return KeptBackups(daily=35, weekly=91, monthly=400)
            case Loss.AFTER_SNAPSHOT:
                return KeptBackups(daily=7, weekly=28, monthly=63)
            case Loss.ACCEPTED:
                return None

    @property
    def vault_lock(self) -> VaultLock | None:
        """Derived, not chosen: a compliance lock exists only where nothing may ever be lost."""
        kept = self.kept_backups
        if kept is None:
            return None
        cooling_off = 14 if self.loss is Loss.NEVER else None
        return VaultLock(shortest_days=7, longest_days=kept.monthly, cooling_off_days=cooling_off)

    @property
    def key_deletion_window(self) -> Duration:
        """Waiting period of a key's deletion; 7 to 30 days."""
        return Duration.days(30 if self.protected else 7)


PERMANENT = Durability(
    loss=Loss.NEVER, backup_days=30, object_lock=ObjectLock(mode=LockMode.COMPLIANCE, days=3650)
)
RECOVERABLE = Durability(
    loss=Loss.AFTER_SNAPSHOT, backup_days=7, object_lock=ObjectLock(mode=LockMode.GOVERNANCE, days=30)
)
# One day, because none switches RDS's backups off: what may be wiped any day is not worth a week of them (ADR 0039).
DISPOSABLE = Durability(loss=Loss.ACCEPTED, backup_days=1, object_lock=None)
