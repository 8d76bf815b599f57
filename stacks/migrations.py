"""The database's schema: one task, run to its end before anything that counts on the new schema starts."""

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib.github import GitHubRole
from constructs_lib.service import task_role
from constructs_lib.waiver import Waiver, waive
from stacks.containers import Surroundings, make_task
from stacks.contracts import Parameter, TaskName
from stacks.environment import DeliverySettings, Environment
from stacks.stack import AmplyStack
from stacks.waivers import NEXT_REVIEW

READ_TO_RUN = (
    Parameter.CLUSTER_NAME,
    Parameter.TASK_SUBNETS,
    Parameter.TASK_ADDRESSES,
    Parameter.JOBS_GROUP,
)


class Migrations(AmplyStack):
    """Apart from the services, so that delivery can deploy the new task, run it, and only then replace them."""

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, around: Surroundings
    ) -> None:
        super().__init__(
            scope, construct_id, environment=environment, description="Amply: database migrations"
        )
        self.task = make_task(
            self,
            TaskName.MIGRATE,
            around=around,
            image=environment.image.container_image(self),
            size=environment.tasks.single,
            role=task_role(self, "MigrateRole", account=self.account),
        )
        # The role has one name in the account, which the lost region's stack gave away: people migrate then.
        if environment.delivery and not environment.lost_region:
            self._let_delivery_run_it(environment.delivery)

    def _let_delivery_run_it(self, delivery: DeliverySettings) -> None:
        role = GitHubRole(
            self,
            "ByDelivery",
            name=f"{self.settings.name}-delivery-migrate",
            repository=delivery.repository,
            environment=self.settings.name,
            account=self.account,
            longest_session=Duration.hours(1),
        )
        definition = self.task.definition
        role.add_to_policy(
            iam.PolicyStatement(actions=["ecs:RunTask"], resources=[definition.task_definition_arn])
        )
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["iam:PassRole"],
                resources=[
                    self.task.role.role_arn,
                    definition.obtain_execution_role().role_arn,
                ],
                conditions={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
            )
        )
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["ssm:GetParameter"],
                resources=[
                    self.format_arn(
                        service="ssm",
                        resource="parameter",
                        resource_name=parameter.path(self.settings.name).removeprefix("/"),
                    )
                    for parameter in READ_TO_RUN
                ],
            )
        )
        tasks = f"arn:aws:ecs:{self.region}:{self.account}:task/*"
        role.add_to_policy(iam.PolicyStatement(actions=["ecs:DescribeTasks"], resources=[tasks]))
        waive(role, f"AwsSolutions-IAM5[Resource::{tasks}]", TASKS_ARE_NAMED_LATE)


TASKS_ARE_NAMED_LATE = Waiver(
    reason="A task is named when it starts; looking at one changes nothing.",
    until=NEXT_REVIEW,
)
