"""The database migration task, run to completion before anything that depends on it starts.

And beside it the task that makes the database's roles, which alone has the master's password: people run it, once and
when a release says so.
"""

from aws_cdk import Duration
from constructs import Construct

from constructs_lib.service import task_role
from stacks.containers import Foundation, make_task
from stacks.contracts import TaskName
from stacks.environment import Environment
from stacks.one_off import let_delivery_run
from stacks.stack import AmplyStack


class Migrations(AmplyStack):
    """Separate from the services, so that delivery can deploy the task, run it, and then replace the services."""

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, foundation: Foundation
    ) -> None:
        super().__init__(
            scope, construct_id, environment=environment, description="Amply: database migrations"
        )
        image = environment.image.container_image(self)
        task = make_task(
            self,
            TaskName.MIGRATE,
            foundation=foundation,
            image=image,
            size=environment.tasks.single,
            role=task_role(self, "MigrateRole", account=self.account),
        )
        make_task(
            self,
            TaskName.ROLES,
            foundation=foundation,
            image=image,
            size=environment.tasks.single,
            role=task_role(self, "RolesRole", account=self.account),
        )
        if environment.delivered_by:
            # The job that deploys is the one that migrates, so both roles are for the same subject: ADR 0061.
            let_delivery_run(
                self,
                task,
                delivery=environment.delivered_by,
                purpose="migrate",
                job=environment.name,
                longest=Duration.hours(1),
            )
