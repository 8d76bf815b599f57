"""A rehearsal's conversation with AWS, request by request as the SDK would send it, and how it ends."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest
from botocore.model import OperationModel
from botocore.response import StreamingBody
from botocore.stub import ANY, Stubber
from click.testing import CliRunner

from operations.restore import rehearsal
from operations.restore.checks import Head
from operations.restore.cli import cli
from operations.restore.instance import (
    Backup,
    From,
    Restored,
    enable_managed_password,
    find_backup,
    restore,
    take_away,
    wait_until_available,
)
from operations.restore.migrations import read_migrations
from operations.restore.outcome import Exit, Finding, NotChecked, Verdict, judge
from operations.restore.published import check_published
from operations.restore.rehearsal import Cloud, Plan, rehearse
from operations.restore.waiting import Patience
from tests.rds_engines import for_other_engines

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


@pytest.fixture
def aws() -> Iterator[Aws]:
    """Whatever a test asks RDS for, it may ask of PostgreSQL: RDS would refuse the rest, and a stub takes it."""
    made = Aws()
    yield made
    assert [
        (name, told & for_other_engines(name)) for name, told in made.asked if told & for_other_engines(name)
    ] == []


def _patience(looks: int) -> Patience:
    return Patience(minutes_max=looks - 1, seconds_between=60, sleep=lambda _: None)


def _plan() -> Plan:
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
        arriving=_patience(3),
        leaving=_patience(3),
    )


def test_the_latest_moment_is_found_with_what_the_original_is_like(aws: Aws) -> None:
    aws.is_seen(INSTANCE, "staging-database")
    backup = find_backup(aws.rds, environment="staging", way=From.LATEST_MOMENT)
    assert backup == Backup(
        source="staging-database", taken_at=TAKEN_AT, snapshot=None, database="amply", alike=ALIKE
    )


def test_the_newest_of_all_snapshots_is_found(aws: Aws) -> None:
    def snapshot(name: str, day: int, status: str = "available") -> dict[str, Any]:
        taken = datetime(2026, 11, day, tzinfo=UTC)
        return {"DBSnapshotIdentifier": name, "SnapshotCreateTime": taken, "Status": status}

    aws.is_seen(INSTANCE, "staging-database")
    answers = {
        "automated": [snapshot("rds:old", 20), snapshot("rds:making", 26, "creating")],
        "awsbackup": [snapshot("awsbackup:newest", 25)],
    }
    for kind, found in answers.items():
        aws.stubs["rds"].add_response(
            "describe_db_snapshots",
            {"DBSnapshots": found},
            {"DBInstanceIdentifier": "staging-database", "SnapshotType": kind},
        )
    backup = find_backup(aws.rds, environment="staging", way=From.SNAPSHOT)
    assert (backup.snapshot, backup.taken_at.day) == ("awsbackup:newest", 25)


def test_a_database_that_is_not_there_is_not_a_verdict(aws: Aws) -> None:
    aws.is_gone()
    with pytest.raises(NotChecked, match="no database staging-database"):
        find_backup(aws.rds, environment="staging", way=From.LATEST_MOMENT)


def test_a_database_without_backups_is_not_a_verdict(aws: Aws) -> None:
    aws.is_seen({key: INSTANCE[key] for key in INSTANCE if key != "LatestRestorableTime"}, "staging-database")
    with pytest.raises(NotChecked, match="no automated backups"):
        find_backup(aws.rds, environment="staging", way=From.LATEST_MOMENT)


def test_waiting_for_the_instance_ends(aws: Aws) -> None:
    for _ in range(3):
        aws.is_seen({"DBInstanceStatus": "creating"})
    with pytest.raises(NotChecked, match="did not come in 2 minutes"):
        wait_until_available(aws.rds, NAME, _patience(3))
    aws.all_was_said()


def test_the_password_is_asked_for_once_the_instance_is_there(aws: Aws) -> None:
    aws.is_seen(WITHOUT_PASSWORD)
    aws.is_given_a_password()
    aws.is_seen({**ARRIVED, "DBInstanceStatus": "resetting-master-credentials"})
    aws.is_seen({**ARRIVED, "MasterUserSecret": {"SecretStatus": "creating"}})
    aws.is_seen(ARRIVED)
    assert enable_managed_password(aws.rds, NAME, _patience(5)).host == "throw-away.example"
    aws.all_was_said()


def test_a_busy_instance_is_asked_again_for_a_password(aws: Aws) -> None:
    aws.is_seen(WITHOUT_PASSWORD)
    aws.stubs["rds"].add_client_error("modify_db_instance", "InvalidDBInstanceState")
    aws.is_seen({"DBInstanceStatus": "backing-up"})
    aws.is_seen(WITHOUT_PASSWORD)
    aws.is_given_a_password()
    aws.is_seen(ARRIVED)
    assert enable_managed_password(aws.rds, NAME, _patience(4)).port == 5432
    aws.all_was_said()


def test_a_password_that_does_not_come_is_not_a_verdict(aws: Aws) -> None:
    aws.is_seen(WITHOUT_PASSWORD)
    aws.is_given_a_password()
    aws.is_seen(WITHOUT_PASSWORD)
    with pytest.raises(NotChecked, match="made no password"):
        enable_managed_password(aws.rds, NAME, _patience(2))
    aws.all_was_said()


def test_nothing_but_a_throw_away_is_given_another_password(aws: Aws) -> None:
    with pytest.raises(ValueError, match="no throw-away"):
        enable_managed_password(aws.rds, "production-database", _patience(1))


def test_a_snapshot_is_restored_by_what_rds_takes_for_postgresql(aws: Aws) -> None:
    asked = {"DBInstanceIdentifier": NAME, "DBSnapshotIdentifier": "rds:night", **THROW_AWAY}
    aws.stubs["rds"].add_response("restore_db_instance_from_db_snapshot", {}, asked)
    restore(aws.rds, replace(_plan().backup, snapshot="rds:night"), name=NAME, environment="staging")
    aws.all_was_said()


def test_what_rds_takes_for_other_engines_alone_is_known() -> None:
    """Without the SDK's own words the look at requests would find nothing."""
    for restoring in ("RestoreDBInstanceToPointInTime", "RestoreDBInstanceFromDBSnapshot"):
        assert "ManageMasterUserPassword" in for_other_engines(restoring)
    assert "ManageMasterUserPassword" not in for_other_engines("ModifyDBInstance")


