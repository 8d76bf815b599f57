"""A private S3 bucket: encrypted, TLS only, versioned, with access logs; its removal policy follows from its durability."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib.durability import Durability, ObjectLock

ABANDONED_UPLOADS = s3.LifecycleRule(
    id="abandoned-uploads", abort_incomplete_multipart_upload_after=Duration.days(7)
)
"""Parts of uploads that never finished are billed and invisible."""


class PrivateBucket(s3.Bucket):
    """`key` None: encryption with S3-managed keys, for contents that are public anyway.

    `request_logs` is None for the bucket that takes the logs; the gate refuses it for any other.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        durability: Durability,
        request_logs: s3.IBucket | None,
        key: kms.IKey | None = None,
        object_lock: ObjectLock | None = None,
        lifecycle: Sequence[s3.LifecycleRule] = (),
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            encryption=s3.BucketEncryption.KMS if key else s3.BucketEncryption.S3_MANAGED,
            encryption_key=key,
            bucket_key_enabled=True if key else None,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            versioned=True,
            # Locked objects cannot be emptied by a custom resource; their bucket outlives its stack.
            removal_policy=durability.removal_policy,
            auto_delete_objects=durability.empties_buckets and object_lock is None,
            object_lock_enabled=True if object_lock else None,
            object_lock_default_retention=object_lock.retention if object_lock else None,
            server_access_logs_bucket=request_logs,
            server_access_logs_prefix=f"s3/{construct_id.lower()}/" if request_logs else None,
            lifecycle_rules=[ABANDONED_UPLOADS, *lifecycle],
        )
