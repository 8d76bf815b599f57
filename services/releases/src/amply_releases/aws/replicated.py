"""Whether S3 has copied an object to another region, as the object itself says.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-status.html
"""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_NOT_THERE_YET: Final = frozenset({"PENDING", "FAILED"})


def is_replicated(client: "S3Client", bucket: str, key: str) -> bool:
    """It is where it has to be: copied, a copy itself, or in a bucket that is not copied, whose objects say nothing."""
    return client.head_object(Bucket=bucket, Key=key).get("ReplicationStatus") not in _NOT_THERE_YET
