"""The copy in the second region is looked at for the instance that is there now, in each region as the role that only looks."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from operations.assembly import Deployed
from operations.backup_replication import LAG_MAX, check
from operations.locations import AccountRegion

NOW = datetime(2026, 11, 27, 3, 17, tzinfo=UTC)
HERE, SECOND = (
    AccountRegion(account="111111111111", region=region) for region in ("eu-west-1", "eu-central-1")
)
DATABASE = {
    "Type": "AWS::RDS::DBInstance",
    "Properties": {
        "DBInstanceIdentifier": "production-database",
        "AutomaticBackupReplicationRegion": SECOND.region,
    },
}


class Regions:
    """RDS in both regions: the instance that is there now is `db-NEW`, whatever was copied before."""

    def __init__(self, *backups: Mapping[str, Any]) -> None:
        self.clients = {
            place: boto3.client(
                "rds", region_name=place.region, aws_access_key_id="test", aws_secret_access_key="test"
            )
            for place in (HERE, SECOND)
        }
        self.stubs = {place: Stubber(client) for place, client in self.clients.items()}
        self.stubs[HERE].add_response(
            "describe_db_instances",
            {"DBInstances": [{"DbiResourceId": "db-NEW"}]},
            {"DBInstanceIdentifier": "production-database"},
        )
        self.stubs[SECOND].add_response(
            "describe_db_instance_automated_backups",
            {"DBInstanceAutomatedBackups": list(backups)},
            {"DbiResourceId": "db-NEW"},
        )
        for stub in self.stubs.values():
            stub.activate()

    def __call__(self, place: AccountRegion) -> Any:
        return self.clients[place]


def _deployed(**resources: Mapping[str, Any]) -> Deployed:
    return Deployed(
        "production",
        {"database": {"Resources": resources}},
        {"database": {"environment": f"aws://{HERE.account}/{HERE.region}"}},
    )


def _copied_until(age: timedelta) -> Mapping[str, Any]:
    return {"DbiResourceId": "db-NEW", "RestoreWindow": {"LatestTime": NOW - age}}


def test_a_copy_of_minutes_ago_is_one() -> None:
    report = check(_deployed(Instance=DATABASE), Regions(_copied_until(timedelta(minutes=6))), now=NOW)
    assert report.is_replicated
    assert "copied to eu-central-1, up to 2026-11-27T03:11:00+00:00" in report.words


@pytest.mark.parametrize(
    ("backups", "said"),
    [
        ([], "has no copy in eu-central-1 yet"),
        ([{"DbiResourceId": "db-NEW", "Status": "creating"}], "has no copy in eu-central-1 yet"),
        ([_copied_until(LAG_MAX + timedelta(seconds=1))], "ends at 2026-11-27T02:16:59"),
    ],
)
def test_an_instance_without_a_fresh_copy_is_told(backups: list[Mapping[str, Any]], said: str) -> None:
    report = check(_deployed(Instance=DATABASE), Regions(*backups), now=NOW)
    assert not report.is_replicated
    assert said in report.words
    assert "docs/runbooks/restore.md" in report.words


def test_where_no_second_region_is_kept_nothing_is_asked() -> None:
    alone = {"Type": "AWS::RDS::DBInstance", "Properties": {"DBInstanceIdentifier": "production-database"}}
    regions = Regions()
    assert check(_deployed(Instance=alone), regions, now=NOW).is_replicated
    with pytest.raises(AssertionError):
        regions.stubs[HERE].assert_no_pending_responses()
