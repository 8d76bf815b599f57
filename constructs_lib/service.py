"""A Fargate service of one container: ARM64, non-root, read-only root filesystem with a scratch volume, its own roles and
log group.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_applicationautoscaling as autoscaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_lib.rollout import Watch
from constructs_lib.scaling import track_sum
from constructs_lib.waiver import Waiver, waive

UNPRIVILEGED = "10001:10001"
"""User and group the image creates; it owns the scratch volumes there."""
SHELL = {"agent": "/var/lib/amazon", "agent-log": "/var/log/amazon"}
"""What the agent behind `aws ecs execute-command` writes to; only where people may open a shell."""
SCRATCH = {"run": "/run/amply", "tmp": "/tmp"}  # noqa: S108 -- a mount point of the container's own
"""Ephemeral volumes over an otherwise read-only file system, and where they are mounted."""


SHELLS = Waiver(
    reason="The channels of a shell session have no names a policy could hold; only the sandbox has them.",
    until=date(2027, 11, 30),
)


@dataclass(frozen=True, kw_only=True)
class TaskSize:
    """`cpu` in units of 1/1024 vCPU, `memory_mib` in MiB; Fargate accepts only certain pairs.

    `disk_gib` is for the image and all that is written together, 21 to 200; None: the 20 GiB that every task has.
    """

    cpu: int
    memory_mib: int
    disk_gib: int | None = None

    def with_memory(self, at_least_mib: int) -> "TaskSize":
        """The same size with at least this much memory."""
        return replace(self, memory_mib=max(self.memory_mib, at_least_mib))


@dataclass(frozen=True, kw_only=True)
class LogKeeping:
    """A log group's retention and removal policy."""

    retention: logs.RetentionDays
    removal_policy: RemovalPolicy


def task_role(scope: Construct, construct_id: str, *, account: str) -> iam.Role:
    """A role that only ECS tasks of this account can assume (no confused deputy)."""
    principal = iam.ServicePrincipal(
        "ecs-tasks.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": account}}
    )
    return iam.Role(scope, construct_id, assumed_by=principal)


class Task(Construct):
    """A task definition with exactly one container. The composing stack grants its role's permissions."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        family: str,
        name: str,
        command: Sequence[str],
        health_check: Sequence[str] | None,
        image: ecs.ContainerImage,
        size: TaskSize,
        environment: Mapping[str, str],
        secrets: Mapping[str, ecs.Secret],
        role: iam.IRole,
        account: str,
        log: LogKeeping,
        port: int | None = None,
        opens_shells: bool = False,
    ) -> None:
        super().__init__(scope, construct_id)
        self.role = role
        self.opens_shells = opens_shells
        writable = {**SCRATCH, **(SHELL if opens_shells else {})}
        self.log = logs.LogGroup(self, "Log", retention=log.retention, removal_policy=log.removal_policy)
        execution_role = task_role(self, "ExecutionRole", account=account)
        self.definition = ecs.FargateTaskDefinition(
            self,
            "Definition",
            family=family,
            cpu=size.cpu,
            memory_limit_mib=size.memory_mib,
            ephemeral_storage_gib=size.disk_gib,
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=ecs.CpuArchitecture.ARM64,
                operating_system_family=ecs.OperatingSystemFamily.LINUX,
            ),
            task_role=role,
            execution_role=execution_role,
            volumes=[ecs.Volume(name=volume) for volume in writable],
        )
        self.container = self.definition.add_container(
            name,
            container_name=name,
            image=image,
            command=list(command),
            environment=environment,
            secrets=secrets,
            health_check=_health_check(health_check),
            logging=self._log_driver(name),
            port_mappings=[ecs.PortMapping(container_port=port)] if port else None,
            readonly_root_filesystem=True,
            user=UNPRIVILEGED,
            linux_parameters=self._no_capabilities(),
            stop_timeout=Duration.seconds(60),
        )
        for volume, path in writable.items():
            self.container.add_mount_points(
                ecs.MountPoint(source_volume=volume, container_path=path, read_only=False)
            )

    def _log_driver(self, name: str) -> ecs.LogDriver:
        # Blocking mode would stop a container whose log cannot be delivered.
        return ecs.LogDrivers.aws_logs(
            log_group=self.log, stream_prefix=name, mode=ecs.AwsLogDriverMode.NON_BLOCKING
        )

    def _no_capabilities(self) -> ecs.LinuxParameters:
        parameters = ecs.LinuxParameters(self, "Linux", init_process_enabled=True)
        parameters.drop_capabilities(ecs.Capability.ALL)
        return parameters


def _health_check(command: Sequence[str] | None) -> ecs.HealthCheck | None:
    if command is None:
        return None
    return ecs.HealthCheck(
        command=list(command),
        interval=Duration.seconds(15),
        timeout=Duration.seconds(10),
        retries=3,
        start_period=Duration.seconds(60),
    )


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Cluster, subnets and public address of a service's tasks."""

    cluster: ecs.ICluster
    subnets: ec2.SubnetSelection
    public_address: bool
    """Only where there is no NAT gateway: the address is for going out, no rule lets anyone in."""


