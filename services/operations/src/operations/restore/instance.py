"""The temporary database instance: restored from a backup beside the real one, and deleted afterwards.

It stands in the same subnets and security groups and has the same parameters, so that it is reached like the
original. Nothing here ever names the original in a request that changes something.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from operations.restore.outcome import NotChecked
from operations.restore.waiting import Patience

TAG = "amply:rehearsal"


class From(Enum):
    """The kind of restore that is rehearsed."""

    LATEST_MOMENT = "moment"
    SNAPSHOT = "snapshot"


class Rds(Protocol):
    """RDS API calls that a rehearsal makes (https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/)."""

    def describe_db_instances(self, **request: Any) -> Mapping[str, Any]: ...

    def describe_db_snapshots(self, **request: Any) -> Mapping[str, Any]: ...

    def restore_db_instance_to_point_in_time(self, **request: Any) -> Mapping[str, Any]: ...

    def restore_db_instance_from_db_snapshot(self, **request: Any) -> Mapping[str, Any]: ...

    def modify_db_instance(self, **request: Any) -> Mapping[str, Any]: ...

    def delete_db_instance(self, **request: Any) -> Mapping[str, Any]: ...


@dataclass(frozen=True, kw_only=True)
class Backup:
    """A backup, its time, and the request that restores it. `snapshot` None: point-in-time recovery."""

    source: str
    taken_at: datetime
    snapshot: str | None
    database: str
    alike: Mapping[str, Any]
    """The properties in which the throw-away instance is like the original."""


@dataclass(frozen=True, kw_only=True)
class Restored:
    """The temporary instance's endpoint, and its master password's secret."""

    host: str
    port: int
    secret_arn: str


def find_backup(rds: Rds, *, environment: str, way: From) -> Backup:
    """Look at the environment's database and what it has kept; changes nothing.

    Raises:
        NotChecked: There is no such database, or nothing it could be restored from.
    """
    source = f"{environment}-database"
    instance = _describe(rds, source)
    if instance is None:
        raise NotChecked(
            f"There is no database {source} in this account and region: sign in to {environment}'s."
        )
    taken_at, snapshot = instance.get("LatestRestorableTime"), None
    if way is From.SNAPSHOT:
        taken_at, snapshot = _newest_snapshot(rds, source)
    if taken_at is None:
        raise NotChecked(
            f"{source} has no automated backups yet: wait for the first, or see why there is none."
        )
    return Backup(
        source=source,
        taken_at=taken_at,
        snapshot=snapshot,
        database=instance["DBName"],
        alike={
            "DBInstanceClass": instance["DBInstanceClass"],
            "DBSubnetGroupName": instance["DBSubnetGroup"]["DBSubnetGroupName"],
            "DBParameterGroupName": instance["DBParameterGroups"][0]["DBParameterGroupName"],
            "VpcSecurityGroupIds": [group["VpcSecurityGroupId"] for group in instance["VpcSecurityGroups"]],
        },
    )


def _newest_snapshot(rds: Rds, source: str) -> tuple[datetime, str]:
    """RDS's own of the night, or one of AWS Backup, whichever is newer."""
    found = [
        (snapshot["SnapshotCreateTime"], snapshot["DBSnapshotIdentifier"])
        for kind in ("automated", "awsbackup")
        for snapshot in rds.describe_db_snapshots(DBInstanceIdentifier=source, SnapshotType=kind)[
            "DBSnapshots"
        ]
        if snapshot["Status"] == "available"
    ]
    if not found:
        raise NotChecked(f"{source} has no snapshot yet: rehearse --from moment, or take one.")
    return max(found)


