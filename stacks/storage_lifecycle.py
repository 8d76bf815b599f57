"""Lifecycle rules of the buckets, the same in both regions.

The archive has no rule: nearly all its objects are smaller than the 128 KiB below which S3 moves nothing, and none may go.
"""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_s3 as s3

OVERWRITTEN = s3.LifecycleRule(
    id="overwritten", noncurrent_version_expiration=Duration.days(7), expired_object_delete_marker=True
)
"""The checkpoint is rewritten every few seconds; its history is in the archive, not in versions."""

SUPERSEDED = s3.LifecycleRule(
    id="superseded",
    tag_filters={"amply-superseded": "true"},
    expiration=Duration.days(1),
    noncurrent_version_expiration=Duration.days(1),
)
"""Partial tiles and bundles that full ones have replaced: the publisher tags them, and may remove nothing itself.

S3 copies tags of objects that it has copied already, so that the copies go as well.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html
"""

PARTIAL_TILES = "log/tile/*.p/*"
"""Their names, and nobody else's (https://c2sp.org/tlog-tiles)."""

AUDIT_FILES = "audit/"
"""The audit log's own names in the archive; Object Lock keeps them as long as what else is there (ADR 0112)."""
EXPORTS = "organisations/*"
"""Files that organisations asked for, as `modules/exports` names them."""

OPERATORS = "operators/"
"""What operators upload for a command that runs as a task (`adapters/s3/operator_files.py`), in the bucket of exports."""

HANDED_IN = "applications/"
"""What organisations hand in to be verified (ADR 0119), in the documents' bucket."""

IMAGES = "images/"
"""Logos and banners as they were uploaded (ADR 0130), in the documents' bucket: of use for seconds."""

MEDIA = "media/"
"""What is made of them, in the bucket behind the edge."""

ERASURES = "erased/"
"""Names of files in the archive that say, in digests, what was erased: for databases that are restored (ADR 0123)."""

KEY_TREES = (
    s3.LifecycleRule(
        id="overwritten", noncurrent_version_expiration=Duration.days(3), expired_object_delete_marker=True
    ),
)
"""A tree of keys from before an erasure opens what was erased: it is there over a weekend, in case a write was a mistake, and
no longer. S3 counts from the next midnight and takes its time: gone after five days (ADR 0129)."""

PUBLIC_LOG = (OVERWRITTEN, SUPERSEDED)
"""The rules of the public bucket. What the newest checkpoint needs is never tagged, however old it is."""


MEDIA_FILES = s3.LifecycleRule(
    id="removed", noncurrent_version_expiration=Duration.days(30), expired_object_delete_marker=True
)
"""Nothing is written twice there: what has a newer version was removed."""


def forget(name: str, *, days: int, prefix: str | None = None, again: int = 7) -> s3.LifecycleRule:
    """`again`: days during which it can be restored."""
    return s3.LifecycleRule(
        id=name,
        prefix=prefix,
        expiration=Duration.days(days),
        noncurrent_version_expiration=Duration.days(again),
    )


def documents() -> Sequence[s3.LifecycleRule]:
    """Deleted or replaced objects can be restored for 90 days, then they are erased."""
    return [
        # They may hold what nobody meant to send, such as where they were taken.
        forget("uploaded-images", days=1, prefix=IMAGES, again=1),
        s3.LifecycleRule(id="deleted", noncurrent_version_expiration=Duration.days(90)),
        s3.LifecycleRule(
            id="seldom-read",
            # No fee for reading and none for objects too small to move, so it cannot cost more than it saves.
            transitions=[
                s3.Transition(
                    storage_class=s3.StorageClass.INTELLIGENT_TIERING, transition_after=Duration.days(30)
                )
            ],
        ),
    ]
