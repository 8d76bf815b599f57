"""Lifecycle rules of the lake's buckets, the same in both regions."""

from collections.abc import Sequence
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_s3 as s3

RAW_DAYS, RELEASED_DAYS, ANSWER_DAYS = 90, 730, 7
AS_IT_CAME, REFUSED = "handed-in/", "quarantine/"
AS_IT_CAME_DAYS, REFUSED_DAYS = 7, 30
"""Where files of outside sources lie until they are read, and the rows of them that were refused (`modules/ingestion`)."""


def _gone_after(name: str, *, days: int, prefix: str | None = None) -> s3.LifecycleRule:
    """Gone means gone: a version that was overwritten or deleted stays one day longer, not as long again."""
    return s3.LifecycleRule(
        id=name,
        prefix=prefix,
        expiration=Duration.days(days),
        noncurrent_version_expiration=Duration.days(1),
    )


RAW: Final[Sequence[s3.LifecycleRule]] = (
    _gone_after("raw", days=RAW_DAYS),
    _gone_after("as-it-came", days=AS_IT_CAME_DAYS, prefix=AS_IT_CAME),
    _gone_after("refused-rows", days=REFUSED_DAYS, prefix=REFUSED),
)
CURATED: Final[Sequence[s3.LifecycleRule]] = (_gone_after("released", days=RELEASED_DAYS),)
