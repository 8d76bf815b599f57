"""The lake's buckets, catalogue, and tag-based access control."""

from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib.bucket import PrivateBucket
from constructs_lib.waiver import waive
from stacks.contracts import RecoveryParameter
from stacks.edge import POLICY_STANDS_BELOW
from stacks.environment import Environment
from stacks.lake.athena_workgroup import make_workgroup
from stacks.lake.catalogue import make_catalogue
from stacks.lake.copies import KeptLake, LakeReplica, copy_lake
from stacks.lake.lifecycle import ANSWER_DAYS, CURATED, RAW
from stacks.lake.tags import make_tags
from stacks.replication import ReplicatedBucket
from stacks.stack import AmplyStack
from stacks.storage import Storage
from stacks.storage_lifecycle import forget

GIVEN = "given/"
"""Where buyers' files are in the bucket `curated`, each buyer's own; nothing else in it is ever linked to."""


class LakeAndGovernance(AmplyStack):
    """`raw`: written by the worker. `curated`: read by short-lived links. `ledger`: read by its writer only.

    After the loss of a region `former` holds what were its copies: its buckets and its key are used as they are, and copied on by
    their own stack.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        storage: Storage,
        replica: LakeReplica | None,
        former: LakeReplica | None,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            environment=environment,
            description="Amply: the lake, its catalogue and who may see what",
            holds_data=True,
        )
        self.key = former.key if former else self._make_key()
        # By name: handing over the bucket itself would write these into the stack below.
        self._logs = s3.Bucket.from_bucket_name(self, "RequestLogs", storage.access_logs.bucket_name)
        kept = former or self._make_kept()
        self.raw, self.curated, self.ledger = kept.raw.bucket, kept.curated.bucket, kept.ledger.bucket
        # As of documents: the signed form is what lets somebody upload, whatever page they are on, and no cookie goes along.
        self.raw.add_cors_rule(
            allowed_methods=[s3.HttpMethods.POST], allowed_origins=["*"], allowed_headers=["*"], max_age=3600
        )
        if replica:
            copy_lake(self, kept, replica)
        self.answers = self._bucket("Answers", forget("answers", days=ANSWER_DAYS))
        self.pseudonyms = self._mac_key(
            "Pseudonyms", "keyed hashes and pseudonyms of releases", RecoveryParameter.LAKE_PSEUDONYMS
        )
        self.certificates = self._mac_key(
            "Certificates",
            "the seed that certificates of releases are signed with",
            RecoveryParameter.LAKE_CERTIFICATES,
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

    def _make_kept(self) -> KeptLake:
        return KeptLake(
            raw=ReplicatedBucket(bucket=self._bucket("Raw", *RAW), key=self.key),
            curated=ReplicatedBucket(bucket=self._bucket("Curated", *CURATED), key=self.key),
            # What was released of whom, in keyed hashes: needed as long as anything of it is served, so that nothing here lapses.
            ledger=ReplicatedBucket(bucket=self._bucket("Ledger"), key=self.key),
        )

    def _mac_key(self, construct_id: str, of: str, recovery_parameter: RecoveryParameter) -> kms.IKey:
        """Of HMAC, so that KMS rotates none; another one would be another person for everybody, or another signer.

        Of several regions where copies are kept: it says the same in the second one.
        """
        settings = self.settings
        if settings.lost_region:
            return kms.Key.from_key_arn(self, construct_id, self.recovery_input(recovery_parameter))
        return kms.Key(
            self,
            construct_id,
            description=f"Amply {settings.name}: {of}",
            alias=f"amply/{settings.name}/{construct_id.lower()}",
            key_spec=kms.KeySpec.HMAC_256,
            key_usage=kms.KeyUsage.GENERATE_VERIFY_MAC,
            multi_region=True if settings.replica_region else None,
            pending_window=settings.durability.key_deletion_window,
            removal_policy=settings.durability.removal_policy,
        )

    def _bucket(self, construct_id: str, *lifecycle: s3.LifecycleRule) -> PrivateBucket:
        bucket = PrivateBucket(
            self,
            construct_id,
            durability=self.settings.durability,
            request_logs=self._logs,
            key=self.key,
            lifecycle=lifecycle,
        )
        waive(bucket, "Annotation::@aws-cdk/aws-s3:accessLogsPolicyNotAdded", POLICY_STANDS_BELOW)
        return bucket


def _tell_of_arrivals(bucket: s3.Bucket) -> None:
    """On the account's own event bus, by the bucket's own setting: the library's way brings a function along."""
    resource = bucket.node.default_child
    if not isinstance(resource, s3.CfnBucket):
        raise TypeError(f"{bucket.node.path} is not made of one bucket.")
    resource.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
        event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
    )
