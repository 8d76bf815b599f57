"""What rings when the lake's second region falls behind."""

import json
from collections.abc import Mapping
from typing import Any

from stacks.lake.copies import ACCEPTED
from tests.infrastructure.assembly import Deployed
from tests.infrastructure.recovered import HERE


def test_it_rings_when_something_is_not_copied(lake_at_home: Deployed, lake_back: Deployed) -> None:
    """A rule that measures nothing would leave its alarm silent for ever."""
    for deployed, stack in ((lake_at_home, "lake"), (lake_back, "lakereplica")):
        watched = {
            (json.dumps(said["SourceBucket"]), said["RuleId"])
            for alarm in _copy_alarms(deployed)
            if alarm["MetricName"] == "OperationsFailedReplication"
            for said in [_dimensions(alarm)]
        }
        measured = {
            (json.dumps({"Ref": bucket.logical_id}), rule["Id"])
            for bucket in deployed.resources("AWS::S3::Bucket")
            if bucket.stack == f"{deployed.name}/{stack}" and "ReplicationConfiguration" in bucket.properties
            for rule in bucket.properties["ReplicationConfiguration"]["Rules"]
            if rule["Destination"]["Metrics"] == {"Status": "Enabled"}
        }
        assert watched == measured
        assert len(measured) == len(ACCEPTED) + 2


def test_it_rings_when_a_tables_replica_falls_behind(lake_at_home: Deployed, lake_back: Deployed) -> None:
    late = [alarm for alarm in _copy_alarms(lake_at_home) if alarm["MetricName"] == "ReplicationLatency"]
    tables = {table.logical_id for table in lake_at_home.resources("AWS::DynamoDB::GlobalTable")}
    assert {_dimensions(alarm)["TableName"]["Ref"] for alarm in late} == tables
    assert {_dimensions(alarm)["ReceivingRegion"] for alarm in late} == {HERE}
    assert {alarm["TreatMissingData"] for alarm in late} == {"notBreaching"}
    assert not [alarm for alarm in _copy_alarms(lake_back) if alarm["MetricName"] == "ReplicationLatency"]


def test_where_nothing_is_copied_nothing_of_it_rings(extended: Deployed) -> None:
    assert _copy_alarms(extended) == []


def _copy_alarms(deployed: Deployed) -> list[Mapping[str, Any]]:
    found = [
        alarm.properties
        for alarm in deployed.resources("AWS::CloudWatch::Alarm")
        if alarm.properties["AlarmName"].startswith(f"amply-{deployed.name}-lake-copies-")
    ]
    assert all(alarm["AlarmDescription"].endswith("/lake-copies.md") for alarm in found)
    assert all(alarm["AlarmActions"] for alarm in found)
    return found


def _dimensions(alarm: Mapping[str, Any]) -> Mapping[str, Any]:
    return {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]}
