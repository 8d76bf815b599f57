"""Reads an S3 object's replication status.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-status.html
"""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_THERE: Final = frozenset({"COMPLETED", "COMPLETE", "REPLICA"})
"""Copied, by either of the words that S3 has for it, or a copy itself: of what came from a region that was lost."""


def is_replicated(client: "S3Client", bucket: str, key: str) -> bool:
    """It is in two regions. What says nothing is not: a rule may lack it, and nobody would be told."""
    return client.head_object(Bucket=bucket, Key=key).get("ReplicationStatus") in _THERE