def test_a_restore_that_failed_is_not_waited_for(aws: Aws) -> None:
    aws.is_seen({"DBInstanceStatus": "incompatible-restore"})
    with pytest.raises(NotChecked, match="incompatible-restore"):
        wait_until_available(aws.rds, NAME, _patience(30))


def test_nothing_but_a_throw_away_is_ever_deleted(aws: Aws) -> None:
    with pytest.raises(ValueError, match="no throw-away"):
        take_away(aws.rds, "production-database", _patience(1))


def test_deleting_is_tried_again_while_rds_is_busy(aws: Aws) -> None:
    aws.stubs["rds"].add_client_error("delete_db_instance", "InvalidDBInstanceState")
    aws.is_deleted()
    aws.is_gone()
    assert take_away(aws.rds, NAME, _patience(3)) is True
    aws.all_was_said()


def _signs_in(_cloud: Cloud, _plan: Plan, _restored: Any) -> Any:
    """A database whose checks are stood in for below."""

    class Nothing:
        def __enter__(self) -> None:
            return None

        def __exit__(self, *_: object) -> None:
            return None

    return Nothing()


def _finds(*verdicts: Verdict) -> Callable[..., Any]:
    return lambda *_: iter(Finding(check="x", verdict=verdict, sentence="said") for verdict in verdicts)


def _ends(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, *database: Verdict, published: Callable[..., Any]
) -> tuple[Exit, list[str]]:
    monkeypatch.setattr(rehearsal, "check_database", _finds(*database))
    monkeypatch.setattr(rehearsal, "read_head", lambda _: object())
    monkeypatch.setattr(rehearsal, "check_published", published)
    said: list[str] = []
    return rehearse(aws.cloud, _plan(), said.append, _signs_in), said


def _agrees(*_: Any, **__: Any) -> Finding:
    return Finding(check="published", verdict=Verdict.RIGHT, sentence="the same root")


def _out_of_reach(*_: Any, **__: Any) -> Finding:
    raise NotChecked("The archive did not answer.")


