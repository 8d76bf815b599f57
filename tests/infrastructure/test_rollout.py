"""How a new version of the API takes over, and how many tasks run."""

from dataclasses import replace
from typing import Any

import pytest

from constructs_lib.rollout import CanaryRollout
from constructs_lib.service import SCRATCH
from stacks.environments import LOCAL, PRODUCTION, SANDBOX, STAGING
from tests.infrastructure.assembly import Deployed, Resource, kind

POLICY = "AWS::ApplicationAutoScaling::ScalingPolicy"
GROUP, RULE = "AWS::ElasticLoadBalancingV2::TargetGroup", "AWS::ElasticLoadBalancingV2::ListenerRule"


def _api(deployed: Deployed) -> Resource:
    (found,) = (
        service for service in deployed.resources("AWS::ECS::Service") if service.stack.endswith("/api")
    )
    return found


@pytest.mark.parametrize("percent", [0, 100, -1])
def test_a_canary_that_takes_all_or_nothing_is_refused(percent: int) -> None:
    with pytest.raises(ValueError, match="some of the traffic"):
        CanaryRollout(percent=percent, canary_minutes=5, bake_minutes=5)


@pytest.mark.parametrize(("canary", "bake"), [(0, 5), (5, 0)])
def test_a_canary_without_time_to_look_is_refused(canary: int, bake: int) -> None:
    with pytest.raises(ValueError, match="proves nothing"):
        CanaryRollout(percent=10, canary_minutes=canary, bake_minutes=bake)


@pytest.mark.parametrize("environment", [PRODUCTION, STAGING, LOCAL])
def test_a_shell_outside_the_sandbox_is_refused(environment: Any) -> None:
    with pytest.raises(ValueError, match="only the sandbox"):
        replace(environment, tasks=replace(environment.tasks, opens_shells=True))
    assert SANDBOX.tasks.opens_shells


def test_in_the_sandbox_people_can_look_into_every_task(environments: Any) -> None:
    services = list(environments["sandbox"].resources("AWS::ECS::Service"))

    assert len(services) == 5
    assert all(service.properties["EnableExecuteCommand"] for service in services)


def test_a_tenth_of_the_people_meet_a_new_version_for_five_minutes(deployed: Deployed) -> None:
    configuration = _api(deployed).properties["DeploymentConfiguration"]

    if deployed.name not in {"production", "staging"}:
        assert "Strategy" not in configuration
        return
    assert configuration["Strategy"] == "CANARY"
    assert configuration["CanaryConfiguration"] == {"CanaryPercent": 10, "CanaryBakeTimeInMinutes": 5}
    assert configuration["BakeTimeInMinutes"] == 10
    assert configuration["Alarms"] == {
        "AlarmNames": [f"amply-{deployed.name}-rollout-errors", f"amply-{deployed.name}-rollout-slow"],
        "Enable": True,
        "Rollback": True,
    }


def test_the_service_is_given_both_groups_and_the_rule_between_them(deployed: Deployed) -> None:
    groups = [group.logical_id for group in deployed.resources(GROUP)]
    (balancer,) = _api(deployed).properties["LoadBalancers"]

    if deployed.name not in {"production", "staging"}:
        assert balancer["TargetGroupArn"] == {"Ref": groups[0]}
        assert len(groups) == 1
        return
    (rule,) = deployed.resources(RULE)
    (forward,) = rule.properties["Actions"]
    weights = {
        group["TargetGroupArn"]["Ref"]: group["Weight"] for group in forward["ForwardConfig"]["TargetGroups"]
    }
    advanced = balancer["AdvancedConfiguration"]
    assert weights == {balancer["TargetGroupArn"]["Ref"]: 100, advanced["AlternateTargetGroupArn"]["Ref"]: 0}
    assert set(weights) == set(groups)
    assert advanced["ProductionListenerRule"] == {"Ref": rule.logical_id}


def test_alarms_are_there_before_the_service_names_them(deployed: Deployed) -> None:
    made = {
        alarm.logical_id
        for alarm in deployed.resources("AWS::CloudWatch::Alarm")
        if alarm.stack.endswith("/api")
    }
    assert made <= set(_api(deployed).body["DependsOn"])
    assert len(made) == (2 if deployed.name in {"production", "staging"} else 0)


def test_no_alarm_looks_at_one_of_the_two_groups(deployed: Deployed) -> None:
    """After a deployment the other one has the traffic, and the alarm would be blind."""
    for alarm in deployed.resources("AWS::CloudWatch::Alarm"):
        assert "TargetGroup" not in str(
            alarm.properties.get("Dimensions", alarm.properties.get("Metrics"))
        ), alarm.where


def _policies(deployed: Deployed, stack: str) -> dict[str, Any]:
    return {
        policy.logical_id: policy.properties["TargetTrackingScalingPolicyConfiguration"]
        for policy in deployed.resources(POLICY)
        if policy.stack.endswith(f"/{stack}")
    }


def _asked(configuration: dict[str, Any]) -> list[str]:
    """The metrics a policy adds up."""
    queries = configuration.get("CustomizedMetricSpecification", {}).get("Metrics", [])
    return [query["MetricStat"]["Metric"]["MetricName"] for query in queries if "MetricStat" in query]


def test_the_api_scales_by_what_each_task_is_asked_in_either_group(environments: Any) -> None:
    policies = _policies(environments["production"], "api")

    (by_requests,) = (one for name, one in policies.items() if "Requests" in name)
    assert _asked(by_requests) == ["RequestCountPerTarget", "RequestCountPerTarget"]
    total = by_requests["CustomizedMetricSpecification"]["Metrics"][0]
    assert (total["Expression"], total["ReturnData"]) == ("FILL(m0, 0) + FILL(m1, 0)", True)
    assert by_requests["TargetValue"] == 3000
    assert len(policies) == 2, "and by its CPU"


def test_the_worker_scales_by_how_long_people_wait(environments: Any) -> None:
    policies = _policies(environments["production"], "workers")
    waiting = {name: one for name, one in policies.items() if "Waiting" in name}

    assert sorted(one["TargetValue"] for one in waiting.values()) == [60, 900]
    assert {metric for one in waiting.values() for metric in _asked(one)} == {"ApproximateAgeOfOldestMessage"}
    assert len(policies) == 3, "and by its CPU"


def test_what_does_not_scale_has_no_policy(environments: Any) -> None:
    for name in ("sandbox", "local"):
        assert list(environments[name].resources(POLICY)) == []


def test_a_shell_can_write_where_its_agent_does_and_nowhere_else(deployed: Deployed) -> None:
    for task in deployed.resources("AWS::ECS::TaskDefinition"):
        (container,) = task.properties["ContainerDefinitions"]
        mounted = {mount["ContainerPath"] for mount in container["MountPoints"]}
        agent = {"/var/lib/amazon", "/var/log/amazon"} if kind(deployed) == "sandbox" else set()
        assert mounted == set(SCRATCH.values()) | agent
