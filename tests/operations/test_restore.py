"""A rehearsal's conversation with RDS, request by request as the SDK would send it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from operations.restore.instance import (
    Backup,
    From,
    enable_managed_password,
    find_backup,
    restore,
    take_away,
    wait_until_available,
)
from operations.restore.outcome import NotChecked
from tests.operations.restore_world import (
    ALIKE,
    ARRIVED,
    INSTANCE,
    NAME,
    TAKEN_AT,
    THROW_AWAY,
    WITHOUT_PASSWORD,
    Aws,
    patience,
    plan,
)
from tests.rds_engines import for_other_engines


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
        wait_until_available(aws.rds, NAME, patience(3))
    aws.all_was_said()


def test_the_password_is_asked_for_once_the_instance_is_there(aws: Aws) -> None:
    aws.is_seen(WITHOUT_PASSWORD)
    aws.is_given_a_password()
    aws.is_seen({**ARRIVED, "DBInstanceStatus": "resetting-master-credentials"})
    aws.is_seen({**ARRIVED, "MasterUserSecret": {"SecretStatus": "creating"}})
    aws.is_seen(ARRIVED)
    assert enable_managed_password(aws.rds, NAME, patience(5)).host == "throw-away.example"
    aws.all_was_said()


def test_a_busy_instance_is_asked_again_for_a_password(aws: Aws) -> None:
    aws.is_seen(WITHOUT_PASSWORD)
    aws.stubs["rds"].add_client_error("modify_db_instance", "InvalidDBInstanceState")
    aws.is_seen({"DBInstanceStatus": "backing-up"})
    aws.is_seen(WITHOUT_PASSWORD)
    aws.is_given_a_password()
    aws.is_seen(ARRIVED)
    assert enable_managed_password(aws.rds, NAME, patience(4)).port == 5432
    aws.all_was_said()


def test_a_password_that_does_not_come_is_not_a_verdict(aws: Aws) -> None:
    aws.is_seen(WITHOUT_PASSWORD)
    aws.is_given_a_password()
    aws.is_seen(WITHOUT_PASSWORD)
    with pytest.raises(NotChecked, match="made no password"):
        enable_managed_password(aws.rds, NAME, patience(2))
    aws.all_was_said()


def test_nothing_but_a_throw_away_is_given_another_password(aws: Aws) -> None:
    with pytest.raises(ValueError, match="no throw-away"):
        enable_managed_password(aws.rds, "production-database", patience(1))


def test_a_snapshot_is_restored_by_what_rds_takes_for_postgresql(aws: Aws) -> None:
    asked = {"DBInstanceIdentifier": NAME, "DBSnapshotIdentifier": "rds:night", **THROW_AWAY}
    aws.stubs["rds"].add_response("restore_db_instance_from_db_snapshot", {}, asked)
    restore(aws.rds, replace(plan().backup, snapshot="rds:night"), name=NAME, environment="staging")
    aws.all_was_said()


def test_what_rds_takes_for_other_engines_alone_is_known() -> None:
    """Without the SDK's own words the look at requests would find nothing."""
    for restoring in ("RestoreDBInstanceToPointInTime", "RestoreDBInstanceFromDBSnapshot"):
        assert "ManageMasterUserPassword" in for_other_engines(restoring)
    assert "ManageMasterUserPassword" not in for_other_engines("ModifyDBInstance")


def test_a_restore_that_failed_is_not_waited_for(aws: Aws) -> None:
    aws.is_seen({"DBInstanceStatus": "incompatible-restore"})
    with pytest.raises(NotChecked, match="incompatible-restore"):
        wait_until_available(aws.rds, NAME, patience(30))


def test_nothing_but_a_throw_away_is_ever_deleted(aws: Aws) -> None:
    with pytest.raises(ValueError, match="no throw-away"):
        take_away(aws.rds, "production-database", patience(1))


def test_deleting_is_tried_again_while_rds_is_busy(aws: Aws) -> None:
    aws.stubs["rds"].add_client_error("delete_db_instance", "InvalidDBInstanceState")
    aws.is_deleted()
    aws.is_gone()
    assert take_away(aws.rds, NAME, patience(3)) is True
    aws.all_was_said()
