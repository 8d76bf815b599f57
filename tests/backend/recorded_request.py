"""A request that changes something, for `committed/test_recorded_routes.py`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.backend.member_world import House


@dataclass(frozen=True)
class Request:
    """What changes something: who sends it, where, and whom the record names besides."""

    path: str
    by: str = "usr_owner"
    body: Mapping[str, Any] | None = None
    target: str | None = None
    headers: Mapping[str, str] | None = None
    makes_another: bool = False
    """Another organisation than the one that the others are about, and its key beside it."""


def etag_of(house: House, path: str) -> Mapping[str, str]:
    return {"If-Match": house.ask("GET", path, by="usr_owner").headers["ETag"]}
