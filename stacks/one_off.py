"""The SSM parameters and permissions to run a one-off task and wait for its end."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_iam as iam

from constructs_lib.github import GitHubRole
from constructs_lib.service import Task
from constructs_lib.waiver import Waiver, waive
from stacks.contracts import Parameter
from stacks.environment import DeliverySettings
from stacks.stack import AmplyStack
from stacks.waivers import NEXT_REVIEW

READ_TO_RUN = (
    Parameter.CLUSTER_NAME,
    Parameter.TASK_SUBNETS,
    Parameter.TASK_ADDRESSES,
    Parameter.JOBS_GROUP,
)
TASKS_ARE_NAMED_LATE = Waiver(
    reason="A task is named when it starts; looking at one changes nothing.",
    until=NEXT_REVIEW,
)


def let_delivery_run(
    stack: AmplyStack, task: Task, *, delivery: DeliverySettings, purpose: str, job: str, longest: Duration
) -> None:
    """A role `ENV-delivery-{purpose}` for jobs in GitHub's deployment environment `job`."""
    role = GitHubRole(
        stack,
        "ByDelivery",
        name=f"{stack.settings.name}-delivery-{purpose}",
        repository=delivery.repository,
        environment=job,
        account=stack.account,
        longest_session=longest,
    )
    let_run(stack, role, task)


def let_run(stack: AmplyStack, role: iam.Role, task: Task, *, also_read: Sequence[Parameter] = ()) -> None:
    """`also_read`: parameters beside those that say where a task runs."""
    definition = task.definition
    for actions, resources in (
        (["ecs:RunTask"], [definition.task_definition_arn]),
        (["ssm:GetParameter"], [_arn(stack, parameter) for parameter in (*READ_TO_RUN, *also_read)]),
    ):
        role.add_to_policy(iam.PolicyStatement(actions=actions, resources=resources))
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["iam:PassRole"],
            resources=[task.role.role_arn, definition.obtain_execution_role().role_arn],
            conditions={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
        )
    )
    tasks = f"arn:aws:ecs:{stack.region}:{stack.account}:task/*"
    role.add_to_policy(iam.PolicyStatement(actions=["ecs:DescribeTasks"], resources=[tasks]))
    waive(role, f"AwsSolutions-IAM5[Resource::{tasks}]", TASKS_ARE_NAMED_LATE)


def _arn(stack: AmplyStack, parameter: Parameter) -> str:
    return stack.format_arn(
        service="ssm",
        resource="parameter",
        resource_name=parameter.path(stack.settings.name).removeprefix("/"),
    )
