"""Canary deployment: two target groups, and a listener rule that shifts traffic between them."""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elb
from constructs import Construct

from constructs_lib.waiver import Waiver, waive

SHIFTING = "arn:<AWS::Partition>:iam::aws:policy/AmazonECSInfrastructureRolePolicyForLoadBalancers"


@dataclass(frozen=True, kw_only=True)
class CanaryRollout:
    """`percent` of the traffic for `canary_minutes`, then all; the old version stays for another `bake_minutes`.

    Raises ValueError for a share that is everything or nothing, and for no time to look.
    """

    percent: int
    canary_minutes: int
    bake_minutes: int

    def __post_init__(self) -> None:
        if not 0 < self.percent < 100:  # noqa: PLR2004 -- a share
            raise ValueError(f"A canary takes some of the traffic, not {self.percent} %.")
        if self.canary_minutes < 1 or self.bake_minutes < 1:
            raise ValueError("A canary that nobody looks at for a minute proves nothing.")

    @property
    def shift(self) -> ecs.TrafficShiftConfig:
        return ecs.TrafficShiftConfig(
            step_percent=self.percent, step_bake_time=Duration.minutes(self.canary_minutes)
        )

    @property
    def bake(self) -> Duration:
        return Duration.minutes(self.bake_minutes)


@dataclass(frozen=True, kw_only=True)
class Watch:
    """A rollout with its rollback alarms, whose metrics must not depend on the service."""

    rollout: CanaryRollout
    alarms: Sequence[cloudwatch.Alarm]

    @property
    def configuration(self) -> ecs.DeploymentAlarmConfig:
        """By fixed name: a reference would make a cycle between service and alarms."""
        return ecs.DeploymentAlarmConfig(
            alarm_names=[_name(alarm) for alarm in self.alarms], behavior=ecs.AlarmBehavior.ROLLBACK_ON_ALARM
        )


def _name(alarm: cloudwatch.Alarm) -> str:
    resource = alarm.node.default_child
    if not isinstance(resource, cloudwatch.CfnAlarm) or resource.alarm_name is None:
        raise ValueError("An alarm that ends a rollout has a fixed name.")
    return resource.alarm_name


class Target(Construct):
    """A service behind a listener: one target group, or two with a rule that ECS shifts between them."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        listener: elb.ApplicationListener,
        groups: Sequence[elb.ApplicationTargetGroup],
    ) -> None:
        super().__init__(scope, construct_id)
        self._groups = groups
        self._rule = self._shared_rule(listener) if len(groups) > 1 else None
        if self._rule is None:
            listener.add_action("Everything", action=elb.ListenerAction.forward(list(groups)))

    def attach(self, service: ecs.FargateService, *, container: str, port: int, role: Waiver) -> None:
        """Route the traffic to this service; `role` lets ECS modify the listener."""
        first, *others = self._groups
        alternate = None
        if self._rule is not None:
            alternate = ecs.AlternateTarget(
                "Alternate",
                alternate_target_group=others[0],
                production_listener=ecs.ListenerRuleConfiguration.application_listener_rule(self._rule),
            )
        target = service.load_balancer_target(
            container_name=container, container_port=port, alternate_target=alternate
        )
        target.attach_to_application_target_group(first)
        if self._rule is not None:
            service.node.add_dependency(self._rule)
            waive(service, f"AwsSolutions-IAM4[Policy::{SHIFTING}]", role)

    def _shared_rule(self, listener: elb.ApplicationListener) -> elb.ApplicationListenerRule:
        """A rule of its own: ECS changes its weights, which it may not do to a listener's default."""
        first, *others = self._groups
        listener.add_action("Nobody", action=elb.ListenerAction.fixed_response(503))
        weights = [
            elb.WeightedTargetGroup(target_group=first, weight=100),
            *(elb.WeightedTargetGroup(target_group=group, weight=0) for group in others),
        ]
        return elb.ApplicationListenerRule(
            self,
            "Everything",
            listener=listener,
            priority=1,
            conditions=[elb.ListenerCondition.path_patterns(["*"])],
            action=elb.ListenerAction.weighted_forward(weights),
        )
