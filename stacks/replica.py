"""Copies in another region, of what cannot be made again: for the day the first region is gone."""

from aws_cdk import aws_kms as kms
from constructs import Construct

from constructs_lib.bucket import PrivateBucket
from constructs_lib.vault import LockedVault
from stacks.environments import Environment
from stacks.replication import Kept
from stacks.stack import AmplyStack
from stacks.storage_lifecycle import OVERWRITTEN, documents, forget


class Replica(AmplyStack):
    """Stands alone in `replica_region` with a key of its own: the first region's would be gone with it."""

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment, region: str) -> None:
        super().__init__(
            scope,
            construct_id,
            environment=environment,
            description="Amply: copies in a second region",
            holds_data=True,
            region=region,
        )
        durability = environment.durability
        self.key = kms.Key(
            self,
            "Key",
            description=f"Amply {environment.name}: copies of documents, backups and the database",
            alias=f"amply/{environment.name}/replica",
            enable_key_rotation=True,
            pending_window=durability.key_deletion_window,
            removal_policy=durability.removal_policy,
        )
        self._access_logs = PrivateBucket(
            self,
            "AccessLogs",
            durability=durability,
            request_logs=None,
            lifecycle=[forget("access-logs", days=400)],
        )
        self.archive = Kept(
            bucket=PrivateBucket(
                self,
                "Archive",
                durability=durability,
                request_logs=self._access_logs,
                object_lock=durability.object_lock,
            ),
            key=None,
        )
        self.public = Kept(
            bucket=PrivateBucket(
                self, "Public", durability=durability, request_logs=self._access_logs, lifecycle=[OVERWRITTEN]
            ),
            key=None,
        )
        self.documents = Kept(
            bucket=PrivateBucket(
                self,
                "Documents",
                durability=durability,
                request_logs=self._access_logs,
                key=self.key,
                lifecycle=documents(),
            ),
            key=self.key,
        )
        self.media = Kept(
            bucket=PrivateBucket(self, "Media", durability=durability, request_logs=self._access_logs),
            key=None,
        )
        self.vault = LockedVault(self, "Vault", durability=durability, key=self.key)
