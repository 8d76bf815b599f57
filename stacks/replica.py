"""Buckets, vaults and keys in a second region, for the loss of the first."""

from aws_cdk import Environment as CdkEnvironment
from aws_cdk import aws_kms as kms
from constructs import Construct

from constructs_lib.bucket import PrivateBucket
from constructs_lib.vault import LockedVault
from stacks.environment import Environment
from stacks.registry import Images, replicate_images
from stacks.replication import Replication, keep, take_no_more
from stacks.stack import AmplyStack
from stacks.storage_lifecycle import KEY_TREES, MEDIA_FILES, PUBLIC_LOG, documents, forget


class Replica(AmplyStack):
    """Self-contained in its region, with its own key, since the first region's would be lost.

    Once that region is lost, these are the buckets the platform goes on with: nothing is copied back, and the archive
    keeps its locks. `pass_on` then copies what comes from there on to a third region.
    """

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment, region: str) -> None:
        super().__init__(
            scope,
            construct_id,
            environment=environment,
            description="Amply: copies in a second region",
            holds_data=True,
            env=CdkEnvironment(account=environment.account, region=region),
        )
        self.key = self._make_key(construct_id)
        self._access_logs = PrivateBucket(
            self,
            "AccessLogs",
            durability=environment.durability,
            request_logs=None,
            lifecycle=[forget("access-logs", days=400)],
        )
        self.archive = keep(
            self, "Archive", request_logs=self._access_logs, object_lock=environment.durability.object_lock
        )
        self.public = keep(self, "Public", request_logs=self._access_logs, lifecycle=PUBLIC_LOG)
        self.media = keep(self, "Media", request_logs=self._access_logs, lifecycle=[MEDIA_FILES])
        self.documents = keep(
            self, "Documents", request_logs=self._access_logs, key=self.key, lifecycle=documents()
        )
        self.key_trees = keep(self, "KeyTrees", request_logs=self._access_logs, lifecycle=KEY_TREES)
        self.vault = LockedVault(self, "Vault", durability=environment.durability, key=self.key)
        self.images = self._keep_images()

    def pass_on(self, other: "Replica") -> None:
        """Replicate new objects to another region's stack of the same kind, and accept none from the first region."""
        take_no_more(self.archive, self.public, self.media, self.documents, self.key_trees)
        replication = Replication(self, "Replication", account=self.account)
        replication.copy(self.archive, other.archive)
        replication.copy(self.public, other.public)
        replication.copy(self.media, other.media)
        replication.copy(self.documents, other.documents)
        replication.copy(self.key_trees, other.key_trees)
        if self.images:
            replicate_images(self, "ImageCopies", account=self.account, to=other.region)
            self.add_stack_dependency(other)

    def _keep_images(self) -> Images | None:
        """Made here, with its rules: the repository ECR makes for copies would have none."""
        delivery = self.settings.delivery
        if delivery is None or delivery.registry is None:
            return None
        return Images(
            self,
            "Images",
            registry=delivery.registry,
            durability=self.settings.durability,
            key=self.key,
        )

    def _make_key(self, construct_id: str) -> kms.Key:
        name, durability = self.settings.name, self.settings.durability
        return kms.Key(
            self,
            "Key",
            description=f"Amply {name}: copies of documents, backups and the database",
            alias=f"amply/{name}/{construct_id}",
            enable_key_rotation=True,
            pending_window=durability.key_deletion_window,
            removal_policy=durability.removal_policy,
        )
