"""The edge and the firewall are watched: by the right numbers, where they are, and only when there are enough of them."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.infrastructure.assembly import Deployed, Resource

RELIED_ON = ("production", "staging")


def _alarm(deployed: Deployed, name: str) -> Resource:
    (found,) = (
        alarm
        for alarm in deployed.resources("AWS::CloudWatch::Alarm")
        if alarm.properties["AlarmName"] == f"amply-{deployed.name}-{name}"
    )
    return found


def _metrics(alarm: Resource) -> Mapping[str, Mapping[str, Any]]:
    """What the expression reads, by the names it uses."""
    return {
        query["Id"]: query["MetricStat"] for query in alarm.properties["Metrics"] if "MetricStat" in query
    }


def _expression(alarm: Resource) -> str:
    (found,) = (query["Expression"] for query in alarm.properties["Metrics"] if "Expression" in query)
    return str(found)


def _dimensions(metric: Mapping[str, Any]) -> Mapping[str, object]:
    return {one["Name"]: one["Value"] for one in metric["Metric"]["Dimensions"]}


@pytest.mark.parametrize("name", RELIED_ON)
def test_the_edge_is_watched_where_its_numbers_are(name: str, environments: Mapping[str, Deployed]) -> None:
    deployed = environments[name]
    alarm = _alarm(deployed, "edge-errors")
    stack = alarm.stack.partition("/")[2]
    rate, requests = (_metrics(alarm)[each] for each in ("rate", "requests"))

    assert str(deployed.manifests[stack]["environment"]).endswith("/us-east-1")
    assert (rate["Metric"]["Namespace"], rate["Metric"]["MetricName"]) == ("AWS/CloudFront", "5xxErrorRate")
    assert (rate["Stat"], requests["Stat"]) == ("Average", "Sum"), "CloudFront knows no other"
    for metric in (rate, requests):
        assert _dimensions(metric)["Region"] == "Global"
        assert f"{name}-edge" in json.dumps(_dimensions(metric)["DistributionId"])
    assert _expression(alarm) == "IF(requests > 20, rate, 0)"
    assert (alarm.properties["Threshold"], alarm.properties["EvaluationPeriods"]) == (5, 5)


def test_where_nobody_relies_on_the_edge_nothing_stands_in_another_region(deployed: Deployed) -> None:
    assert ("edgealarms" in deployed.templates) is (deployed.name in RELIED_ON)


def test_the_firewalls_refusals_are_counted_for_all_its_rules(deployed: Deployed) -> None:
    properties = _alarm(deployed, "firewall-refusing").properties
    (acl,) = deployed.resources("AWS::WAFv2::WebACL")
    region = str(deployed.manifests["observability"]["environment"]).rpartition("/")[2]

    assert (properties["Namespace"], properties["MetricName"], properties["Statistic"]) == (
        "AWS/WAFV2",
        "BlockedRequests",
        "Sum",
    )
    assert {one["Name"]: one["Value"] for one in properties["Dimensions"]} == {
        "WebACL": acl.properties["VisibilityConfig"]["MetricName"],
        "Region": region,
        "Rule": "ALL",
    }
    assert (properties["Threshold"], properties["EvaluationPeriods"], properties["Period"]) == (50, 10, 60)
    assert properties["TreatMissingData"] == "notBreaching", "WAF writes nothing while it refuses nothing"
