"""The database's schema: one task, run to its end before anything that counts on the new schema starts."""

from aws_cdk import Duration
from constructs import Construct

from constructs_lib.github import GitHubRole
from constructs_lib.service import task_role
from stacks.containers import Surroundings, make_task
from stacks.contracts import TaskName
from stacks.environment import DeliverySettings, Environment
from stacks.one_off import let_run
from stacks.stack import AmplyStack


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
        if environment.delivery:
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
        let_run(self, role, self.task)