def restore(rds: Rds, backup: Backup, *, name: str, environment: str) -> None:
    """Ask RDS for the instance `name`; it takes many minutes to come.

    It comes with the original's password. A managed one cannot be asked for here: RDS takes that in a restore for Oracle alone.
    """
    request = {
        **backup.alike,
        "MultiAZ": False,
        "PubliclyAccessible": False,
        "DeletionProtection": False,
        "EnableIAMDatabaseAuthentication": True,
        "Tags": [{"Key": "amply:environment", "Value": environment}, {"Key": TAG, "Value": backup.source}],
    }
    if backup.snapshot:
        rds.restore_db_instance_from_db_snapshot(
            DBInstanceIdentifier=name, DBSnapshotIdentifier=backup.snapshot, **request
        )
    else:
        rds.restore_db_instance_to_point_in_time(
            SourceDBInstanceIdentifier=backup.source,
            TargetDBInstanceIdentifier=name,
            UseLatestRestorableTime=True,
            **request,
        )


def wait_until_available(rds: Rds, name: str, patience: Patience) -> None:
    """Wait for the instance.

    Raises:
        NotChecked: It did not come in time, or will not.
    """
    for _ in patience.looks():
        status = (_describe(rds, name) or {}).get("DBInstanceStatus", "unknown")
        if status == "available":
            return
        if status in {"failed", "incompatible-restore", "incompatible-parameters", "incompatible-network"}:
            raise NotChecked(f"RDS says {status} of {name}: look at its events in the console.")
    raise NotChecked(f"{name} did not come in {patience.minutes_max:.0f} minutes: look at its events.")


def enable_managed_password(rds: Rds, name: str, patience: Patience) -> Restored:
    """Let RDS make the instance a master password of its own, in a secret: the original's is never read here.

    Raises:
        NotChecked: RDS did not make it in time.
    """
    _require_throw_away(name)
    asked = False
    for _ in patience.looks():
        instance = _describe(rds, name) or {}
        secret = instance.get("MasterUserSecret", {})
        is_available = instance.get("DBInstanceStatus") == "available"
        if is_available and secret.get("SecretStatus") == "active":
            endpoint = instance["Endpoint"]
            return Restored(host=endpoint["Address"], port=endpoint["Port"], secret_arn=secret["SecretArn"])
        if is_available and not asked:
            asked = _request_managed_password(rds, name)
    raise NotChecked(
        f"RDS made no password for {name} in {patience.minutes_max:.0f} minutes: look at its events."
    )


def _request_managed_password(rds: Rds, name: str) -> bool:
    """False when the instance is busy again, as with its first backup, and has to be asked once more."""
    try:
        rds.modify_db_instance(
            DBInstanceIdentifier=name, ManageMasterUserPassword=True, ApplyImmediately=True
        )
    except ClientError as error:
        if _code(error) != "InvalidDBInstanceState":
            raise
        return False
    return True


def take_away(rds: Rds, name: str, patience: Patience) -> bool:
    """Delete the instance and wait until it is gone; False when it is still there, so that someone must look."""
    _require_throw_away(name)
    asked = False
    for _ in patience.looks():
        try:
            if not asked:
                rds.delete_db_instance(
                    DBInstanceIdentifier=name, SkipFinalSnapshot=True, DeleteAutomatedBackups=True
                )
                asked = True
            if _describe(rds, name) is None:
                return True
        except (ClientError, BotoCoreError) as error:
            if _code(error) == "DBInstanceNotFound":
                return True
    return False


def _require_throw_away(name: str) -> None:
    if "-rehearsal-" not in name:
        raise ValueError(f"{name} is no throw-away instance: nothing else is ever changed or deleted here.")


def _describe(rds: Rds, identifier: str) -> Mapping[str, Any] | None:
    try:
        (found,) = rds.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"]
    except ClientError as error:
        if _code(error) == "DBInstanceNotFound":
            return None
        raise
    return dict(found)


def _code(error: ClientError | BotoCoreError) -> str:
    """Some APIs end their codes in `Fault`, depending on the protocol that was spoken."""
    if not isinstance(error, ClientError):
        return ""
    return str(error.response["Error"]["Code"]).removesuffix("Fault")