class Service(ecs.FargateService):
    """An ECS service with automatic rollback. `exactly_one` never runs two tasks, not even during a deployment.

    `count` tasks run, or where `limit` is higher as many between the two as their CPU, and whatever else they
    `keep_below`, asks for. With `watch` a new version takes over as a canary.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        task: Task,
        placement: Placement,
        security_groups: Sequence[ec2.ISecurityGroup],
        count: int,
        limit: int | None = None,
        exactly_one: bool = False,
        health_check_grace: Duration | None = None,
        watch: Watch | None = None,
    ) -> None:
        if exactly_one and count > 1:
            raise ValueError(f"{construct_id} runs exactly one task, so it cannot run {count}.")
        rebalancing = ecs.AvailabilityZoneRebalancing
        highest = count if limit is None else limit
        scales = highest > count
        super().__init__(
            scope,
            construct_id,
            cluster=placement.cluster,
            task_definition=task.definition,
            # Left out where scaling decides: a deployment would set the number back in the middle of a rush.
            desired_count=None if scales else count,
            min_healthy_percent=0 if exactly_one else 100,
            max_healthy_percent=100 if exactly_one else 200,
            availability_zone_rebalancing=rebalancing.DISABLED if exactly_one else rebalancing.ENABLED,
            circuit_breaker=ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
            health_check_grace_period=health_check_grace,
            assign_public_ip=placement.public_address,
            vpc_subnets=placement.subnets,
            security_groups=list(security_groups),
            propagate_tags=ecs.PropagatedTagSource.SERVICE,
            enable_ecs_managed_tags=True,
            enable_execute_command=task.opens_shells or None,
            deployment_strategy=ecs.DeploymentStrategy.CANARY if watch else None,
            canary_configuration=watch.rollout.shift if watch else None,
            # Said, because the default keeps two versions for three hours.
            bake_time=watch.rollout.bake if watch else None,
            deployment_alarms=watch.configuration if watch else None,
        )
        if task.opens_shells:
            waive(task.role, "AwsSolutions-IAM5[Resource::*]", SHELLS)
        for alarm in watch.alarms if watch else ():
            self.node.add_dependency(
                alarm
            )  # ECS refuses a service that names an alarm which is not there yet
        self.log = task.log
        self._scaling = self._scale(count, highest) if scales else None

    def keep_below(self, name: str, metrics: Sequence[cloudwatch.Metric], target: float) -> None:
        """Scale out while the sum of `metrics` is above `target`; does nothing if the count is fixed.

        The most that any of the measures asks for is run, and none is taken away before all of them agree.
        """
        if self._scaling is None:
            return
        scaled = self._scaling.node.find_child("Target")
        if not isinstance(scaled, autoscaling.ScalableTarget):
            raise TypeError("A scaling service has a target to scale.")
        # A new task needs a minute before it helps; one that was not needed costs little for five.
        track_sum(self, name, scaled=scaled, metrics=metrics, target=target, out_seconds=60, in_seconds=300)

    def _scale(self, lowest: int, highest: int) -> ecs.ScalableTaskCount:
        scaling = self.auto_scale_task_count(min_capacity=lowest, max_capacity=highest)
        scaling.scale_on_cpu_utilization("Cpu", target_utilization_percent=60)
        return scaling
