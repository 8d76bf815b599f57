"""A request for each route that changes webhook endpoints."""

from collections.abc import Callable, Mapping
from typing import Final

from tests.backend.caller_matrix import OWN
from tests.backend.member_world import House
from tests.backend.recorded_request import Request, etag_of

ENDPOINT: Final = {"url": "https://river.example/hook", "event_types": ["donation.succeeded"]}


def _endpoint_added(_house: House) -> Request:
    return Request("/webhook-endpoints", body=ENDPOINT)


def _endpoint(house: House) -> str:
    made = house.ask("POST", "/webhook-endpoints", by="usr_owner", json=ENDPOINT)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


def _endpoint_changed(house: House) -> Request:
    path = f"/webhook-endpoints/{_endpoint(house)}"
    return Request(
        path, body={"enabled": False}, target=path.rsplit("/", maxsplit=1)[-1], headers=etag_of(house, path)
    )


def _endpoint_removed(house: House) -> Request:
    endpoint_id = _endpoint(house)
    return Request(f"/webhook-endpoints/{endpoint_id}", target=endpoint_id)


def _webhook_key_rotated(house: House) -> Request:
    endpoint_id = _endpoint(house)
    return Request(f"/webhook-endpoints/{endpoint_id}/keys", body={}, target=endpoint_id)


def _test_sent(house: House) -> Request:
    endpoint_id = _endpoint(house)
    return Request(f"/webhook-endpoints/{endpoint_id}/test", target=endpoint_id)


def _events_replayed(house: House) -> Request:
    endpoint_id = _endpoint(house)
    since = {"since": "2026-01-01T00:00:00Z"}
    return Request(f"/webhook-endpoints/{endpoint_id}/replays", body=since, target=endpoint_id)


WEBHOOK_REQUESTS: Final[Mapping[str, Callable[[House], Request]]] = {
    f"POST {OWN}/webhook-endpoints": _endpoint_added,
    f"PATCH {OWN}/webhook-endpoints/{{endpoint_id}}": _endpoint_changed,
    f"DELETE {OWN}/webhook-endpoints/{{endpoint_id}}": _endpoint_removed,
    f"POST {OWN}/webhook-endpoints/{{endpoint_id}}/keys": _webhook_key_rotated,
    f"POST {OWN}/webhook-endpoints/{{endpoint_id}}/test": _test_sent,
    f"POST {OWN}/webhook-endpoints/{{endpoint_id}}/replays": _events_replayed,
}
