"""The function of the stack `traces`, as Lambda runs it: against an emulated CloudWatch Logs and a real address to answer to."""

import importlib.util
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import boto3
import pytest

from stacks import span_keeping
from stacks.span_keeping import ATTEMPTS, PAUSE_SECONDS, handler, keep
from tests.backend.contract.emulated_cloud import emulated_cloud
from tests.infrastructure.assembly import Deployed
from tests.ports import free_port

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

GROUP = "amply-spans"
"""The emulator, like AWS, would refuse to make a group of the real name."""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with emulated_cloud(port=free_port(), directory=tmp_path_factory.mktemp("cloud")) as address:
        yield address


@pytest.fixture
def logs(cloud: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    told = {
        "AWS_ENDPOINT_URL": cloud,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("logs")
    yield client
    for group in client.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"]:
        client.delete_log_group(logGroupName=group["logGroupName"])


def _retention(logs: Any) -> int | None:
    (group,) = logs.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"]
    found: int | None = group.get("retentionInDays")
    return found


@contextmanager
def _cloudformation() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Where an answer may be put, and those that were."""
    answers: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            answers.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the library's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/answer?signed=yes", answers
        server.shutdown()
        thread.join()


def _event(kind: str, url: str) -> dict[str, Any]:
    return {
        "RequestType": kind,
        "ResponseURL": url,
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "SpansKept",
        # As CloudFormation hands numbers on.
        "ResourceProperties": {"Group": GROUP, "Days": "30", "ServiceToken": "arn"},
    }


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_a_group_that_was_kept_for_ever_forgets_in_time(logs: Any, kind: str) -> None:
    logs.create_log_group(logGroupName=GROUP)
    assert _retention(logs) is None
    with _cloudformation() as (url, answers):
        handler(_event(kind, url), None)
    assert _retention(logs) == 30
    assert answers == [
        {
            "Status": "SUCCESS",
            "Reason": "kept as asked",
            "PhysicalResourceId": GROUP,
            "StackId": "stack",
            "RequestId": "request",
            "LogicalResourceId": "SpansKept",
        }
    ]


def test_a_stack_that_goes_leaves_the_group_as_it_is(logs: Any) -> None:
    logs.create_log_group(logGroupName=GROUP)
    logs.put_retention_policy(logGroupName=GROUP, retentionInDays=7)
    with _cloudformation() as (url, answers):
        handler(_event("Delete", url), None)
    assert (_retention(logs), answers[0]["Status"]) == (7, "SUCCESS")


def test_a_group_that_is_made_late_is_waited_for(logs: Any) -> None:
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            logs.create_log_group(logGroupName=GROUP)

    keep(logs, GROUP, 30, sleep)
    assert (waited, _retention(logs)) == ([PAUSE_SECONDS] * 3, 30)


def test_a_group_that_never_comes_fails_the_stack_with_one_sentence(
    logs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    with _cloudformation() as (url, answers):
        handler(_event("Create", url), None)
    assert len(waited) == ATTEMPTS - 1
    assert answers[0]["Status"] == "FAILED"
    assert answers[0]["Reason"].endswith("deploy the stack traces again.")
    assert logs.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"] == []


def test_what_lambda_is_given_is_this_file_and_stands_alone(
    synthesised: dict[str, Deployed], tmp_path: Path
) -> None:
    (function,) = (
        resource
        for resource in synthesised["production"].resources("AWS::Lambda::Function")
        if resource.stack == "production/traces"
    )
    index = tmp_path / "index.py"
    index.write_text(function.properties["Code"]["ZipFile"])
    assert index.read_text() == Path(span_keeping.__file__).read_text()
    assert len(index.read_text()) < 4096
    module, name = function.properties["Handler"].split(".")
    spec = importlib.util.spec_from_file_location(module, index)
    assert spec
    assert spec.loader
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    assert callable(getattr(loaded, name))


def test_it_has_ended_before_lambda_ends_it(synthesised: dict[str, Deployed]) -> None:
    (function,) = (
        resource
        for resource in synthesised["production"].resources("AWS::Lambda::Function")
        if resource.stack == "production/traces"
    )
    assert function.properties["Timeout"] > ATTEMPTS * PAUSE_SECONDS + 60