def test_only_right_and_gone_is_zero(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.comes()
    aws.is_deleted()
    aws.is_gone()
    assert _ends(aws, monkeypatch, Verdict.RIGHT, published=_agrees)[0] is Exit.REHEARSED
    aws.all_was_said()


def test_what_is_wrong_stays_wrong_when_the_rest_cannot_be_checked(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.comes()
    aws.is_deleted()
    aws.is_gone()
    assert _ends(aws, monkeypatch, Verdict.WRONG, published=_out_of_reach)[0] is Exit.WRONG


def test_what_could_not_be_checked_is_never_zero(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.comes()
    aws.is_deleted()
    aws.is_gone()
    assert _ends(aws, monkeypatch, Verdict.RIGHT, published=_out_of_reach)[0] is Exit.NOT_CHECKED
    aws.all_was_said()


def test_a_refused_restore_is_not_checked_and_leaves_nothing(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.stubs["rds"].add_client_error("restore_db_instance_to_point_in_time", "AccessDenied")
    aws.stubs["rds"].add_client_error("delete_db_instance", "DBInstanceNotFound")
    assert _ends(aws, monkeypatch, published=_agrees)[0] is Exit.NOT_CHECKED
    aws.all_was_said()


def test_an_instance_that_stays_is_said_with_the_command(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.comes()
    aws.is_deleted()
    for _ in range(3):
        aws.is_seen({**ARRIVED, "DBInstanceStatus": "deleting"})
    ended, said = _ends(aws, monkeypatch, Verdict.RIGHT, published=_agrees)
    assert ended is Exit.LEFT_BEHIND
    assert f"--db-instance-identifier {NAME}" in said[-1]


def test_a_rehearsal_that_is_stopped_takes_its_instance_away(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: Any, **__: Any) -> Finding:
        raise KeyboardInterrupt

    aws.comes()
    aws.is_deleted()
    aws.is_gone()
    with pytest.raises(KeyboardInterrupt):
        _ends(aws, monkeypatch, Verdict.RIGHT, published=stopped)
    aws.all_was_said()


def test_a_database_nobody_can_reach_is_not_checked(aws: Aws) -> None:
    def refused(_cloud: Cloud, _plan: Plan, _restored: Any) -> psycopg.Connection:
        raise psycopg.OperationalError("connection refused")

    aws.comes()
    aws.is_deleted()
    aws.is_gone()
    assert rehearse(aws.cloud, _plan(), lambda _: None, refused) is Exit.NOT_CHECKED


def test_it_signs_in_for_reading_with_a_verified_certificate(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.stubs["secrets"].add_response(
        "get_secret_value",
        {"SecretString": json.dumps({"username": "amply_master", "password": "once"})},
        {"SecretId": ANY},
    )
    told: dict[str, Any] = {}
    monkeypatch.setattr(psycopg, "connect", lambda **arguments: told.update(arguments))
    restored = Restored(host="throw-away.example", port=5432, secret_arn="arn")
    rehearsal.connect(aws.cloud, _plan(), restored)
    assert told["sslmode"] == "verify-full"
    assert told["host"] == "throw-away.example"
    assert "default_transaction_read_only=on" in told["options"]


def test_a_checkpoint_missing_from_the_archive_is_wrong(aws: Aws) -> None:
    aws.stubs["s3"].add_client_error("get_object", "NoSuchKey")
    finding = check_published(aws.s3, archive="archive", head=Head(size=5, root=bytes(32)), key="key")
    assert finding.verdict is Verdict.WRONG


def test_an_archived_text_that_is_no_checkpoint_is_not_verified(aws: Aws) -> None:
    body = StreamingBody(BytesIO(b"nonsense\n"), 9)
    aws.stubs["s3"].add_response("get_object", {"Body": body}, {"Bucket": "archive", "Key": "checkpoints/5"})
    key = "log.amply.example/example+4bf85353+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
    finding = check_published(aws.s3, archive="archive", head=Head(size=5, root=bytes(32)), key=key)
    assert finding.verdict is Verdict.WRONG


def test_without_pinned_keys_nothing_is_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the task is told in an environment whose pages pin none yet: no client is made, so nothing can be asked."""
    monkeypatch.setattr(boto3, "client", _out_of_reach)
    told = {"AMPLY_ENVIRONMENT": "staging", "AMPLY_LOG_KEYS": ""}
    done = CliRunner().invoke(cli, ["rehearse"], env=told)
    assert done.exit_code == Exit.USAGE
    assert "Missing option '--key'" in done.output, "the environment it was told of is no longer missing"


def test_no_findings_prove_nothing() -> None:
    assert judge([]) is Exit.NOT_CHECKED


def test_migrations_that_fork_are_refused(tmp_path: Path) -> None:
    (tmp_path / "1.py").write_text('revision = "1"\n')
    (tmp_path / "2.py").write_text('revision = "2"\n')
    with pytest.raises(NotChecked, match="single line"):
        read_migrations(tmp_path)
