"""Where Lambda comes in: what the gateway hands over is read with care, and the log says nothing that opens a door."""

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from amply_marketplace import handlers
from amply_marketplace.errors import NotUnderstood
from amply_marketplace.gateway import Request

HANDLERS = (handlers.get_datasets, handlers.get_data_signed_url, handlers.get_usage, handlers.delta_sharing)
TOLD = ("DATASETS_TABLE", "CONTRACTS_TABLE", "USAGE_TABLE", "GRANTS_TABLE", "CURATED_BUCKET")


@pytest.fixture(autouse=True)
def _nobody_answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Told as Lambda tells them, with a cloud where nobody listens."""
    for name in TOLD:
        monkeypatch.setenv(f"AMPLY_{name}", name.lower())
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(handlers, "_LIMITS", handlers._LIMITS.merge(_ONCE))
    for cached in (handlers._control, handlers._links):
        cached.cache_clear()
    yield
    for cached in (handlers._control, handlers._links):
        cached.cache_clear()


_ONCE = type(handlers._LIMITS)(retries={"total_max_attempts": 1})


def _event(**otherwise: object) -> Mapping[str, Any]:
    return {"httpMethod": "GET", "path": "/", "pathParameters": {"proxy": "shares"}, **otherwise}


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.__name__)
def test_a_refusal_is_an_answer_and_one_line(handler: Any, capsys: pytest.CaptureFixture[str]) -> None:
    answer = handler(_event(headers={"AUTHORIZATION": "Basic c2VjcmV0"}), None)
    assert answer["statusCode"] == 401
    assert answer["headers"]["Cache-Control"] == "no-store"
    line = json.loads(capsys.readouterr().out)
    assert line == {
        "event": "marketplace_call",
        "call": handler.__name__,
        "status": 401,
        "milliseconds": line["milliseconds"],
    }


@pytest.mark.allow_hosts(["127.0.0.1"])
@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.__name__)
def test_while_the_control_plane_is_away_a_buyer_is_told_to_come_again(
    handler: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    token = "t" * 43
    answer = handler(_event(headers={"Authorization": f"Bearer {token}"}), None)
    assert answer["statusCode"] == 503
    assert json.loads(answer["body"])["message"].endswith("ask again in a minute.")
    assert token not in capsys.readouterr().out


def test_a_body_is_an_object_of_text() -> None:
    given = base64.b64encode(b'{"limit": 1}').decode()
    assert Request.of(_event(body=given, isBase64Encoded=True)).json() == {"limit": 1}
    assert Request.of(_event()).json() == {}
    for body in ("[1]", "1", "nonsense", "[" * 100_000, '{"a": "' + "x" * 70_000 + '"}'):
        with pytest.raises(NotUnderstood):
            Request.of(_event(body=body)).json()
    with pytest.raises(NotUnderstood, match="not text"):
        Request.of(_event(body=base64.b64encode(b"\xff\xfe").decode(), isBase64Encoded=True))
