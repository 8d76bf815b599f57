"""Runs the deployed ECS tasks as local processes.

Everything a container would be given comes from the emulator: command, environment, secrets, health check and
grace. Only what `overrides.py` lists differs.
"""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local_cloud import overrides, references
from local_cloud.cloud import Cloud
from local_cloud.failures import LocalCloudError
from local_cloud.inputs import digest
from local_cloud.overrides import Laptop
from local_cloud.settings import ENVIRONMENT, REGION, Settings
from local_cloud.supervisor.part import Health, Part

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import ContainerDefinitionOutputTypeDef, HealthCheckOutputTypeDef

_ARGUMENTS, _SHELL_LINE = "CMD", "CMD-SHELL"


@dataclass(frozen=True, kw_only=True)
class Task:
    """One container of one task definition, as the emulator's ECS API describes it."""

    name: str
    definition: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    secrets: Mapping[str, str]
    health: Health | None
    stop_seconds: float


def services(cloud: Cloud) -> list[Task]:
    """The tasks of all services of our cluster that should be running."""
    cluster = cloud.parameter("api/cluster-name")
    arns = cloud.ecs.list_services(cluster=cluster, maxResults=100)["serviceArns"]
    described = cloud.ecs.describe_services(cluster=cluster, services=arns)["services"] if arns else []
    return [definition(cloud, service["taskDefinition"]) for service in described if service["desiredCount"]]


def one_off(cloud: Cloud, name: str) -> Task:
    """The task that runs now and then, as `ecs run-task` would find it: the family's latest revision."""
    return definition(cloud, f"{ENVIRONMENT}-{name}")


def definition(cloud: Cloud, family_or_arn: str) -> Task:
    described = cloud.ecs.describe_task_definition(taskDefinition=family_or_arn)["taskDefinition"]
    containers = described["containerDefinitions"]
    if len(containers) != 1:
        raise LocalCloudError(
            f"{family_or_arn} has {len(containers)} containers; a local process stands for one."
        )
    return _task(described["taskDefinitionArn"], containers[0])


def _task(arn: str, container: "ContainerDefinitionOutputTypeDef") -> Task:
    check = container.get("healthCheck")
    return Task(
        name=container["name"],
        definition=arn,
        command=tuple(container.get("command", ())),
        environment={pair["name"]: pair["value"] for pair in container.get("environment", ())},
        secrets={pair["name"]: pair["valueFrom"] for pair in container.get("secrets", ())},
        health=_health(check) if check else None,
        stop_seconds=float(container.get("stopTimeout", 30)),
    )


def _health(check: "HealthCheckOutputTypeDef") -> Health:
    kind, *rest = check["command"]
    command = {_ARGUMENTS: tuple(rest), _SHELL_LINE: ("sh", "-c", *rest)}[kind]
    return Health(
        command=command,
        interval=float(check.get("interval", 30)),
        timeout=float(check.get("timeout", 5)),
        retries=int(check.get("retries", 3)),
        start_period=float(check.get("startPeriod", 0)) + 30.0,
    )


def environment(task: Task, *, cloud: Cloud, laptop: Laptop) -> dict[str, str]:
    """The complete environment of the local process for a task."""
    declared = {**task.environment, **dict(_secrets(task, cloud))}
    around = overrides.Surroundings(laptop=laptop, task=task.name, declared=declared)
    return {**_runtime_environment(cloud.settings), **overrides.apply(around)}


def secret(task: Task, name: str, cloud: Cloud) -> str:
    """One secret as the task would get it."""
    return dict(_secrets(task, cloud))[name]


def _secrets(task: Task, cloud: Cloud) -> Iterator[tuple[str, str]]:
    for name, value_from in task.secrets.items():
        try:
            yield name, references.resolve(value_from, cloud)
        except references.BrokenReferenceError as error:
            raise LocalCloudError(f"The task {task.name} cannot be given {name}: {error}.") from error


def _runtime_environment(settings: Settings) -> dict[str, str]:
    """What the image and Fargate themselves put into every container; `python` is this project's."""
    return {
        "PATH": f"{settings.python.parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(settings.state),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
    }


def part(task: Task, *, environment: Mapping[str, str], settings: Settings) -> Part:
    """A service's task as a part for the supervisor."""
    if task.health is None:
        raise LocalCloudError(f"The service {task.name} has no health check, so nobody could tell how it is.")
    return Part(
        name=task.name,
        command=task.command,
        environment=environment,
        directory=str(settings.state),
        log=str(settings.log_of(task.name)),
        health=task.health,
        inputs=_code(settings),
        stop_seconds=task.stop_seconds,
    )


def _code(settings: Settings) -> str:
    """What the image would be built from."""
    services = settings.root / "services"
    return digest(
        (
            services / "backend" / "src",
            services / "ledger_format" / "src",
            services / "lake" / "src",
            services / "releases" / "src",
            settings.root / "requirements.txt",
        )
    )


def run(
    task: Task,
    *,
    environment: Mapping[str, str],
    settings: Settings,
    command: Sequence[str] | None = None,
    log: str | None = None,
) -> str:
    """Run a one-off task, as `ecs run-task` with a command override; returns its standard output.

    Raises:
        LocalCloudError: It ended with a failure; its log's last lines say why.
    """
    log_path = settings.log_of(log or task.name)
    with log_path.open("ab") as file:
        done: subprocess.CompletedProcess[Any] = subprocess.run(
            list(command or task.command),
            env=dict(environment),
            cwd=settings.state,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=file,
            check=False,
        )
        file.write(done.stdout)
    if done.returncode:
        raise LocalCloudError(
            f"The task {task.name} failed with exit status {done.returncode}.", log=log_path
        )
    return str(done.stdout.decode())
