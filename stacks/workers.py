"""ECS services without HTTP: worker, scheduler, sequencer and publisher."""

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib.service import Service, Task, TaskSize, task_role
from stacks.api import Api
from stacks.containers import Foundation, make_task
from stacks.contracts import TaskName
from stacks.environment import Environment
from stacks.lake.ingestion import CHECKING_MIB, allow_checking
from stacks.permissions import allow_envelope_keys, allow_key, allow_objects, allow_on_objects
from stacks.stack import AmplyStack
from stacks.storage_lifecycle import AUDIT_FILES, ERASURES, EXPORTS, IMAGES, MEDIA, OPERATORS, PARTIAL_TILES


class Workers(AmplyStack):
    """Scheduler, sequencer and publisher run exactly once each; only the publisher may sign."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        foundation: Foundation,
        api: Api,
    ) -> None:
        super().__init__(scope, construct_id, environment=environment, description="Amply: background work")
        self._foundation = foundation
        self._placement = api.placement
        self._groups: list[ec2.ISecurityGroup] = [foundation.network.jobs]
        self._image = environment.image.container_image(self)
        self.worker = self._make_worker()
        self.scheduler = self._make_single(TaskName.SCHEDULER, self._scheduler_role())
        self.sequencer = self._make_single(TaskName.SEQUENCER, self._role(TaskName.SEQUENCER))
        self.publisher = self._make_single(TaskName.PUBLISHER, self._publisher_role())
        if not environment.tasks.idle:
            self._refuse_placeholders()

    def _refuse_placeholders(self) -> None:
        for number, sentence in enumerate(self.settings.unfinished(), start=1):
            self.refuse(f"Unfinished{number}", sentence)

    def _make_worker(self) -> Service:
        settings, queues = self.settings.tasks.worker, self._foundation.queues
        size = settings.size.with_memory(CHECKING_MIB) if self._foundation.shared else settings.size
        task = self._make_task(TaskName.WORKER, self._worker_role(), size)
        worker = Service(
            self,
            "WorkerService",
            task=task,
            placement=self._placement,
            security_groups=self._groups,
            count=settings.count,
            limit=settings.limit,
        )
        # CPU says little of a worker that waits for Stripe and SES; how long people wait says everything.
        for name, queue, seconds in (("High", queues.high, 60), ("Low", queues.low, 900)):
            age = queue.metric_approximate_age_of_oldest_message(statistic="Maximum")
            worker.keep_below(f"{name}Waiting", [age], seconds)
        return worker

    def _make_single(self, name: TaskName, role: iam.IRole) -> Service:
        return Service(
            self,
            f"{name.capitalize()}Service",
            task=self._make_task(name, role, self.settings.tasks.single),
            placement=self._placement,
            security_groups=self._groups,
            count=0 if self.settings.tasks.idle else 1,
            exactly_one=True,
        )

    def _make_task(self, name: TaskName, role: iam.IRole, size: TaskSize) -> Task:
        return make_task(self, name, foundation=self._foundation, image=self._image, size=size, role=role)

    def _role(self, name: TaskName) -> iam.Role:
        return task_role(self, f"{name.capitalize()}Role", account=self.account)

    def _worker_role(self) -> iam.Role:
        role, foundation = self._role(TaskName.WORKER), self._foundation
        for queue in (foundation.queues.high, foundation.queues.low):
            queue.grant_consume_messages(role)
            queue.grant_send_messages(role)
        foundation.mail.feedback.grant_consume_messages(role)
        for files in (AUDIT_FILES, ERASURES):
            allow_objects(role, foundation.storage.archive, files, ["s3:GetObject", "s3:PutObject"])
        foundation.storage.allow_handed_in(role, ["s3:DeleteObject"])
        uploaded = ["s3:GetObject", "s3:GetObjectVersion", "s3:DeleteObject"]
        foundation.storage.allow_handed_in(role, uploaded, below=IMAGES, lists=True)
        allow_objects(role, foundation.storage.media, MEDIA, ["s3:PutObject", "s3:DeleteObject"])
        allow_on_objects(
            role, foundation.storage.exports, EXPORTS, ["s3:PutObject", "s3:AbortMultipartUpload"]
        )
        # Operators start commands that know donors as tasks of this role, and say in a file whom they are about.
        allow_objects(role, foundation.storage.exports, OPERATORS, ["s3:GetObject", "s3:DeleteObject"])
        allow_key(role, foundation.keys.data, ["kms:GenerateDataKey", "kms:Decrypt"])
        foundation.events.stripe_events.grant_consume_messages(role)
        sending = iam.PolicyStatement(
            actions=["ses:SendEmail", "ses:SendRawEmail"],
            resources=[
                foundation.mail.identity.email_identity_arn,
                self.format_arn(
                    service="ses",
                    resource="configuration-set",
                    resource_name=foundation.mail.configuration.configuration_set_name,
                ),
            ],
        )
        role.add_to_principal_policy(sending)
        allow_envelope_keys(role, foundation.keys.personal)
        allow_objects(role, foundation.storage.key_trees, "", ["s3:GetObject", "s3:PutObject"])
        if foundation.shared:
            foundation.shared.allow_handing_in(role)
            allow_checking(role, foundation.shared.lake, foundation.shared.control)
        if foundation.marketplace:
            foundation.marketplace.allow_settling(role)
        return role

    def _scheduler_role(self) -> iam.Role:
        role = self._role(TaskName.SCHEDULER)
        self._foundation.queues.high.grant_send_messages(role)
        self._foundation.queues.low.grant_send_messages(role)
        self._foundation.events.allow_facts(role)
        return role

    def _publisher_role(self) -> iam.IRole:
        """The role the signing key's policy names, extended from here so that keys stay below storage."""
        foundation = self._foundation
        role = iam.Role.from_role_name(self, "PublisherRole", foundation.keys.publisher_role.role_name)
        allow_objects(role, foundation.storage.public, "log/", ["s3:GetObject", "s3:PutObject"])
        # Partial tiles alone can be marked for removal; full ones and the checkpoint have no such names.
        allow_on_objects(role, foundation.storage.public, PARTIAL_TILES, ["s3:PutObjectTagging"])
        allow_objects(role, foundation.storage.archive, "", ["s3:GetObject", "s3:PutObject"])
        signing = [key.key_arn for key in (foundation.keys.signing, foundation.keys.overlapping) if key]
        role.add_to_principal_policy(
            iam.PolicyStatement(actions=["kms:Sign", "kms:GetPublicKey"], resources=signing)
        )
        return role
