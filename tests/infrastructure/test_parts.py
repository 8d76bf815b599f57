"""The parts of constructs_lib on their own: what they refuse and what they cannot be talked out of."""

from datetime import date

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_logs as logs
from aws_cdk.assertions import Match, Template

from constructs_lib.bucket import PrivateBucket
from constructs_lib.durability import DISPOSABLE, PERMANENT
from constructs_lib.queue import DeadLetterQueue, WorkQueue
from constructs_lib.service import SCRATCH, LogKeeping, Placement, Service, Task, TaskSize, task_role
from constructs_lib.waiver import Waiver


@pytest.fixture
def stack() -> cdk.Stack:
    app = cdk.App(builtin_cloud_formation_validation=False)
    return cdk.Stack(app, "stack", env=cdk.Environment(account="111111111111", region="eu-west-1"))


def _task(stack: cdk.Stack) -> Task:
    return Task(
        stack,
        "Task",
        family="test-worker",
        name="worker",
        command=["true"],
        health_check=None,
        image=ecs.ContainerImage.from_registry("localhost/amply"),
        size=TaskSize(cpu=256, memory_mib=512),
        environment={},
        secrets={},
        role=task_role(stack, "Role", account="111111111111"),
        account="111111111111",
        log=LogKeeping(retention=logs.RetentionDays.ONE_WEEK, removal_policy=cdk.RemovalPolicy.DESTROY),
    )


def _placement(stack: cdk.Stack) -> Placement:
    vpc = ec2.Vpc(stack, "Vpc", availability_zones=["eu-west-1a"], nat_gateways=0)
    return Placement(
        cluster=ecs.Cluster(stack, "Cluster", vpc=vpc),
        subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC),
        public_address=True,
    )


def test_a_bucket_with_locked_objects_is_not_emptied_automatically(stack: cdk.Stack) -> None:
    PrivateBucket(
        stack, "Archive", durability=DISPOSABLE, request_logs=None, object_lock=PERMANENT.object_lock
    )
    Template.from_stack(stack).resource_count_is("Custom::S3AutoDeleteObjects", 0)


def test_a_disposable_bucket_is_emptied_with_its_stack(stack: cdk.Stack) -> None:
    PrivateBucket(stack, "Public", durability=DISPOSABLE, request_logs=None)
    Template.from_stack(stack).resource_count_is("Custom::S3AutoDeleteObjects", 1)


def test_uploads_that_never_finish_are_removed(stack: cdk.Stack) -> None:
    PrivateBucket(stack, "Public", durability=PERMANENT, request_logs=None)
    rule = Match.object_like({"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}})
    Template.from_stack(stack).has_resource_properties(
        "AWS::S3::Bucket", {"LifecycleConfiguration": {"Rules": Match.array_with([rule])}}
    )


def test_a_message_is_set_aside_after_five_deliveries(stack: cdk.Stack) -> None:
    dead = DeadLetterQueue(stack, "Dead", removal_policy=cdk.RemovalPolicy.RETAIN)
    WorkQueue(
        stack,
        "Work",
        dead_letters=dead,
        visibility=cdk.Duration.minutes(5),
        removal_policy=cdk.RemovalPolicy.RETAIN,
    )
    Template.from_stack(stack).has_resource_properties(
        "AWS::SQS::Queue",
        {
            "MessageRetentionPeriod": 14 * 24 * 3600,
            "VisibilityTimeout": 300,
            "RedrivePolicy": {"maxReceiveCount": 5, "deadLetterTargetArn": Match.any_value()},
        },
    )


def test_exactly_one_task_cannot_be_two(stack: cdk.Stack) -> None:
    with pytest.raises(ValueError, match="exactly one"):
        Service(
            stack,
            "Service",
            task=_task(stack),
            placement=_placement(stack),
            security_groups=[],
            count=2,
            exactly_one=True,
        )


def test_only_scratch_volumes_can_be_written(stack: cdk.Stack) -> None:
    _task(stack)
    mounts = [
        {"ContainerPath": SCRATCH["run"], "ReadOnly": False, "SourceVolume": "run"},
        {"ContainerPath": SCRATCH["tmp"], "ReadOnly": False, "SourceVolume": "tmp"},
    ]
    container = Match.object_like({"ReadonlyRootFilesystem": True, "MountPoints": mounts})
    Template.from_stack(stack).has_resource_properties(
        "AWS::ECS::TaskDefinition", {"ContainerDefinitions": [container]}
    )


def test_only_tasks_of_this_account_take_on_a_role(stack: cdk.Stack) -> None:
    task_role(stack, "Role", account="111111111111")
    trust = {
        "Action": "sts:AssumeRole",
        "Effect": "Allow",
        "Principal": {"Service": "ecs-tasks.amazonaws.com"},
        "Condition": {"StringEquals": {"aws:SourceAccount": "111111111111"}},
    }
    Template.from_stack(stack).has_resource_properties(
        "AWS::IAM::Role", {"AssumeRolePolicyDocument": Match.object_like({"Statement": [trust]})}
    )


@pytest.mark.parametrize("reason", ["", "false positive", "   because   "])
def test_a_waiver_without_a_reason_is_refused(reason: str) -> None:
    with pytest.raises(ValueError, match="reason"):
        Waiver(reason=reason, until=date(2027, 1, 1))
