"""Runs a deployed task once and waits for its end: what `operations.one_off` and `operations.admin` do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_ecs.client import ECSClient
    from mypy_boto3_ecs.type_defs import AwsVpcConfigurationTypeDef, RunTaskRequestTypeDef, TaskTypeDef
    from mypy_boto3_ssm.client import SSMClient

PATIENCE: Final = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "max_attempts": 5})
_EVERY_SECONDS: Final = 5


class TaskFailedError(Exception):
    """The task ran and did not end well; the message says why it stopped."""

    def __init__(self, message: str, *, task: str) -> None:
        super().__init__(message)
        self.task = task


class NotRunError(Exception):
    """The task did not run, or nobody knows how it ended."""


def published(ssm: "SSMClient", environment: str, name: str) -> str:
    """The value of `/amply/ENVIRONMENT/NAME`.

    Raises:
        NotRunError: There is none where the credentials and the region lead.
    """
    try:
        return ssm.get_parameter(Name=f"/amply/{environment}/{name}")["Parameter"]["Value"]
    except ssm.exceptions.ParameterNotFound:
        raise NotRunError(
            f"there is no /amply/{environment}/{name} in this account in {ssm.meta.region_name}: deploy {environment}, or "
            "sign in where it is and set AWS_REGION to its region."
        ) from None


@dataclass(frozen=True, kw_only=True)
class Clock:
    """Monotonic seconds, and a way to let some pass."""

    now: Callable[[], float]
    sleep: Callable[[float], None]


@dataclass(frozen=True, kw_only=True)
class Runner:
    """Runs tasks of one environment; `started_by` is how ECS shows who asked."""

    environment: str
    ecs: "ECSClient"
    ssm: "SSMClient"
    clock: Clock
    started_by: str

    def run(self, name: str, *, wait_seconds: float, command: Sequence[str] | None = None) -> str:
        """Run the task `name` to its end, with `command` in place of its own; answers its ARN.

        Raises:
            TaskFailedError: It stopped with another exit code than 0.
            NotRunError: It was not started, or still runs after `wait_seconds`.
        """
        cluster = self.parameter("api/cluster-name")
        task = self._start(name, cluster, command)
        deadline = self.clock.now() + wait_seconds
        while True:
            if stopped := self._stopped(cluster, task):
                self._judge(name, stopped)
                return task
            if self.clock.now() >= deadline:
                raise NotRunError(
                    f"{task} still runs after {wait_seconds:.0f} s; look at it before going on."
                )
            self.clock.sleep(_EVERY_SECONDS)

    def parameter(self, name: str) -> str:
        """A name that the environment has published, below `/amply/ENVIRONMENT/`; NotRunError where it has not."""
        return published(self.ssm, self.environment, name)

    def _start(self, name: str, cluster: str, command: Sequence[str] | None) -> str:
        asked: RunTaskRequestTypeDef = {
            "cluster": cluster,
            "taskDefinition": f"{self.environment}-{name}",
            "launchType": "FARGATE",
            "startedBy": self.started_by,
            "networkConfiguration": {"awsvpcConfiguration": self._place()},
        }
        if command:
            asked["overrides"] = {"containerOverrides": [{"name": name, "command": list(command)}]}
        answer = self.ecs.run_task(**asked)
        if not answer["tasks"]:
            why = ", ".join(failure.get("reason", "no reason given") for failure in answer["failures"])
            raise NotRunError(f"{self.environment}-{name} was not started: {why}.")
        return answer["tasks"][0]["taskArn"]

    def _place(self) -> "AwsVpcConfigurationTypeDef":
        has_address = self.parameter("network/task-public-address") == "ENABLED"
        return {
            "subnets": self.parameter("network/task-subnets").split(","),
            "securityGroups": [self.parameter("network/jobs-group")],
            "assignPublicIp": "ENABLED" if has_address else "DISABLED",
        }

    def _stopped(self, cluster: str, task: str) -> "TaskTypeDef | None":
        found = self.ecs.describe_tasks(cluster=cluster, tasks=[task])["tasks"]
        # A task that was just started may not be known yet.
        return found[0] if found and found[0]["lastStatus"] == "STOPPED" else None

    def _judge(self, name: str, task: "TaskTypeDef") -> None:
        (container,) = task["containers"]
        code = container.get("exitCode")
        if code == 0:
            return
        reasons = [container.get("reason"), task.get("stoppedReason")]
        why = "; ".join(reason for reason in reasons if reason) or "no reason given"
        ended = f"ended with exit code {code}" if code is not None else "never started its container"
        raise TaskFailedError(
            f"{self.environment}-{name} {ended}: {why}. Its log group says more.", task=task["taskArn"]
        )
