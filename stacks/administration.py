"""The admin command line as a one-off ECS task, in environments without shell access (ADR 0071)."""

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib.service import task_role
from stacks.containers import Foundation, make_task
from stacks.contracts import Parameter, TaskName
from stacks.environment import Environment
from stacks.one_off import let_run
from stacks.permissions import allow_objects, allow_opening_what_organizations_said
from stacks.stack import AmplyStack
from stacks.storage_lifecycle import AUDIT_FILES


class Administration(AmplyStack):
    """The task, and a role that may run it. Who may assume that role is decided in the account."""

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, foundation: Foundation
    ) -> None:
        super().__init__(scope, construct_id, environment=environment, description="Amply: administration")
        task_runs_as = task_role(self, "AdminRole", account=self.account)
        # `audit verify --archive` reads; what writes there is the worker.
        allow_objects(task_runs_as, foundation.storage.archive, AUDIT_FILES, ["s3:GetObject"])
        # `organization document` prints a link, which reads what this role may.
        foundation.storage.allow_handed_in(task_runs_as, ["s3:GetObject", "s3:GetObjectVersion"])
        # `organization application` prints what an organisation says of itself, which its own key seals (ADR 0128).
        allow_opening_what_organizations_said(task_runs_as, foundation.keys.personal)
        if foundation.marketplace:
            foundation.marketplace.allow_administering(task_runs_as)
        self.task = make_task(
            self,
            TaskName.ADMIN,
            foundation=foundation,
            image=environment.image.container_image(self),
            size=environment.tasks.single,
            role=task_runs_as,
        )
        role = self._operators()
        self.publish(Parameter.ADMIN_ROLE_ARN, role.role_arn)
        self.publish(Parameter.ADMIN_LOG_GROUP, self.task.log.log_group_name)

    def _operators(self) -> iam.Role:
        """Without a name of its own: it is found by its parameter."""
        role = iam.Role(
            self,
            "Operators",
            description=f"Runs the administration of {self.settings.name} once",
            assumed_by=iam.AccountPrincipal(self.account),
            max_session_duration=Duration.hours(1),
        )
        let_run(self, role, self.task, also_read=[Parameter.ADMIN_LOG_GROUP])
        # What a command prints stands in the task's own log, one stream a task.
        role.add_to_policy(
            iam.PolicyStatement(actions=["logs:GetLogEvents"], resources=[self.task.log.log_group_arn])
        )
        return role
