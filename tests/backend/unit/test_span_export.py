"""Spans on their way out: bounded, accounted for, and of few words."""

import threading
from collections.abc import Iterator, Sequence

import pytest
import structlog
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from amply.infra import tracing
from amply.infra.tracing import export
from amply.infra.tracing.contents import allowed
from amply.infra.tracing.statements import shape

CONTEXT = SpanContext(1, 2, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))


class Slow(SpanExporter):
    """Takes a batch in hand, and gives it back when told to."""

    def __init__(self) -> None:
        self.in_hand = threading.Event()
        self.go_on = threading.Event()
        self.sent = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.in_hand.set()
        self.go_on.wait(60)
        self.sent += len(spans)
        return SpanExportResult.SUCCESS


@pytest.fixture
def slow() -> Iterator[Slow]:
    made = Slow()
    yield made
    made.go_on.set()


def test_what_finds_no_room_is_dropped_and_counted(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "_QUEUED_MAX", 20)
    monkeypatch.setattr(export, "_BATCH_MAX", 5)
    outgoing = export.Outgoing(slow, words=export.LastWords())
    for _ in range(5):
        outgoing.on_end(span())
    assert slow.in_hand.wait(60)
    with structlog.testing.capture_logs() as lines:
        for _ in range(40):
            outgoing.on_end(span())
        slow.go_on.set()
        outgoing.shutdown()

    assert slow.sent == 20, "those in hand count too"
    (told,) = lines
    assert (told["event"], told["count"]) == (export.SPANS_LOST, 25)


def test_losses_are_told_once_a_minute() -> None:
    room = export._SpanCapacity()
    assert room.news(at=0) is None
    for at, news in ((0, (1, 1)), (30, None), (59, None), (60, (3, 4)), (200, (1, 5))):
        assert room.take()
        room.leave(1, lost=True)
        assert room.news(at=at) == news
    assert room.news(at=400) is None


def test_after_a_stop_nothing_more_is_tried_for_long(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "_STOP_SECONDS_MAX", 0.0)
    outgoing = export.Outgoing(slow, words=export.LastWords())
    outgoing.on_end(span())
    with structlog.testing.capture_logs() as lines:
        outgoing.shutdown()

    assert slow.sent == 0
    assert [line["count"] for line in lines] == [1]


def span(**attributes: str) -> ReadableSpan:
    return ReadableSpan(name="work", context=CONTEXT, attributes=attributes)


def test_an_attribute_nobody_allowed_is_left_out() -> None:
    said = allowed(
        span(**{"url.query": "a=b", "client.address": "203.0.113.7", "http.route": "/v1/donations"})
    )

    assert dict(said.attributes or {}) == {"http.route": "/v1/donations"}


def test_an_allowed_attribute_with_a_secret_in_it_is_redacted() -> None:
    said = allowed(span(**{"amply.payment_id": "pi_1_secret_x", "error.type": "a@example.org"}))

    assert dict(said.attributes or {}) == {"amply.payment_id": "[redacted]", "error.type": "[redacted]"}


def test_events_and_words_about_the_status_are_left_out() -> None:
    failed = ReadableSpan(
        name="work", context=CONTEXT, status=Status(StatusCode.ERROR, "row of Zoe"), kind=SpanKind.CONSUMER
    )
    said = allowed(failed)

    assert (said.status.status_code, said.status.description) == (StatusCode.ERROR, None)
    assert (said.events, said.kind) == ((), SpanKind.CONSUMER)


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("INSERT INTO donation (id) VALUES (%(id)s)", "INSERT donation"),
        ("UPDATE outbox SET published_at=%(p)s WHERE outbox.id = %(i)s", "UPDATE outbox"),
        ("SELECT entry.id \nFROM entry ORDER BY entry.id", "SELECT entry"),
        ('DELETE FROM "outbox"', "DELETE outbox"),
        ("SELECT EXTRACT(epoch FROM now()) FROM leaf", "SELECT leaf"),
        ("WITH due AS (SELECT id FROM payment) SELECT 1", "WITH payment"),
        ("SELECT pg_advisory_xact_lock(1)", "SELECT"),
        ("/* Zoe */ SELECT 1", "STATEMENT"),
        ("", "STATEMENT"),
    ],
)
def test_a_statement_is_what_it_does_to_which_table(statement: str, name: str) -> None:
    found, attributes = shape(statement)

    operation, _, table = name.partition(" ")
    assert found == name
    assert attributes["db.operation.name"] == operation
    assert attributes.get("db.collection.name", "") == table


def test_while_nothing_is_recorded_nothing_is_made() -> None:
    with tracing.step("work"), tracing.call("Stripe: x"):
        assert not trace.get_current_span().is_recording()
        assert tracing.traceparent() is None
        tracing.annotate(payment_id="pay_1")
        tracing.link("00-" + "a" * 32 + "-" + "b" * 16 + "-01")


@pytest.mark.parametrize("nonsense", ["", "nonsense", f"00-{'0' * 32}-{'0' * 16}-01"])
def test_a_context_that_is_none_records_nothing(nonsense: str) -> None:
    with tracing.continued("work", traceparent=nonsense, kind=SpanKind.CONSUMER):
        assert not trace.get_current_span().is_recording()
