"""Everything that is not asked by a browser: worker, scheduler, sequencer and publisher."""

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib.service import Service, Task, TaskSize, task_role
from stacks.api import Api
from stacks.containers import Surroundings, make_task
from stacks.contracts import TaskName
from stacks.environment import Environment
from stacks.lake.handing_in import CHECKING_MIB, allow_checking
from stacks.permissions import allow_envelope_keys, allow_key, allow_objects, allow_on_objects
from stacks.stack import AmplyStack
from stacks.storage_lifecycle import AUDIT_FILES, ERASURES, EXPORTS, IMAGES, MEDIA, PARTIAL_TILES


class Workers(AmplyStack):
    """The scheduler, sequencer and publisher each run exactly once; only the publisher may sign."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        around: Surroundings,
        api: Api,
    ) -> None:
        super().__init__(scope, construct_id, environment=environment, description="Amply: background work")
        self._around = around
        self._placement = api.placement
        self._groups: list[ec2.ISecurityGroup] = [around.network.jobs]
        self._image = environment.image.container_image(self)
        self.worker = self._make_worker()
        self.scheduler = self._make_single(TaskName.SCHEDULER, self._scheduler_role())
        self.sequencer = self._make_single(TaskName.SEQUENCER, self._role(TaskName.SEQUENCER))
        self.publisher = self._make_single(TaskName.PUBLISHER, self._publisher_role())
        if not environment.tasks.idle:
            self._refuse_placeholders()

    def _refuse_placeholders(self) -> None:
        """As rules that nothing fulfils: CloudFormation says the sentence and changes nothing (ADR 0069)."""
        for number, sentence in enumerate(self.settings.unfinished(), start=1):
            never = cdk.Fn.condition_equals("placeholder", "real")
            cdk.CfnRule(
                self,
                f"Unfinished{number}",
                assertions=[cdk.CfnRuleAssertion(assert_=never, assert_description=sentence)],
            )

    def _make_worker(self) -> Service:
        settings, queues = self.settings.tasks.worker, self._around.queues
        size = settings.size.with_memory(CHECKING_MIB) if self._around.shared else settings.size
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
        return make_task(self, name, around=self._around, image=self._image, size=size, role=role)

    def _role(self, name: TaskName) -> iam.Role:
        return task_role(self, f"{name.capitalize()}Role", account=self.account)

    def _worker_role(self) -> iam.Role:
        role, around = self._role(TaskName.WORKER), self._around
        for queue in (around.queues.high, around.queues.low):
            queue.grant_consume_messages(role)
            queue.grant_send_messages(role)
        around.mail.feedback.grant_consume_messages(role)
        for files in (AUDIT_FILES, ERASURES):
            allow_objects(role, around.storage.archive, files, ["s3:GetObject", "s3:PutObject"])
        around.storage.allow_handed_in(role, ["s3:DeleteObject"])
        uploaded = ["s3:GetObject", "s3:GetObjectVersion", "s3:DeleteObject"]
        around.storage.allow_handed_in(role, uploaded, below=IMAGES, lists=True)
        allow_objects(role, around.storage.media, MEDIA, ["s3:PutObject", "s3:DeleteObject"])
        allow_on_objects(role, around.storage.exports, EXPORTS, ["s3:PutObject", "s3:AbortMultipartUpload"])
        allow_key(role, around.keys.data, ["kms:GenerateDataKey", "kms:Decrypt"])
        around.events.stripe_events.grant_consume_messages(role)
        sending = iam.PolicyStatement(
            actions=["ses:SendEmail", "ses:SendRawEmail"],
            resources=[
                around.mail.identity.email_identity_arn,
                self.format_arn(
                    service="ses",
                    resource="configuration-set",
                    resource_name=around.mail.configuration.configuration_set_name,
                ),
            ],
        )
        role.add_to_principal_policy(sending)
        allow_envelope_keys(role, around.keys.personal)
        allow_objects(role, around.storage.key_trees, "", ["s3:GetObject", "s3:PutObject"])
        if around.shared:
            around.shared.allow_handing_in(role)
            allow_checking(role, around.shared.lake, around.shared.control)
        if around.sold:
            around.sold.allow_settling(role)
        return role

    def _scheduler_role(self) -> iam.Role:
        role = self._role(TaskName.SCHEDULER)
        self._around.queues.high.grant_send_messages(role)
        self._around.queues.low.grant_send_messages(role)
        self._around.events.allow_facts(role)
        return role

    def _publisher_role(self) -> iam.IRole:
        """The role the signing key's policy names, extended from here so that keys stay below storage."""
        around = self._around
        role = iam.Role.from_role_name(self, "PublisherRole", around.keys.publisher_role.role_name)
        allow_objects(role, around.storage.public, "log/", ["s3:GetObject", "s3:PutObject"])
        # Partial tiles alone can be marked for removal; full ones and the checkpoint have no such names.
        allow_on_objects(role, around.storage.public, PARTIAL_TILES, ["s3:PutObjectTagging"])
        allow_objects(role, around.storage.archive, "", ["s3:GetObject", "s3:PutObject"])
        signing = [key.key_arn for key in (around.keys.signing, around.keys.overlapping) if key]
        role.add_to_principal_policy(
            iam.PolicyStatement(actions=["kms:Sign", "kms:GetPublicKey"], resources=signing)
        )
        return role
