"""What DynamoDB leaves out of an answer is asked for again, for a while."""

from typing import Any

import boto3
import pytest

from amply_releases.aws.consents import ConsentsBusyError, DynamoConsents


class Busy:
    """Answers one item at a time, once it has left everything out so many times."""

    def __init__(self, nothing: int) -> None:
        self.nothing, self.asked = nothing, 0

    def batch_get_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 -- AWS's name
        self.asked += 1
        keys = RequestItems["consents"]["Keys"]
        count = 0 if self.asked <= self.nothing else 1
        left = {"consents": {"Keys": keys[count:]}} if keys[count:] else {}
        items = [{**key, "state": {"S": "given"}} for key in keys[:count]]
        return {"Responses": {"consents": items}, "UnprocessedKeys": left}


def consents(busy: Busy, pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> DynamoConsents:
    monkeypatch.setattr(boto3, "client", lambda *_, **__: busy)
    return DynamoConsents(table="consents", pause=pauses.append)


def test_what_is_left_out_is_asked_for_again_after_longer_and_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    asked = consents(Busy(2), pauses, monkeypatch).states(["ada", "eve"])
    assert asked == {"ada": "given", "eve": "given"}
    assert pauses == [0.1, 0.2, 0.4]


def test_nobody_is_taken_for_not_given_because_the_table_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = Busy(1000)
    with pytest.raises(ConsentsBusyError, match="ask again later"):
        consents(busy, [], monkeypatch).states(["ada"])
    assert busy.asked == 8
