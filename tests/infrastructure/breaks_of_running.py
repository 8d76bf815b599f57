"""Mutations that break each invariant of workloads: containers, deployments, shells, alarms."""

from collections.abc import Mapping

from tests.infrastructure import invariants as rules
from tests.infrastructure.breaking import Broken, append, drop, overwrite

TASK, SERVICE = "AWS::ECS::TaskDefinition", "AWS::ECS::Service"
CONTAINER = (TASK, "Properties", "ContainerDefinitions", "0")
CAPABILITIES = (*CONTAINER, "LinuxParameters", "Capabilities")
DEPLOYMENT = (SERVICE, "Properties", "DeploymentConfiguration")
ALARM, COMPOSITE = "AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"
SIDECAR = {
    "Name": "sidecar",
    "Environment": [],
    "User": "1000",
    "ReadonlyRootFilesystem": True,
    "LinuxParameters": {"Capabilities": {"Drop": ["ALL"]}},
}
confined, one_at_a_time = rules.containers_are_confined, rules.some_services_never_run_twice
a_few_first, paged = rules.new_versions_meet_a_few_people_first, rules.alarms_lead_to_their_page

BREAKS: Mapping[str, Broken] = {
    "an x86 task": (
        confined,
        "api",
        overwrite(TASK, "Properties", "RuntimePlatform", "CpuArchitecture", to="X86_64"),
    ),
    "a second container": (
        confined,
        "workers",
        append(TASK, "Properties", "ContainerDefinitions", more=SIDECAR),
    ),
    "a container as root": (confined, "api", overwrite(*CONTAINER, "User", to="0")),
    "a container as root by name": (confined, "api", overwrite(*CONTAINER, "User", to="root:app")),
    "a container as whoever the image says": (confined, "api", drop(*CONTAINER, "User")),
    "a writable file system": (confined, "api", overwrite(*CONTAINER, "ReadonlyRootFilesystem", to=False)),
    "kept capabilities": (confined, "workers", drop(*CAPABILITIES, "Drop")),
    "kept capabilities but one": (confined, "workers", overwrite(*CAPABILITIES, "Drop", to=["NET_RAW"])),
    "an added capability": (confined, "workers", append(*CAPABILITIES, "Add", more="SYS_PTRACE")),
    "a privileged container": (confined, "api", overwrite(*CONTAINER, "Privileged", to=True)),
    "a container without limits of its own": (confined, "api", drop(*CONTAINER, "LinuxParameters")),
    "a deployment that stays broken": (
        rules.deployments_roll_back,
        "api",
        drop(*DEPLOYMENT, "DeploymentCircuitBreaker"),
    ),
    "a deployment that stops half-way": (
        rules.deployments_roll_back,
        "workers",
        overwrite(*DEPLOYMENT, "DeploymentCircuitBreaker", "Rollback", to=False),
    ),
    "a new version for everyone at once": (a_few_first, "api", drop(*DEPLOYMENT, "Strategy")),
    "two versions for three hours": (a_few_first, "api", drop(*DEPLOYMENT, "BakeTimeInMinutes")),
    "a rollout that nothing ends": (
        a_few_first,
        "api",
        overwrite(*DEPLOYMENT, "Alarms", "Enable", to=False),
    ),
    "a rollout that ends half-way": (
        a_few_first,
        "api",
        overwrite(*DEPLOYMENT, "Alarms", "Rollback", to=False),
    ),
    "a rollout that waits for no alarm": (
        a_few_first,
        "api",
        overwrite(*DEPLOYMENT, "Alarms", "AlarmNames", to=[]),
    ),
    "a rollout that waits for an alarm that is not there": (
        a_few_first,
        "api",
        overwrite(*DEPLOYMENT, "Alarms", "AlarmNames", to=["api-error"]),
    ),
    "a shell in production": (
        rules.nobody_opens_a_shell,
        "workers",
        overwrite(SERVICE, "Properties", "EnableExecuteCommand", to=True),
    ),
    "an alarm without a page": (
        paged,
        "observability",
        overwrite(ALARM, "Properties", "AlarmDescription", to="Something is wrong."),
    ),
    "several alarms in one without a page": (
        paged,
        "observability",
        drop(COMPOSITE, "Properties", "AlarmDescription"),
    ),
    "an alarm that leads to another's page": (
        paged,
        "observability",
        overwrite(ALARM, "Properties", "AlarmDescription", to="See docs/runbooks/alarms/api-slow.md"),
    ),
    "two sequencers during a deployment": (
        one_at_a_time,
        "workers",
        overwrite(*DEPLOYMENT, "MaximumPercent", to=200),
    ),
    "a new sequencer beside the old one": (
        one_at_a_time,
        "workers",
        overwrite(*DEPLOYMENT, "MinimumHealthyPercent", to=100),
    ),
    "two sequencers at any time": (
        one_at_a_time,
        "workers",
        overwrite(SERVICE, "Properties", "DesiredCount", to=2),
    ),
}
