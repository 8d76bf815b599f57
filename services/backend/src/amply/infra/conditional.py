"""Optimistic concurrency by `If-Match` (RFC 9110 §13.1.1): a change names the version it was based on."""

import hashlib
from typing import Annotated, ClassVar

from fastapi import Header
from pydantic import BaseModel

from amply.kernel.errors import AmplyError

IfMatch = Annotated[str | None, Header(description="The `ETag` of what the change was decided upon")]


class ChangeNotConditional(AmplyError):
    """A change has to say what it was decided upon (RFC 6585 §3)."""

    status: ClassVar[int] = 428
    code: ClassVar[str] = "if_match_missing"
    title: ClassVar[str] = "The request has to be conditional"


class ChangedMeanwhile(AmplyError):
    """It is not what the change was decided upon (RFC 9110 §15.5.13)."""

    status: ClassVar[int] = 412
    code: ClassVar[str] = "changed_meanwhile"
    title: ClassVar[str] = "This has changed meanwhile"


def etag_of(shown: BaseModel, *, without: frozenset[str] = frozenset()) -> str:
    """The `ETag` of a response model: a digest of its contents."""
    written = shown.model_dump_json(exclude=set(without))
    return f'"{hashlib.sha256(written.encode()).hexdigest()[:32]}"'


def require_match(if_match: str | None, shown: BaseModel) -> None:
    """Refuse a change whose `If-Match` is not the ETag of `shown`, which the caller has locked.

    Raises:
        ChangeNotConditional: It does not say upon what.
        ChangedMeanwhile: Somebody was faster.
    """
    require_version(if_match, etag_of(shown))


def require_version(if_match: str | None, version: str) -> None:
    """`require_match` for what shows its version itself."""
    if if_match is None:
        raise ChangeNotConditional(
            "Send the version of what you saw (its ETag) as If-Match, so that nothing is changed unseen."
        )
    if if_match != version:
        raise ChangedMeanwhile("This has changed meanwhile: look at it again and decide anew.")
