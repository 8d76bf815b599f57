"""What is handed in: which messages tell of an arrival, and that one which fails takes no other along."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from amply_etl.arrivals import Arrival, NoArrivalError
from amply_etl.handler import handle, handler


def _message(key: str, name: str = "m1", **otherwise: object) -> Mapping[str, Any]:
    told = {"key": key, "size": 3, "version-id": "v1", **otherwise}
    return {"messageId": name, "body": json.dumps({"detail": {"bucket": {"name": "raw"}, "object": told}})}


def test_a_message_tells_of_one_object_for_one_dataset() -> None:
    assert Arrival.of(_message("incoming/gifts/2026-11.jsonl")) == Arrival(
        bucket="raw", key="incoming/gifts/2026-11.jsonl", dataset_id="gifts", size_bytes=3, version="v1"
    )


@pytest.mark.parametrize(
    "key",
    [
        "incoming/gifts",
        "incoming/../released/x",
        "released/gifts/1.parquet",
        "incoming/Gifts/a",
        "incoming/gifts/a/b",
        "incoming/gifts/.hidden",
        "incoming/gifts/a\n",
        f"incoming/{'g' * 64}/a",
    ],
)
def test_an_object_elsewhere_is_no_arrival(key: str) -> None:
    with pytest.raises(NoArrivalError, match="incoming/DATASET/NAME"):
        Arrival.of(_message(key))


@pytest.mark.parametrize(
    "body", ["", "[]", "{}", '{"detail": 1}', '{"detail": {"bucket": {}, "object": {}}}']
)
def test_something_else_is_no_arrival(body: str) -> None:
    with pytest.raises(NoArrivalError, match="no event of S3"):
        Arrival.of({"messageId": "m1", "body": body})


def test_a_message_that_fails_takes_no_other_along(capsys: pytest.CaptureFixture[str]) -> None:
    released = []

    def release(arrival: Arrival) -> None:
        if arrival.dataset_id == "odd":
            raise RuntimeError("What it was handed in says about somebody")
        released.append(arrival.dataset_id)

    messages = [_message(f"incoming/{name}/a", name) for name in ("gifts", "odd", "visits")]
    assert handle({"Records": messages}, release=release) == {
        "batchItemFailures": [{"itemIdentifier": "odd"}]
    }
    assert released == ["gifts", "visits"]
    assert "somebody" not in capsys.readouterr().out, "an error may quote what was handed in"


def test_without_an_anonymiser_everything_is_given_back() -> None:
    """Never released as it is."""
    event = {"Records": [_message("incoming/gifts/a", "m1"), _message("incoming/gifts/b", "m2")]}
    assert handler(event, None) == {"batchItemFailures": [{"itemIdentifier": "m1"}, {"itemIdentifier": "m2"}]}
