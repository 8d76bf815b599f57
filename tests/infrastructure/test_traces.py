"""Spans leave the tasks that work on single gifts, where an environment says so; elsewhere nothing is there for it."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from operations.cost.usage import assumptions
from stacks.contracts import CONTAINERS, TaskName
from stacks.environment import TraceSettings
from stacks.environments import LOCAL, PRODUCTION, SANDBOX, STAGING
from stacks.traces import KEPT_DAYS
from tests.infrastructure.assembly import Deployed

TRACED = {TaskName.API, TaskName.WORKER, TaskName.SCHEDULER}
WRITING = {"xray:PutTraceSegments", "xray:PutSpans", "xray:PutSpansForIndexing"}
ON, OFF = ("production", "staging"), ("sandbox", "local")


def _told(deployed: Deployed) -> Mapping[str, Mapping[str, str]]:
    """What each container is told in plain words."""
    told = {}
    for task in deployed.resources("AWS::ECS::TaskDefinition"):
        (container,) = task.properties["ContainerDefinitions"]
        told[container["Name"]] = {
            pair["Name"]: pair["Value"] for pair in container["Environment"] if isinstance(pair["Value"], str)
        }
    return told


def _may_write(deployed: Deployed) -> Mapping[str, set[str]]:
    """Actions on spans by the construct path of the policy that allows them."""
    found: dict[str, set[str]] = {}
    for policy in deployed.resources("AWS::IAM::Policy"):
        for statement in policy.properties["PolicyDocument"]["Statement"]:
            actions = statement["Action"]
            spans = {
                action for action in ([actions] if isinstance(actions, str) else actions) if "xray:" in action
            }
            if spans:
                found.setdefault(policy.path or policy.where, set()).update(spans)
    return found


def test_the_environments_that_take_gifts_as_production_does_are_traced() -> None:
    assert PRODUCTION.traces
    assert STAGING.traces == PRODUCTION.traces
    assert (SANDBOX.traces, LOCAL.traces) == (None, None)


@pytest.mark.parametrize("name", ON)
def test_a_traced_task_is_told_where_and_may_write_there_and_read_nothing(
    environments: Mapping[str, Deployed], name: str
) -> None:
    told = _told(environments[name])
    urls = {
        task: variables["AMPLY_TRACES_URL"]
        for task, variables in told.items()
        if "AMPLY_TRACES_URL" in variables
    }

    assert urls == dict.fromkeys(TRACED, "https://xray.eu-west-1.amazonaws.com/v1/traces")
    assert told[TaskName.API]["AMPLY_TRACED_READS"] == "0.05"
    may = _may_write(environments[name])
    assert {path.split("/")[2] for path in may} == {"ApiSpans", "WorkerSpans", "SchedulerSpans"}
    assert all(actions == WRITING for actions in may.values())


@pytest.mark.parametrize("name", ON)
def test_xray_may_write_spans_of_this_account_before_it_is_told_to(
    environments: Mapping[str, Deployed], name: str
) -> None:
    deployed = environments[name]
    search = deployed.the("AWS::XRay::TransactionSearchConfig")
    policy = deployed.the("AWS::Logs::ResourcePolicy")
    (statement,) = _document(policy.properties["PolicyDocument"])["Statement"]

    assert search.properties == {"IndexingPercentage": 1}
    assert search.body["DependsOn"] == [policy.logical_id]
    assert statement["Principal"] == {"Service": "xray.amazonaws.com"}
    assert statement["Action"] == "logs:PutLogEvents"
    account = deployed.manifests["traces"]["environment"].removeprefix("aws://").split("/")[0]
    assert [resource.split(":")[6] for resource in statement["Resource"]] == [
        "aws/spans",
        "/aws/application-signals/data",
    ]
    assert statement["Condition"] == {
        "ArnLike": {"aws:SourceArn": f"arn:aws:xray:eu-west-1:{account}:*"},
        "StringEquals": {"aws:SourceAccount": account},
    }


@pytest.mark.parametrize("name", ON)
def test_spans_are_forgotten_in_time_by_whom_may_do_that_and_no_more(
    environments: Mapping[str, Deployed], name: str
) -> None:
    deployed = environments[name]
    kept = deployed.the("Custom::SpansKept")
    (statement,) = (
        statement
        for policy in deployed.resources("AWS::IAM::Policy")
        if "KeeperRole" in policy.path
        for statement in policy.properties["PolicyDocument"]["Statement"]
        if "logs:PutRetentionPolicy" in statement["Action"]
    )

    assert (kept.properties["Group"], kept.properties["Days"]) == ("aws/spans", 30)
    assert deployed.the("AWS::XRay::TransactionSearchConfig").logical_id in kept.body["DependsOn"]
    assert statement["Action"] == "logs:PutRetentionPolicy"
    assert statement["Resource"].split(":")[5:] == ["log-group", "aws/spans", "*"]


def test_spans_are_kept_as_long_as_the_cost_page_counts_with() -> None:
    assert assumptions()["span_months"].values["production"] * 30 == KEPT_DAYS


def _document(written: Any) -> Any:
    """A policy in a template, which is a text there."""
    return json.loads(written) if isinstance(written, str) else written


@pytest.mark.parametrize("name", OFF)
def test_where_nothing_is_traced_there_is_nothing_for_it(
    environments: Mapping[str, Deployed], name: str
) -> None:
    deployed = environments[name]

    assert "traces" not in deployed.templates
    assert _may_write(deployed) == {}
    assert "xray." not in json.dumps(list(deployed.templates.values()))
    told = [
        variables["AMPLY_TRACES_URL"]
        for variables in _told(deployed).values()
        if "AMPLY_TRACES_URL" in variables
    ]
    assert told == [""] * len(TRACED)


def test_every_task_has_one_container(deployed: Deployed) -> None:
    """What runs beside the payment path could read its secrets: no collector, no daemon."""
    for task in deployed.resources("AWS::ECS::TaskDefinition"):
        assert len(task.properties["ContainerDefinitions"]) == 1, task.where


def test_the_ledgers_own_processes_send_nothing() -> None:
    assert {name for name, contract in CONTAINERS.items() if contract.is_traced} == TRACED


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        TraceSettings(share_of_reads=share, indexed_percent=1)


@pytest.mark.parametrize("percent", [-1, 101])
def test_a_percentage_that_is_none_is_refused(percent: float) -> None:
    with pytest.raises(ValueError, match="from 0 to 100"):
        TraceSettings(share_of_reads=0.05, indexed_percent=percent)
