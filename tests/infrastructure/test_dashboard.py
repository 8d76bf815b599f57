"""The dashboard shows numbers that exist, and says beside each graph what is healthy."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.infrastructure.assembly import Deployed

EXIST: Mapping[str, frozenset[str]] = {
    # What AWS writes, from each service's own list of metrics.
    "AWS/ApplicationELB": frozenset(
        {
            "HTTPCode_ELB_5XX_Count",
            "HTTPCode_Target_5XX_Count",
            "RequestCount",
            "RequestCountPerTarget",
            "TargetResponseTime",
        }
    ),
    "AWS/Backup": frozenset(
        {
            "NumberOfBackupJobsAborted",
            "NumberOfBackupJobsCompleted",
            "NumberOfBackupJobsExpired",
            "NumberOfBackupJobsFailed",
            "NumberOfCopyJobsFailed",
        }
    ),
    "AWS/CloudFront": frozenset({"5xxErrorRate", "Requests"}),
    "AWS/WAFV2": frozenset({"BlockedRequests"}),
    "AWS/CertificateManager": frozenset({"DaysToExpiry"}),
    "AWS/ECS": frozenset({"CPUUtilization", "MemoryUtilization"}),
    "AWS/SQS": frozenset({"ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"}),
    "AWS/RDS": frozenset({"CPUUtilization", "DatabaseConnections", "FreeStorageSpace", "WriteLatency"}),
    "AWS/ElastiCache": frozenset({"DatabaseMemoryUsagePercentage", "Evictions"}),
    "AWS/SES": frozenset({"Reputation.BounceRate", "Reputation.ComplaintRate"}),
    "CloudWatchSynthetics": frozenset({"SuccessPercent"}),
}


def _body(deployed: Deployed) -> dict[str, Any]:
    """The dashboard as the console reads it, each reference written as a word."""
    text = deployed.the("AWS::CloudWatch::Dashboard").properties["DashboardBody"]
    parts = text["Fn::Join"][1] if isinstance(text, dict) else [text]
    joined = "".join(part if isinstance(part, str) else "reference" for part in parts)
    body: dict[str, Any] = json.loads(joined)
    return body


def _shown(deployed: Deployed) -> Iterator[tuple[str, str]]:
    for widget in _body(deployed)["widgets"]:
        for metric in widget["properties"].get("metrics", []):
            yield metric[0], metric[1]


def _alarmed(deployed: Deployed) -> Iterator[tuple[str, str]]:
    for alarm in deployed.resources("AWS::CloudWatch::Alarm"):
        if "MetricName" in alarm.properties:
            yield alarm.properties["Namespace"], alarm.properties["MetricName"]
        for query in alarm.properties.get("Metrics", []):
            if "MetricStat" in query:
                metric = query["MetricStat"]["Metric"]
                yield metric["Namespace"], metric["MetricName"]


def _ours(deployed: Deployed) -> set[tuple[str, str]]:
    return {
        (transformation["MetricNamespace"], transformation["MetricName"])
        for found in deployed.resources("AWS::Logs::MetricFilter")
        for transformation in found.properties["MetricTransformations"]
    }


@pytest.mark.parametrize("look", [_shown, _alarmed], ids=["dashboard", "alarms"])
def test_only_numbers_that_exist_are_looked_at(look: Any, deployed: Deployed) -> None:
    exist = {(space, name) for space, names in EXIST.items() for name in names} | _ours(deployed)

    assert set(look(deployed)) - exist == set()


def test_every_number_of_ours_is_on_the_dashboard(deployed: Deployed) -> None:
    shown = set(_shown(deployed))

    assert {name for space, name in _ours(deployed) - shown} == {
        "cache_away",
        "database_away",
        "personal_keys_away",
        "key_tree_away",
    }, "those are alarms alone"


def test_beside_every_graph_a_sentence_says_what_is_healthy(deployed: Deployed) -> None:
    """Row by row: a graph, and to its right, as high, the words."""
    widgets = _body(deployed)["widgets"]
    graphs = [widget for widget in widgets if widget["type"] == "metric"]
    words = {(widget["x"], widget["y"]): widget for widget in widgets if widget["type"] == "text"}
    words = {place: widget for place, widget in words.items() if place[0]}

    assert len(graphs) == len(words) >= 12
    for graph in graphs:
        beside = words[graph["x"] + graph["width"], graph["y"]]
        assert beside["height"] == graph["height"]
        assert beside["properties"]["markdown"].startswith("**Healthy.** ")
        assert beside["properties"]["markdown"].endswith(".")


def test_below_everything_a_link_leads_to_the_traces_where_there_are_any(deployed: Deployed) -> None:
    last = _body(deployed)["widgets"][-1]
    words = last["properties"].get("markdown", "")

    assert words.startswith("**Where did the time go?**") == (deployed.name in {"production", "staging"})
    assert ("eu-west-1.console.aws.amazon.com" in words) == (deployed.name in {"production", "staging"})


def test_what_pages_is_shown_first(deployed: Deployed) -> None:
    first = _body(deployed)["widgets"][0]

    assert (first["type"], first["y"]) == ("alarm", 0)
    assert len(first["properties"]["alarms"]) == (4 if deployed.name in {"production", "staging"} else 3)


QUESTIONS = (
    "Is money flowing?",
    "Does the ledger keep up?",
    "Are checkpoints fresh?",
    "Are queues draining?",
)


def test_the_questions_of_the_night_are_asked_in_their_order(deployed: Deployed) -> None:
    titles = [widget["properties"].get("title", "") for widget in _body(deployed)["widgets"]]
    places = [next(place for place, title in enumerate(titles) if title.startswith(q)) for q in QUESTIONS]

    assert places == sorted(places)
    assert any(title.startswith("Database") for title in titles)
    assert any(title.startswith("Cache") for title in titles)
