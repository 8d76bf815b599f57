"""The smoke test notices each thing it asks about; what a running platform answers is in tests/local."""

from collections.abc import Callable, Mapping

import httpx2
import pytest

from operations.smoke import Addresses, Check, UnwellError, checks, run

ADDRESSES = Addresses(api="http://api", edge="http://edge", keys=("amply+0a1b2c3d+AAAA",))
PATHS = ("/v1/donations", "/v1/public/entries/{entry_id}", "/v1/public/organisations")
WELL: Mapping[str, httpx2.Response] = {
    "http://api/health/ready": httpx2.Response(200, json={"status": "ok"}),
    "http://api/openapi.json": httpx2.Response(200, json={"paths": {path: {} for path in PATHS}}),
    "http://edge/": httpx2.Response(200, html="<!doctype html>"),
    "http://api/v1/public/log/freshness": httpx2.Response(200, json={"published_size": 0}),
}


def _asked(name: str, url: str, answer: httpx2.Response) -> str:
    """What one check says when one address answers otherwise."""
    answers = dict(WELL) | {url: answer}
    transport = httpx2.MockTransport(lambda request: answers[str(request.url)])
    with httpx2.Client(transport=transport) as client:
        return checks(ADDRESSES, client)[name]()


@pytest.mark.parametrize("name", ["api ready", "api described", "pages", "checkpoint"])
def test_what_answers_well_passes(name: str) -> None:
    assert _asked(name, "http://nowhere/", httpx2.Response(200))


@pytest.mark.parametrize(
    ("name", "url", "answer", "sentence"),
    [
        ("api ready", "http://api/health/ready", httpx2.Response(503), "answers 503"),
        (
            "api ready",
            "http://api/health/ready",
            httpx2.Response(200, json={"status": "unavailable"}),
            "says",
        ),
        (
            "api described",
            "http://api/openapi.json",
            httpx2.Response(200, json={"paths": {}}),
            "does not know",
        ),
        ("pages", "http://edge/", httpx2.Response(200, json={}), "is no page"),
        ("pages", "http://edge/", httpx2.Response(403), "answers 403"),
        ("checkpoint", "http://api/v1/public/log/freshness", httpx2.Response(200, json=[]), "does not say"),
        (
            "checkpoint",
            "http://api/v1/public/log/freshness",
            httpx2.Response(200, json={"published_size": 3}),
            "amply-verify exits with 20",
        ),
    ],
)
def test_what_answers_otherwise_is_noticed(
    name: str, url: str, answer: httpx2.Response, sentence: str
) -> None:
    with pytest.raises(UnwellError, match=sentence):
        _asked(name, url, answer)


def _wells_up_after(times: int) -> Callable[[], str]:
    left = iter(range(times))

    def check() -> str:
        if next(left, None) is not None:
            raise UnwellError("still starting")
        return "well"

    return check


@pytest.mark.parametrize(("bad", "expected"), [(2, (True, "well")), (3, (False, "still starting"))])
def test_a_check_is_tried_again_within_a_bound(bad: int, expected: tuple[bool, str]) -> None:
    pauses: list[None] = []
    named: Mapping[str, Check] = {"one": _wells_up_after(bad)}
    assert list(run(named, attempts=3, pause=lambda: pauses.append(None))) == [("one", *expected)]
    assert len(pauses) == 2
