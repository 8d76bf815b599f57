"""The smoke test notices each thing it asks about; what a running platform answers is in tests/local."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import httpx2
import pytest
from click.testing import CliRunner

from ledger_format.entries import encode
from operations.assembly import Deployed
from operations.smoke import Addresses, Check, NoPolicyError, UnwellError, checks, cli, deployed_policy, run
from tests.verify.ledger_samples import SampleLog, cosigned, sample_entry, sample_policy, verifier_key
from tests.verify.log_server import Answer, LogServer, log_server

ADDRESSES = Addresses(
    api="http://api", edge="http://edge", keys=("amply+0a1b2c3d+AAAA",), policy="quorum none\n"
)
FRESH = {"published_size": 0, "oldest_unpublished_seconds": 0}
PATHS = ("/v1/donations", "/v1/public/entries/{entry_id}", "/v1/public/organisations")
WELL: Mapping[str, httpx2.Response] = {
    "http://api/health/ready": httpx2.Response(200, json={"status": "ok"}),
    "http://api/openapi.json": httpx2.Response(200, json={"paths": {path: {} for path in PATHS}}),
    "http://edge/": httpx2.Response(200, html="<!doctype html>"),
    "http://api/v1/public/log/freshness": httpx2.Response(200, json=FRESH),
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
            httpx2.Response(200, json=FRESH | {"published_size": 3}),
            "amply-verify exits with 20",
        ),
        (
            "checkpoint",
            "http://api/v1/public/log/freshness",
            httpx2.Response(200, json=FRESH | {"oldest_unpublished_seconds": 61.4}),
            "an entry has waited 61 seconds",
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


def _told(*policies: object) -> Deployed:
    """An environment whose tasks are told these policies."""
    tasks = {
        f"Task{number}": {
            "Type": "AWS::ECS::TaskDefinition",
            "Properties": {
                "ContainerDefinitions": [{"Environment": [{"Name": "AMPLY_WITNESS_POLICY", "Value": policy}]}]
            },
        }
        for number, policy in enumerate(policies)
    }
    return Deployed("staging", {"workers": {"Resources": tasks}}, {})


def test_the_witnesses_are_those_the_deployed_publisher_is_told_of() -> None:
    assert deployed_policy(_told("quorum none\n")) == "quorum none\n"


@pytest.mark.parametrize("told", [(), ("quorum none\n", "quorum partners\n"), ({"Ref": "Policy"},)])
def test_an_assembly_without_one_policy_is_none_to_ask_with(told: tuple[object, ...]) -> None:
    with pytest.raises(NoPolicyError, match="staging: no one AMPLY_WITNESS_POLICY"):
        deployed_policy(_told(*told))


LOG = SampleLog([encode(sample_entry())])


@pytest.fixture
def published() -> Iterator[LogServer]:
    """A platform that has published one entry."""
    with log_server() as server:
        server.serve("/log", LOG.files())
        server.serve(
            "",
            {
                "health/ready": b'{"status": "ok"}',
                "openapi.json": json.dumps({"paths": {path: {} for path in PATHS}}).encode(),
                "v1/public/log/freshness": json.dumps(FRESH | {"published_size": 1}).encode(),
            },
        )
        server.answers["/"] = Answer(headers={"Content-Type": "text/html"})
        yield server


def _smoke(server: LogServer, *options: str) -> tuple[int, str]:
    addresses = ["--api", server.address, "--edge", server.address, "--key", str(verifier_key())]
    done = CliRunner().invoke(cli, [*addresses, "--attempts", "1", *options])
    return done.exit_code, done.output


@pytest.mark.allow_hosts(["127.0.0.1"])
@pytest.mark.parametrize(
    ("names", "code", "said"),
    [
        (("harbour", "lantern"), 0, "ok   checkpoint: verifies"),
        (("harbour",), 1, "FAIL checkpoint: amply-verify exits with 15"),
        ((), 1, "FAIL checkpoint: amply-verify exits with 15"),
    ],
)
def test_a_checkpoint_without_its_witnesses_is_noticed(
    published: LogServer, tmp_path: Path, names: tuple[str, ...], code: int, said: str
) -> None:
    policy = tmp_path / "policy"
    policy.write_text(sample_policy(logs=()).text())
    published.answers["/log/checkpoint"] = Answer(cosigned(LOG.note(), *names).encode())
    ended, output = _smoke(published, "--policy", str(policy))
    assert (ended, said in output) == (code, True), output


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_nothing_is_asked_before_it_is_known_what_to_demand(published: LogServer, tmp_path: Path) -> None:
    code, said = _smoke(published)
    assert (code, "--environment NAME, or --policy FILE" in said) == (2, True)
    code, said = _smoke(published, "--environment", "staging", "--assembly", str(tmp_path))
    assert (code, "holds no cloud assembly" in said) == (2, True)
    assert published.asked == []
