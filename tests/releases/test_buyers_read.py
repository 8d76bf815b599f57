"""Contracts and grants as the tables have them: one that cannot be read lets nobody in, and keeps nobody out."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from amply_releases.aws.buyers import TELL_EVERY, DynamoBuyers

NOW = datetime(2026, 11, 27, 5, 0, tzinfo=UTC)
DIGEST = "d1" * 32
UNREADABLE: tuple[Mapping[str, Any], ...] = (
    {"expires_at": {"S": "soon"}},
    {"expires_at": {"N": "7"}},
    {"expires_at": None},
    {"expires_at": {"S": "9999-12-31T23:59:59-01:00"}},
    {"contract_id": None},
)


class Tables:
    """Two contracts with a grant each of the dataset `visits`; `changes` is what is otherwise in the first one's grant."""

    def __init__(self, changes: Mapping[str, Any]) -> None:
        self._changes = changes

    def get_paginator(self, name: str) -> "Tables":
        assert name in {"scan", "query"}
        return self

    def paginate(self, **asked: Any) -> list[dict[str, Sequence[Mapping[str, Any]]]]:
        if "IndexName" not in asked:
            return [{"Items": [self._contract("dct_1", "acme"), self._contract("dct_2", "zenith")]}]
        contract: str = asked["ExpressionAttributeValues"][":contract"]["S"]
        return [{"Items": [{"token_digest": {"S": f"{DIGEST}{contract}"}, "dataset_id": {"S": "visits"}}]}]

    def get_item(self, **asked: Any) -> dict[str, Mapping[str, Any]]:
        contract = asked["Key"]["token_digest"]["S"].removeprefix(DIGEST)
        changed: dict[str, Any] = {
            "contract_id": {"S": contract},
            "expires_at": {"S": "2027-01-01T00:00:00Z"},
            **(self._changes if contract == "dct_1" else {}),
        }
        return {"Item": {name: value for name, value in changed.items() if value is not None}}

    def _contract(self, contract_id: str, buyer: str) -> Mapping[str, Any]:
        return {
            "contract_id": {"S": contract_id},
            "buyer_id": {"S": buyer},
            "state": {"S": "active"},
            "starts_at": {"S": "2026-01-01T00:00:00"},
            "ends_at": {"S": "2027-01-01T00:00:00+00:00"},
        }


def _buyers(monkeypatch: pytest.MonkeyPatch, changes: Mapping[str, Any]) -> DynamoBuyers:
    monkeypatch.setattr(boto3, "client", lambda *_, **__: Tables(changes))
    return DynamoBuyers(contracts="contracts", grants="grants")


@pytest.mark.parametrize("changes", UNREADABLE)
def test_a_grant_that_cannot_be_read_keeps_no_other_buyer_out_and_is_told_of(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], changes: Mapping[str, Any]
) -> None:
    """Told of as often as a release that fails, for the same alarm; the token is nobody's to know."""
    buyers = _buyers(monkeypatch, changes)
    for moment in (NOW, NOW + timedelta(seconds=20), NOW + TELL_EVERY):
        assert buyers.granted(now=moment) == {"visits": ["zenith"]}
    told = capsys.readouterr().out
    assert DIGEST not in told
    lines = [json.loads(line) for line in told.splitlines()]
    assert [(line["event"], line["dataset"], line["error"]) for line in lines] == [
        ("release_failed", "visits", "UnreadableGrant")
    ] * 2
    assert "dct_1" in lines[0]["why"]


@pytest.mark.parametrize(
    ("changes", "buyers"),
    [
        ({}, ["acme", "zenith"]),
        ({"revoked_at": {"S": "whenever"}, "expires_at": {"S": "soon"}}, ["zenith"]),
        ({"expires_at": {"S": "2026-11-27T05:00:00"}}, ["zenith"]),
        ({"expires_at": {"S": "2026-11-27T05:00:01"}}, ["acme", "zenith"]),
    ],
)
def test_a_grant_that_can_be_read_or_was_revoked_is_told_of_by_nobody(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    changes: Mapping[str, Any],
    buyers: list[str],
) -> None:
    """A moment without a zone is in UTC."""
    assert _buyers(monkeypatch, changes).granted(now=NOW) == {"visits": buyers}
    assert capsys.readouterr().out == ""
