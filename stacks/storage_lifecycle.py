"""When objects move to a cheaper class or go, in the first region and in its copies alike.

The archive has no rule: its objects are smaller than the 128 KiB below which S3 moves nothing, and none may go.
"""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_s3 as s3

OVERWRITTEN = s3.LifecycleRule(id="overwritten", noncurrent_version_expiration=Duration.days(7))
"""The checkpoint is rewritten every few seconds; its history is in the archive, not in versions."""


def forget(name: str, *, days: int) -> s3.LifecycleRule:
    return s3.LifecycleRule(
        id=name,
        expiration=Duration.days(days),
        noncurrent_version_expiration=Duration.days(7),
    )


def documents() -> Sequence[s3.LifecycleRule]:
    """What was deleted or replaced can be called back for 90 days; after that a person's wish is carried out."""
    return [
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
