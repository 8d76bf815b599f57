"""Where a process sends its spans: where the deployment says, else to a developer's collector, else nowhere."""

from collections.abc import Iterator

import pytest
import structlog
from opentelemetry.trace import SpanKind

from amply.entrypoints.traces import COLLECTORS, traced
from amply.infra import tracing
from amply.infra.settings import ServiceSettings, TraceSettings
from tests.backend.span_receiver import Receiver, receiving

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

SERVICE = ServiceSettings(service="worker", environment="tests", livemode=False)
BEFORE = f"00-{'a' * 32}-{'b' * 16}-01"


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    for name in COLLECTORS:
        monkeypatch.delenv(name, raising=False)
    with receiving() as made:
        yield made


def work(settings: TraceSettings) -> None:
    with (
        traced(SERVICE, settings),
        tracing.continued("work", traceparent=BEFORE, kind=SpanKind.CONSUMER),
    ):
        pass


def test_a_developers_collector_is_found_by_opentelemetrys_own_variable(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url.removesuffix("/v1/traces"))
    work(TraceSettings())

    (post,) = receiver.posts
    assert post.path == "/v1/traces"
    assert "Authorization" not in post.headers
    assert [(span.service, span.name, span.trace_id) for span in receiver.spans] == [
        ("amply-worker", "work", "a" * 32)
    ]


def test_what_the_deployment_says_comes_first(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "eu-west-1")
    work(TraceSettings(traces_url=receiver.url))

    (post,) = receiver.posts
    assert "/xray/aws4_request" in post.headers["Authorization"]


def test_without_either_nothing_is_recorded(receiver: Receiver) -> None:
    with traced(SERVICE, TraceSettings()):
        assert tracing.provider() is None

    assert receiver.posts == []


def test_whatever_is_wrong_with_it_the_work_is_done(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody-made-this-one")
    with structlog.testing.capture_logs() as lines:
        work(TraceSettings(traces_url=receiver.url))

    assert [line["event"] for line in lines] == ["not_traced"]
    assert receiver.posts == []
