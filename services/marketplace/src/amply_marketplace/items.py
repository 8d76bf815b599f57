"""Parses DynamoDB items. A missing or mistyped attribute is an internal error."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from amply_marketplace.datasets import Dataset, File, Revision
from amply_marketplace.grants import Contract, Grant

Item = Mapping[str, Mapping[str, Any]]
_REVISION = "revision#"
_BUYER = "buyer#"


def text(item: Item, name: str) -> str:
    return str(item[name]["S"])


def number(item: Item, name: str) -> int:
    """Whole numbers alone: DynamoDB would keep a fraction."""
    return int(item[name]["N"])


def moment(item: Item, name: str) -> datetime:
    """Written as RFC 3339 in UTC."""
    return datetime.fromisoformat(text(item, name)).astimezone(UTC)


def contract(item: Item) -> Contract:
    return Contract(
        contract_id=text(item, "contract_id"),
        buyer=text(item, "buyer_id"),
        is_active=text(item, "state") == "active",
        starts_at=moment(item, "starts_at"),
        ends_at=moment(item, "ends_at"),
        bytes_a_month=number(item, "bytes_a_month"),
    )


def grant(item: Item, *, under: Contract | None) -> Grant:
    return Grant(
        token_digest=text(item, "token_digest"),
        grant_id=text(item, "grant_id"),
        dataset_id=text(item, "dataset_id"),
        contract=under,
        expires_at=moment(item, "expires_at"),
        is_revoked="revoked_at" in item,
    )


def dataset(item: Item, *, given: Item | None) -> Dataset:
    """`given` is what was given of it to one buyer, None before the first."""
    return Dataset(
        dataset_id=text(item, "dataset_id"),
        title=text(item, "title"),
        kind=text(item, "class"),
        schema=text(given or item, "schema"),
        latest=number(given, "latest") if given else 0,
    )


def buyer_part(buyer: str) -> str:
    """The sort key of what a buyer was given. No contract's buyer is called so that it has a `#`."""
    return f"{_BUYER}{buyer}"


def revision_part(number_: int, *, buyer: str | None = None) -> str:
    """The sort key of a revision; padded, so that they lie in their order. Without a buyer: the dataset's own."""
    own = f"{_REVISION}{number_:010d}"
    return own if buyer is None else f"{buyer_part(buyer)}#{own}"


def is_served(item: Item | None) -> bool:
    """Whether a revision is there and was not taken back."""
    return item is not None and "withdrawn_at" not in item


def revision(item: Item) -> Revision:
    return Revision(
        number=int(text(item, "part").rpartition("#")[2]),
        released_at=moment(item, "released_at"),
        policy_id=text(item, "policy_id"),
        k=number(item, "k"),
        rows=number(item, "rows"),
        certificate=text(item, "certificate") if "certificate" in item else None,
        certificate_sha256=text(item, "certificate_sha256"),
    )


def file(item: Item) -> File:
    return File(
        key=text(item, "key"),
        size_bytes=number(item, "bytes"),
        rows=number(item, "rows"),
        sha256=text(item, "sha256"),
    )
