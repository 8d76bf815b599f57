"""Changes that weaken the protection of data, without losing any yet."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from operations.assembly import Deployed
from operations.difference.changes import Change, Kind

Weaker = Callable[[Any, Any], bool]


def _off(before: Any, after: Any) -> bool:
    return _on(before) and not _on(after)


def _switched_on(before: Any, after: Any) -> bool:
    return _on(after) and not _on(before)


def _on(value: Any) -> bool:
    return value in (True, "true", "Enabled", "COMPLIANCE", "GOVERNANCE", "ACTIVE", "required")


def _less(before: Any, after: Any) -> bool:
    return _number(after) < _number(before)


def _sooner(before: Any, after: Any) -> bool:
    """Like `_less`, where nothing written means for ever."""
    return after is not None and (before is None or _less(before, after))


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0


def _gone(before: Any, after: Any) -> bool:
    return bool(before) and not after


def _changed(before: Any, after: Any) -> bool:
    return before is not None and bool(before != after)


def _major(before: Any, after: Any) -> bool:
    first, second = (str(version or "").partition(".")[0] for version in (before, after))
    return first != second


def _not_compliance(before: Any, after: Any) -> bool:
    return bool(before == "COMPLIANCE" and after != "COMPLIANCE") or _off(before, after)


def _less_replicated(before: Any, after: Any) -> bool:
    """Whether a region is left out, or its replica is easier to delete or harder to restore."""
    there = {str(replica.get("Region")): replica for replica in after or []}
    return any(_weaker_replica(replica, there.get(str(replica.get("Region")))) for replica in before or [])


def _weaker_replica(before: Mapping[str, Any], after: Mapping[str, Any] | None) -> bool:
    recovery, enabled = "PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled"
    return (
        after is None
        or _off(before.get("DeletionProtectionEnabled"), after.get("DeletionProtectionEnabled"))
        or _off(before.get(recovery, {}).get(enabled), after.get(recovery, {}).get(enabled))
    )


@dataclass(frozen=True, kw_only=True)
class Guard:
    """A protective property; `weaker` compares its values, `says` explains the consequence."""

    path: str
    weaker: Weaker
    says: str


_RULE: Final = "ObjectLockConfiguration.Rule.DefaultRetention"

GUARDS: Final[Mapping[str, tuple[Guard, ...]]] = {
    "AWS::RDS::DBInstance": (
        Guard(path="DeletionProtection", weaker=_off, says="one call is enough to delete it"),
        Guard(path="BackupRetentionPeriod", weaker=_less, says="backups reach back less far"),
        Guard(path="DeleteAutomatedBackups", weaker=_switched_on, says="its backups go when it goes"),
        Guard(path="MultiAZ", weaker=_off, says="no standby: losing one zone stops it"),
        Guard(path="PubliclyAccessible", weaker=_switched_on, says="it has a public address"),
        Guard(
            path="EngineVersion",
            weaker=_major,
            says="a new major version: there is no way back but a restore",
        ),
    ),
    "AWS::S3::Bucket": (
        Guard(
            path="VersioningConfiguration.Status",
            weaker=_off,
            says="overwritten and deleted objects are lost",
        ),
        Guard(
            path=f"{_RULE}.Mode", weaker=_not_compliance, says="locked objects can be deleted by more people"
        ),
        Guard(path=f"{_RULE}.Days", weaker=_less, says="objects are locked for less time"),
        Guard(path=f"{_RULE}.Years", weaker=_less, says="objects are locked for less time"),
        Guard(
            path="LifecycleConfiguration", weaker=lambda a, b: bool(b and a != b), says="other objects expire"
        ),
        Guard(path="ReplicationConfiguration", weaker=_gone, says="nothing copies it to another region"),
        Guard(path="BucketEncryption", weaker=_gone, says="its encryption is no longer stated"),
        Guard(
            path="PublicAccessBlockConfiguration.BlockPublicAcls", weaker=_off, says="it can be made public"
        ),
        Guard(
            path="PublicAccessBlockConfiguration.BlockPublicPolicy", weaker=_off, says="it can be made public"
        ),
        Guard(
            path="PublicAccessBlockConfiguration.IgnorePublicAcls", weaker=_off, says="it can be made public"
        ),
        Guard(
            path="PublicAccessBlockConfiguration.RestrictPublicBuckets", weaker=_off, says="it can be public"
        ),
    ),
    "AWS::KMS::Key": (
        Guard(path="PendingWindowInDays", weaker=_less, says="a deletion can be taken back for less time"),
        Guard(path="EnableKeyRotation", weaker=_off, says="it no longer rotates"),
        Guard(
            path="Enabled", weaker=lambda a, b: b is False and a is not False, says="nothing decrypts with it"
        ),
    ),
    "AWS::SQS::Queue": (
        Guard(path="MessageRetentionPeriod", weaker=_less, says="messages nobody takes are dropped sooner"),
        Guard(path="RedrivePolicy", weaker=_gone, says="failing messages are no longer set aside"),
    ),
    "AWS::Logs::LogGroup": (
        Guard(path="RetentionInDays", weaker=_sooner, says="older logs are deleted at once"),
    ),
    "AWS::SecretsManager::Secret": (
        Guard(
            path="GenerateSecretString",
            weaker=_changed,
            says="its value is generated anew, the old one is lost",
        ),
    ),
    "AWS::ElastiCache::ReplicationGroup": (
        Guard(path="SnapshotRetentionLimit", weaker=_less, says="snapshots are kept for less time"),
        Guard(path="TransitEncryptionEnabled", weaker=_off, says="it answers without TLS"),
    ),
    "AWS::DynamoDB::Table": (
        Guard(path="DeletionProtectionEnabled", weaker=_off, says="one call is enough to delete it"),
        Guard(
            path="PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled",
            weaker=_off,
            says="it cannot be restored to a point in time",
        ),
    ),
    "AWS::DynamoDB::GlobalTable": (
        Guard(
            path="Replicas",
            weaker=_less_replicated,
            says="a region has it no more, or its replica there is less protected",
        ),
    ),
    "AWS::Cognito::UserPool": (
        Guard(path="DeletionProtection", weaker=_off, says="one call is enough to delete it"),
    ),
    "AWS::ECR::Repository": (
        Guard(path="LifecyclePolicy", weaker=lambda a, b: bool(b and a != b), says="other images expire"),
    ),
    "AWS::Backup::BackupVault": (
        Guard(path="LockConfiguration", weaker=_changed, says="recovery points may be deleted earlier"),
    ),
    "AWS::CloudFormation::Stack": (
        Guard(
            path="TemplateURL", weaker=_changed, says="a template within a template, which is not compared"
        ),
    ),
    "AWS::Backup::BackupPlan": (
        Guard(path="BackupPlan", weaker=_changed, says="backups are made differently"),
    ),
    "AWS::Backup::BackupSelection": (
        Guard(path="BackupSelection", weaker=_changed, says="other resources are backed up"),
    ),
}

_KEPT_BY: Final = ("AWS::Backup::BackupPlan", "AWS::Backup::BackupSelection")
_EMPTIES: Final = "Custom::S3AutoDeleteObjects"
_STRENGTH: Final = {"Delete": 0, "Snapshot": 1, "RetainExceptOnCreate": 2, "Retain": 3}


@dataclass(frozen=True, kw_only=True)
class Weakening:
    """One protection that a change weakens, and the consequence."""

    name: str
    protection: str
    before: Any
    after: Any
    says: str


def weakened(changes: tuple[Change, ...], before: Deployed, after: Deployed) -> tuple[Weakening, ...]:
    """Every protection that is weaker after than before."""
    found = [weakening for change in changes for weakening in _of_change(change)]
    return (*found, *_of_stacks(before, after))


def _of_change(change: Change) -> Iterator[Weakening]:
    if change.kind is Kind.ADDED and change.type == _EMPTIES:
        yield _weakening(change, _EMPTIES, None, "added", "its bucket is emptied when it goes")
    if not change.after and change.type in _KEPT_BY:
        yield _weakening(change, change.type, "there", "gone", "nothing is backed up by it any more")
    if not (change.before and change.after):
        return
    for guard in GUARDS.get(change.type, ()):
        was, becomes = (_at(body.get("Properties", {}), guard.path) for body in (change.before, change.after))
        if was != becomes and guard.weaker(was, becomes):
            yield _weakening(change, guard.path, was, becomes, guard.says)
    if change.holds_data:
        yield from _of_policies(change)


def _of_policies(change: Change) -> Iterator[Weakening]:
    for policy, occasion in (("DeletionPolicy", "removed"), ("UpdateReplacePolicy", "replaced")):
        was, becomes = (str(body.get(policy, "Delete")) for body in (change.before, change.after))
        if _STRENGTH.get(becomes, 0) < _STRENGTH.get(was, 0):
            yield _weakening(change, policy, was, becomes, f"less of it is kept once it is {occasion}")


def _weakening(change: Change, protection: str, before: Any, after: Any, says: str) -> Weakening:
    return Weakening(name=change.name, protection=protection, before=before, after=after, says=says)


def _of_stacks(before: Deployed, after: Deployed) -> Iterator[Weakening]:
    for stack in sorted(after.manifests.keys() & before.manifests.keys()):
        was, becomes = (
            bool(state.manifests[stack]["properties"].get("terminationProtection"))
            for state in (before, after)
        )
        if was and not becomes:
            yield Weakening(
                name=f"stack {stack}",
                protection="termination protection",
                before=True,
                after=False,
                says="one call is enough to delete the stack with all in it",
            )


def _at(value: Any, path: str) -> Any:
    for name in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value
