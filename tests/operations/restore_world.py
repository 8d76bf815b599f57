"""AWS clients with scripted answers for a restore rehearsal."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.model import OperationModel
from botocore.stub import Stubber

from operations.restore.instance import Backup
from operations.restore.migrations import read_migrations
from operations.restore.rehearsal import Cloud, Plan
from operations.restore.waiting import Patience

NAME = "staging-rehearsal-20261126050000"
TAKEN_AT = datetime(2026, 11, 26, 4, 55, tzinfo=UTC)
INSTANCE: Mapping[str, Any] = {
    "DBInstanceIdentifier": "staging-database",
    "DBInstanceStatus": "available",
    "DBInstanceClass": "db.t4g.medium",
    "DBName": "amply",
    "LatestRestorableTime": TAKEN_AT,
    "DBSubnetGroup": {"DBSubnetGroupName": "subnets"},
    "DBParameterGroups": [{"DBParameterGroupName": "parameters"}],
    "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-1"}],
}
ALIKE = {
    "DBInstanceClass": "db.t4g.medium",
    "DBSubnetGroupName": "subnets",
    "DBParameterGroupName": "parameters",
    "VpcSecurityGroupIds": ["sg-1"],
}
THROW_AWAY = {
    **ALIKE,
    "MultiAZ": False,
    "PubliclyAccessible": False,
    "DeletionProtection": False,
    "EnableIAMDatabaseAuthentication": True,
    "Tags": [
        {"Key": "amply:environment", "Value": "staging"},
        {"Key": "amply:rehearsal", "Value": "staging-database"},
    ],
}
WITHOUT_PASSWORD = {
    "DBInstanceIdentifier": NAME,
    "DBInstanceStatus": "available",
    "Endpoint": {"Address": "throw-away.example", "Port": 5432},
}
ARRIVED = {
    **WITHOUT_PASSWORD,
    "MasterUserSecret": {"SecretArn": "arn:aws:secretsmanager:x:1:secret:master", "SecretStatus": "active"},
}


class Aws:
    """Clients that answer what a test has written down, in order, and refuse any other request."""

    def __init__(self) -> None:
        session = boto3.Session("test", "test", region_name="eu-west-1")
        self.rds = session.client("rds")
        self.s3 = session.client("s3")
        self.secrets = session.client("secretsmanager")
        self.stubs = {name: Stubber(getattr(self, name)) for name in ("rds", "s3", "secrets")}
        for stub in self.stubs.values():
            stub.activate()
        self.rds.meta.events.register("before-parameter-build.rds", self._note)
        self.asked: list[tuple[str, frozenset[str]]] = []
        """Each operation of RDS that was asked for, and the names of what it was told."""

    def _note(self, *, params: Mapping[str, Any], model: OperationModel, **_: Any) -> None:
        self.asked.append((model.name, frozenset(params)))

    @property
    def cloud(self) -> Cloud:
        return Cloud(rds=self.rds, s3=self.s3, secrets=self.secrets)

    def is_restored(self, **request: Any) -> None:
        expected = {
            "SourceDBInstanceIdentifier": "staging-database",
            "TargetDBInstanceIdentifier": NAME,
            "UseLatestRestorableTime": True,
            **THROW_AWAY,
            **request,
        }
        self.stubs["rds"].add_response("restore_db_instance_to_point_in_time", {}, expected)

    def is_given_a_password(self) -> None:
        self.stubs["rds"].add_response(
            "modify_db_instance",
            {},
            {"DBInstanceIdentifier": NAME, "ManageMasterUserPassword": True, "ApplyImmediately": True},
        )

    def comes(self) -> None:
        """From the request to restore to the password that RDS made."""
        self.is_restored()
        self.is_seen(WITHOUT_PASSWORD)
        self.is_seen(WITHOUT_PASSWORD)
        self.is_given_a_password()
        self.is_seen(ARRIVED)

    def is_seen(self, instance: Mapping[str, Any], name: str = NAME) -> None:
        self.stubs["rds"].add_response(
            "describe_db_instances", {"DBInstances": [instance]}, {"DBInstanceIdentifier": name}
        )

    def is_gone(self) -> None:
        self.stubs["rds"].add_client_error("describe_db_instances", "DBInstanceNotFound")

    def is_deleted(self) -> None:
        self.stubs["rds"].add_response(
            "delete_db_instance",
            {},
            {"DBInstanceIdentifier": NAME, "SkipFinalSnapshot": True, "DeleteAutomatedBackups": True},
        )

    def all_was_said(self) -> None:
        for stub in self.stubs.values():
            stub.assert_no_pending_responses()


def patience(looks: int) -> Patience:
    return Patience(minutes_max=looks - 1, seconds_between=60, sleep=lambda _: None)


def plan() -> Plan:
    return Plan(
        environment="staging",
        name=NAME,
        backup=Backup(
            source="staging-database", taken_at=TAKEN_AT, snapshot=None, database="amply", alike=ALIKE
        ),
        archive="archive",
        key="key",
        migrations=read_migrations(
            Path(__file__).parents[2] / "services/backend/src/amply/migrations/versions"
        ),
        tls_roots="/nowhere",
        through=None,
        arriving=patience(3),
        leaving=patience(3),
    )
