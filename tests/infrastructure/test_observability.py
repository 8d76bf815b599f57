"""Alarms say what to do, and wake nobody without need."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from stacks.log_metrics import EXHAUSTED, LEDGER_AGE, WITNESSES_MISSING
from tests.infrastructure.alarms import COMPOSITE, alarms_of, parts_of
from tests.infrastructure.assembly import ROOT, Deployed


def test_a_ledger_that_stands_still_or_says_nothing_pages_within_two_minutes(deployed: Deployed) -> None:
    alarm = alarms_of(deployed)["ledger-late"].properties

    assert alarm["MetricName"] == LEDGER_AGE
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (60, "GreaterThanThreshold")
    assert (alarm["Period"], alarm["EvaluationPeriods"], alarm["Statistic"]) == (60, 2, "Maximum")
    assert alarm["TreatMissingData"] == "breaching"
    assert "ledger-late" in parts_of(deployed, "work-stalled")


@pytest.mark.parametrize("key", EXHAUSTED)
def test_one_exhausted_row_is_told(key: str, deployed: Deployed) -> None:
    alarm = alarms_of(deployed)[key.replace("_", "-")].properties

    assert alarm["MetricName"] == key
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (0, "GreaterThanThreshold")
    assert (alarm["Period"], alarm["EvaluationPeriods"], alarm["Statistic"]) == (60, 1, "Maximum")


def test_a_witness_that_is_missing_for_hours_is_told_of_and_wakes_nobody(deployed: Deployed) -> None:
    alarm = alarms_of(deployed)["witnesses-missing"].properties

    assert (alarm["MetricName"], alarm["Statistic"]) == (WITNESSES_MISSING, "Minimum")
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (0, "GreaterThanThreshold")
    assert (alarm["Period"], alarm["EvaluationPeriods"]) == (3_600, 2)
    assert alarm["TreatMissingData"] != "breaching", "a night without gifts has no checkpoints"


SIGNS_OF_LIFE = {
    "database-disk",
    "database-silent",
    "api-silent",
    "worker-silent",
    "ledger-late",
}
SLOW_SIGNS_OF_LIFE = {"backup-missing", "certificate-api", "certificate-edge"}
WATCHED = {"production", "staging"}
"""Where people rely on it: looked at from outside, backed up, under a domain of its own."""


def test_silence_rings_where_it_is_the_symptom_and_nowhere_else(deployed: Deployed) -> None:
    breaching = {
        name
        for name, alarm in alarms_of(deployed).items()
        if alarm.properties.get("TreatMissingData") == "breaching"
    }
    relied_on = {"outside-view", *SLOW_SIGNS_OF_LIFE} if deployed.name in WATCHED else set()

    assert breaching == SIGNS_OF_LIFE | relied_on


def test_an_idle_deployment_pages_nobody_for_its_silence(idle: Deployed) -> None:
    breaching = {
        name
        for name, alarm in alarms_of(idle).items()
        if alarm.properties.get("TreatMissingData") == "breaching"
    }

    assert breaching == {"database-disk", "database-silent", *SLOW_SIGNS_OF_LIFE}, "the database runs"
    assert list(idle.resources("AWS::Synthetics::Canary")) == [], "and nobody looks for an API"


WAKES = {
    "api-failing",
    "books-differ",
    "work-stalled",
    "database-away",
    "database-disk",
    "personal-keys",
    "key-trees",
}
NOTICES = {
    "api-slow",
    "books-unchecked",
    "cache-away",
    "cache-full",
    "card-testing",
    "database-cpu",
    "firewall-refusing",
    "fraud-warning",
    "high-deep",
    "low-deep",
    "low-waiting",
    "mail-bounces",
    "mail-complaints",
    "mail-feedback-set-aside",
    "mail-feedback-deep",
    "mail-feedback-waiting",
    "movements-unmatched",
    "payouts-differ",
    "applications-late",
    "plans-late",
    "audit-unarchived",
    "erasures-unnoted",
    "events-unpublished",
    "events-undelivered",
    "set-aside",
    "stripe-events-set-aside",
    "undelivered",
    "witness-contradicts",
    "witnesses-missing",
    *(key.replace("_", "-") for key in EXHAUSTED),
}


SLOW_NOTICES = {"backup-failed", *SLOW_SIGNS_OF_LIFE}
"""Of what only environments have that people rely on."""


def _told(deployed: Deployed, topic: str) -> set[str]:
    """The alarms that tell this topic, in the stack they stand in, when they start and when they end."""
    told = {
        one.stack: [{"Ref": one.logical_id}]
        for one in deployed.resources("AWS::SNS::Topic")
        if one.logical_id.startswith(topic)
    }
    starting, ending = (
        {
            name
            for name, alarm in alarms_of(deployed).items()
            if alarm.properties.get(actions) == told.get(alarm.stack, "no topic here")
        }
        for actions in ("AlarmActions", "OKActions")
    )
    assert starting == ending
    return starting


def test_people_are_woken_for_these_and_nothing_else(deployed: Deployed) -> None:
    outside = {"outside-view", "edge-errors"} if deployed.name in WATCHED else set()
    slow = SLOW_NOTICES if deployed.name in WATCHED else set()
    copies = {"backup-copy-failed"} if deployed.name == "production" else set()

    assert _told(deployed, "Topic") == WAKES | outside
    assert _told(deployed, "Notices") == NOTICES | slow | copies


def test_an_alarm_that_tells_nobody_is_read_by_something(deployed: Deployed) -> None:
    silent = set(alarms_of(deployed)) - _told(deployed, "Topic") - _told(deployed, "Notices")
    read_by_composites = {
        part
        for composite in deployed.resources(COMPOSITE)
        for part in parts_of(
            deployed, composite.properties["AlarmName"].removeprefix(f"amply-{deployed.name}-")
        )
    }
    read_by_deployments = {
        name.removeprefix(f"amply-{deployed.name}-")
        for service in deployed.resources("AWS::ECS::Service")
        for name in service.properties["DeploymentConfiguration"].get("Alarms", {}).get("AlarmNames", [])
    }

    assert silent == read_by_composites | read_by_deployments


def test_what_follows_from_the_database_is_quiet_while_the_database_pages(deployed: Deployed) -> None:
    alarms = alarms_of(deployed)
    cause = {"Fn::GetAtt": [alarms["database-away"].logical_id, "Arn"]}

    assert parts_of(deployed, "database-away") == {"database-silent", "database-unreachable"}
    assert parts_of(deployed, "api-failing") == {"api-errors", "api-unreachable", "api-silent"}
    assert parts_of(deployed, "work-stalled") == {
        "ledger-late",
        "bookings-paused",
        "high-waiting",
        "stripe-events-waiting",
        "worker-silent",
    }
    for name in ("api-failing", "work-stalled"):
        assert alarms[name].properties["ActionsSuppressor"] == cause
        assert alarms[name].properties["ActionsSuppressorWaitPeriod"] == 60
    assert "ActionsSuppressor" not in alarms["database-away"].properties


def test_every_work_queue_is_watched_for_age_and_for_depth(deployed: Deployed) -> None:
    for lane in ("high", "low"):
        watched = {
            alarms_of(deployed)[f"{lane}-{what}"].properties["MetricName"] for what in ("waiting", "deep")
        }
        assert watched == {"ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"}


def test_a_deployment_that_rolled_back_is_told_in_the_morning(deployed: Deployed) -> None:
    (rule,) = (
        rule for rule in deployed.resources("AWS::Events::Rule") if rule.stack.endswith("/observability")
    )
    (notices,) = (
        one
        for one in deployed.resources("AWS::SNS::Topic")
        if one.logical_id.startswith("Notices") and one.stack == rule.stack
    )

    assert rule.properties["EventPattern"]["detail"] == {"eventName": ["SERVICE_DEPLOYMENT_FAILED"]}
    assert [target["Arn"] for target in rule.properties["Targets"]] == [{"Ref": notices.logical_id}]


CHOSEN_ALARMS = {
    *("master-rotation", "k-anon-violations", "arrivals-set-aside", "arrivals-waiting"),
    *("terminal-contradicts", "terminal-refused", "terminal-days-failing"),
    *("terminal-messages-set-aside", "terminal-messages-waiting"),
    *("consents-untold", "facts-unwritten", "files-set-aside", "releases-failing", "releases-refused"),
    *("datasets-untold", "files-unread", "files-given-up"),
    *("data-unsettled", "data-contracts-unreadable", "data-shares-untold"),
    "lake-copies",
}
"""Of what no environment has today and each may choose; test_rotation.py, test_lake.py, test_lake_copy_alarms.py and test_terminals.py find them."""
PAGES = ROOT / "docs" / "runbooks" / "alarms"


def test_every_alarm_says_what_it_means_and_where_its_page_is(deployed: Deployed) -> None:
    for name, alarm in alarms_of(deployed).items():
        description = alarm.properties["AlarmDescription"]
        assert re.fullmatch(r"[A-Z][^.]*\. What to do: docs/runbooks/alarms/[a-z-]+\.md", description), name
        assert description.endswith(f"/{name}.md")
        assert len(description) <= 1024, name


def test_every_alarm_has_its_page_and_every_page_its_alarm(environments: Mapping[str, Deployed]) -> None:
    named = {name for deployed in environments.values() for name in alarms_of(deployed)}

    assert {page.stem for page in PAGES.glob("*.md")} == named | CHOSEN_ALARMS


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda page: page.stem)
def test_a_page_answers_the_four_questions(page: Any) -> None:
    text = page.read_text()

    assert re.findall(r"^\*\*(\w+[\w ]*\.)\*\*", text, re.MULTILINE) == [
        "Means.",
        "Look first.",
        "Do.",
        "Meanwhile.",
    ]
    assert text.splitlines()[0].endswith(f"(`{page.stem}`)")
    for link in re.findall(r"\]\(([^)]+\.md)\)", text):
        assert (page.parent / link).is_file(), link


def test_a_page_reads_the_logs_of_what_is_deployed_and_not_a_laptops(
    environments: Mapping[str, Deployed],
) -> None:
    asked: set[str] = set()
    for page in PAGES.glob("*.md"):
        text = page.read_text()
        assert "make logs" not in text, page.stem
        asked |= set(re.findall(r"--log-group-name-prefix ENV-(\S+)", text))
    # CloudFormation calls a group without a name after its stack and itself.
    groups = [
        f"{group.stack.partition('/')[2]}-{group.logical_id}"
        for group in environments["production"].resources("AWS::Logs::LogGroup")
    ]
    assert asked
    for prefix in asked:
        assert len([group for group in groups if group.startswith(prefix)]) == 1, prefix


def test_one_topic_is_kept_for_waking(environments: Mapping[str, Deployed]) -> None:
    """All say it by e-mail where an address is configured; a paging service joins those named Topic alone."""
    for deployed in environments.values():
        listening = {
            f"{one.stack.partition('/')[2]}/{one.properties['TopicArn']['Ref'][:-8]}"
            for one in deployed.resources("AWS::SNS::Subscription")
        }
        told = {
            "observability/Topic",
            "observability/Notices",
            "certificate/Notices",
            "edgealarms/Topic",
        }
        assert listening == (told if deployed.name in WATCHED else set())


@pytest.mark.parametrize("name", sorted(WATCHED))
def test_a_backup_that_failed_or_never_came_is_told_for_a_whole_day(
    name: str, environments: Mapping[str, Deployed]
) -> None:
    """There is one a day: a shorter period would end the alarm before anyone read of it."""
    alarms = alarms_of(environments[name])
    failed, missing = alarms["backup-failed"].properties, alarms["backup-missing"].properties
    vault = {json.dumps(failed["Metrics"][1]["MetricStat"]["Metric"]["Dimensions"])}

    assert {entry["MetricStat"]["Metric"]["MetricName"] for entry in failed["Metrics"][1:]} == {
        "NumberOfBackupJobsFailed",
        "NumberOfBackupJobsAborted",
        "NumberOfBackupJobsExpired",
    }
    assert failed["Metrics"][0]["Expression"] == "FILL(m0, 0) + FILL(m1, 0) + FILL(m2, 0)"
    assert {entry["MetricStat"]["Period"] for entry in failed["Metrics"][1:]} == {86400}
    assert (failed["Threshold"], failed["ComparisonOperator"]) == (0, "GreaterThanThreshold")
    assert (missing["MetricName"], missing["Threshold"]) == ("NumberOfBackupJobsCompleted", 1)
    assert (missing["Period"], missing["EvaluationPeriods"]) == (86400, 2)
    assert vault == {json.dumps(missing["Dimensions"])}
    assert "BackupVaultName" in vault.pop()


def test_a_copy_that_failed_is_told_under_whichever_vault_it_counts(
    environments: Mapping[str, Deployed],
) -> None:
    properties = alarms_of(environments["production"])["backup-copy-failed"].properties
    counted = [entry["MetricStat"]["Metric"] for entry in properties["Metrics"][1:]]
    read = [json.dumps(metric["Dimensions"]) for metric in counted]

    assert [metric["MetricName"] for metric in counted] == ["NumberOfCopyJobsFailed"] * 2
    assert ["production-backup" in one for one in read] == [True, False]
    assert ["production-replica" in one for one in read] == [False, True]


@pytest.mark.parametrize("name", sorted(WATCHED))
def test_every_certificate_is_watched_in_its_own_region(
    name: str, environments: Mapping[str, Deployed]
) -> None:
    """ACM renews weeks before the end, and says nothing at all of what has ended."""
    deployed = environments[name]
    stands = {
        certificate.stack.partition("/")[2]: certificate
        for certificate in deployed.resources("AWS::CertificateManager::Certificate")
    }
    assert set(stands) == {"edge", "certificate"}
    for alarm, stack in {"certificate-api": "edge", "certificate-edge": "certificate"}.items():
        found = alarms_of(deployed)[alarm]
        properties = found.properties
        ((named, of),) = ((one["Name"], one["Value"]) for one in properties["Dimensions"])
        there = f"{deployed.name}-{stack}" if stack == "edge" else stands[stack].logical_id

        assert named == "CertificateArn"
        assert there in json.dumps(of)
        assert _region(deployed, found.stack) == _region(deployed, stands[stack].stack)
        assert (properties["Namespace"], properties["MetricName"]) == (
            "AWS/CertificateManager",
            "DaysToExpiry",
        )
        assert (properties["Threshold"], properties["ComparisonOperator"]) == (21, "LessThanThreshold")
        assert (properties["Period"], properties["Statistic"]) == (86400, "Minimum")
        assert properties["TreatMissingData"] == "breaching"


def _region(deployed: Deployed, stack: str) -> str:
    return str(deployed.manifests[stack.partition("/")[2]]["environment"])
