"""The lake: what was handed in, what was released, the catalogue of it, and who may see what by tags."""

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib.bucket import PrivateBucket
from constructs_lib.waiver import waive
from stacks.edge import POLICY_STANDS_BELOW
from stacks.environment import Environment
from stacks.lake.catalogue import make_catalogue
from stacks.lake.questions import make_workgroup
from stacks.lake.tags import make_tags
from stacks.stack import AmplyStack
from stacks.storage import Storage
from stacks.storage_lifecycle import forget

RAW_DAYS, RELEASED_DAYS, ANSWER_DAYS = 90, 730, 7
AS_IT_CAME, REFUSED = "handed-in/", "quarantine/"
AS_IT_CAME_DAYS, REFUSED_DAYS = 7, 30
"""Where files of outside sources lie until they are read, and the rows of them that were refused (`modules/ingestion`)."""
KEPT_OTHERWISE: Mapping[str, str] = {
    "lake/Raw": "sellers have theirs; facts of gifts are lost with it and not written again; all of it lapses after 90 days",
    "lake/Curated": "what was released lapses after 730 days; copies are asked for before production has it",
    "lake/Ledger": "nothing in it is written twice or deleted, and each version stays; copies are asked for before production has it",
    "lake/Answers": "what Athena answered, asked again in seconds; it lapses after 7 days",
    "controlplane/Consents": "restorable to any second by the table itself; deleted, it is kept 35 days by DynamoDB",
    "controlplane/Datasets": "restorable to any second by the table itself; deleted, it is kept 35 days by DynamoDB",
    "controlplane/Contracts": "restorable to any second by the table itself; deleted, it is kept 35 days by DynamoDB",
    "controlplane/Usage": "restorable to any second by the table itself; deleted, it is kept 35 days by DynamoDB",
    "controlplane/RevenueShare": "restorable to any second by the table itself; deleted, it is kept 35 days by DynamoDB",
    "controlplane/Grants": "restorable to any second by the table itself; deleted, it is kept 35 days by DynamoDB",
}
"""What of the data platform stands in no backup plan, by stack and construct, and why."""


class LakeAndGovernance(AmplyStack):
    """`raw` is written by the worker; what leaves `curated` leaves it by links of minutes; `ledger` is read by nobody but its writer."""

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, storage: Storage
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            environment=environment,
            description="Amply: the lake, its catalogue and who may see what",
            holds_data=True,
        )
        self.key = self._make_key()
        # By name: handing over the bucket itself would write these into the stack below.
        logs = s3.Bucket.from_bucket_name(self, "RequestLogs", storage.access_logs.bucket_name)
        self.raw = self._bucket(
            "Raw",
            logs,
            _gone_after("raw", days=RAW_DAYS),
            _gone_after("as-it-came", days=AS_IT_CAME_DAYS, prefix=AS_IT_CAME),
            _gone_after("refused-rows", days=REFUSED_DAYS, prefix=REFUSED),
        )
        # As of documents: the signed form is what lets somebody upload, whatever page they are on, and no cookie goes along.
        self.raw.add_cors_rule(
            allowed_methods=[s3.HttpMethods.POST], allowed_origins=["*"], allowed_headers=["*"], max_age=3600
        )
        self.curated = self._bucket("Curated", logs, _gone_after("released", days=RELEASED_DAYS))
        self.answers = self._bucket("Answers", logs, forget("answers", days=ANSWER_DAYS))
        # What was released of whom, in keyed hashes: needed as long as anything of it is served, so that nothing here lapses.
        self.ledger = self._bucket("Ledger", logs)
        self.pseudonyms = self._mac_key("Pseudonyms", "keyed hashes and pseudonyms of releases")
        self.certificates = self._mac_key(
            "Certificates", "the seed that certificates of releases are signed with"
        )
        _tell_of_arrivals(self.raw)
        self.database = make_catalogue(self)
        make_workgroup(self, self.answers, self.key)
        if environment.owns_account:
            make_tags(self, self.curated, self.database, key=self.key)

    def _make_key(self) -> kms.Key:
        """Apart from the platform's data key: whoever may open what was handed in may open nothing of the platform's own stores."""
        durability = self.settings.durability
        return kms.Key(
            self,
            "Key",
            description=f"Amply {self.settings.name}: the lake and its control plane at rest",
            alias=f"amply/{self.settings.name}/lake",
            enable_key_rotation=True,
            pending_window=durability.key_deletion_window,
            removal_policy=durability.removal_policy,
        )

    def _mac_key(self, construct_id: str, of: str) -> kms.Key:
        """Of HMAC, so that KMS rotates none; another one would be another person for everybody, or another signer."""
        durability = self.settings.durability
        return kms.Key(
            self,
            construct_id,
            description=f"Amply {self.settings.name}: {of}",
            alias=f"amply/{self.settings.name}/{construct_id.lower()}",
            key_spec=kms.KeySpec.HMAC_256,
            key_usage=kms.KeyUsage.GENERATE_VERIFY_MAC,
            pending_window=durability.key_deletion_window,
            removal_policy=durability.removal_policy,
        )

    def _bucket(self, construct_id: str, logs: s3.IBucket, *lapsing: s3.LifecycleRule) -> PrivateBucket:
        bucket = PrivateBucket(
            self,
            construct_id,
            durability=self.settings.durability,
            request_logs=logs,
            key=self.key,
            lifecycle=lapsing,
        )
        waive(bucket, "Annotation::@aws-cdk/aws-s3:accessLogsPolicyNotAdded", POLICY_STANDS_BELOW)
        return bucket


def _gone_after(name: str, *, days: int, prefix: str | None = None) -> s3.LifecycleRule:
    """Gone means gone: a version that was overwritten or deleted stays one day longer, not as long again."""
    return s3.LifecycleRule(
        id=name,
        prefix=prefix,
        expiration=Duration.days(days),
        noncurrent_version_expiration=Duration.days(1),
    )


def _tell_of_arrivals(bucket: s3.Bucket) -> None:
    """On the account's own event bus, by the bucket's own setting: the library's way brings a function along."""
    resource = bucket.node.default_child
    if not isinstance(resource, s3.CfnBucket):
        raise TypeError(f"{bucket.node.path} is not made of one bucket.")
    resource.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
        event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
    )
