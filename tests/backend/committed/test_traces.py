"""What is recorded of a gift: one story from the request to the receipt, nothing personal, and no gift waits for it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import structlog
from opentelemetry.trace import SpanKind
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from amply.adapters import sqs
from amply.entrypoints import task_names
from amply.infra import tracing
from amply.infra.logging import add_trace_id
from amply.infra.tracing.export import SPANS_LOST
from amply.infra.tracing.statements import OTHER_STATEMENTS
from amply.modules import webhooks
from tests.backend.conftest import Databases
from tests.backend.in_process_platform import ACCEPTED, PERSONAL, InProcessPlatform, Traced
from tests.backend.ledger_world import LedgerWorld
from tests.backend.span_receiver import Received, receiving
from tests.ports import free_port

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


@pytest.fixture
def traced(books: LedgerWorld, databases: Databases) -> Iterator[Traced]:
    @contextmanager
    def open_town() -> Iterator[InProcessPlatform]:
        town = InProcessPlatform(books, databases)
        with town.client:
            yield town
        town.own.close()

    with receiving() as receiver:
        yield Traced(receiver, open_town)


def root_of(story: list[Received]) -> Received:
    """The one span all others hang on, each by a parent that is there too."""
    known = {span.span_id for span in story}
    roots = [span for span in story if not span.parent_id]
    assert len(roots) == 1, [span.name for span in roots]
    assert [span.name for span in story if span.parent_id and span.parent_id not in known] == []
    return roots[0]


def test_from_request_to_receipt_a_gift_is_two_traces_that_lead_to_each_other(traced: Traced) -> None:
    with traced.recording() as town:
        town.tell_whole_story()
        (payment,) = town.rows("payment")

    (given,) = traced.receiver.named("POST /v1/donations")
    (booked,) = traced.receiver.named(task_names.HANDLE_PROVIDER_EVENT)
    gift, booking = (traced.receiver.story_of(span.trace_id) for span in (given, booked))
    assert root_of(gift).name == "POST /v1/donations"
    assert root_of(booking).name == "POST /v1/webhooks/stripe"
    steps = {
        "publish provider_event.received",
        task_names.HANDLE_PROVIDER_EVENT,
        "WITH entry",
        "send receipt",
    }
    assert steps <= {span.name for span in booking}
    assert booked.links, "the booking leads to the request"
    assert {trace for trace, _ in booked.links} == {given.trace_id}
    for span in (given, booked):
        assert span.attributes["amply.payment_id"] == payment.id


def test_only_what_begins_with_a_request_is_recorded(traced: Traced) -> None:
    with traced.recording() as town:
        town.give()
        town.relay()
        town.sender.send(task_names.SEND_DUE_RECEIPTS, queue=sqs.LOW, arguments={})
        town.work()
        town.rows("donation")
        town.client.get("/health/ready")

    assert {span.name for span in traced.receiver.spans if not span.parent_id} == {"POST /v1/donations"}


@pytest.mark.parametrize(("share", "recorded"), [(0.0, set()), (1.0, {"GET /v1/donations/{donation_id}"})])
def test_reads_are_recorded_by_their_share_and_gifts_always(
    traced: Traced, share: float, recorded: set[str]
) -> None:
    with traced.recording(share_of_reads=share) as town:
        donation_id = town.give().json()["id"]
        town.client.get(f"/v1/donations/{donation_id}")

    roots = {span.name for span in traced.receiver.spans if not span.parent_id}
    assert roots == {"POST /v1/donations", *recorded}


def test_nothing_personal_leaves(traced: Traced) -> None:
    with traced.recording() as town:
        town.tell_whole_story()
        town.give(donor={"name": PERSONAL["name"], "email": "no address", "extra": PERSONAL["email"]})
        town.client.get(f"/v1/donations/don_x?email={PERSONAL['email']}")
        town.client.get(f"/{PERSONAL['query']}", headers={"Host": f"{PERSONAL['query']}.example"})
        with pytest.raises(DBAPIError):
            town.fail()

    assert traced.receiver.named("fails")[0].failed
    everything = [span.said for span in traced.receiver.spans]
    assert len(everything) > 40
    for what, value in PERSONAL.items():
        assert not any(value in said for said in everything), what
        assert not any(value.encode() in post.body for post in traced.receiver.posts), what


def test_a_failure_says_of_what_kind_and_no_more(traced: Traced) -> None:
    with traced.recording() as town:
        town.processor.fails = [ConnectionError(PERSONAL["email"])]
        assert town.give().status_code == 500

    (given,) = traced.receiver.named("POST /v1/donations")
    assert given.failed
    assert given.attributes["error.type"] == "ConnectionError"
    assert given.attributes["http.response.status_code"] == 500


def test_of_a_transaction_the_slowest_statement_is_shown_and_the_others_are_counted(traced: Traced) -> None:
    with traced.recording(statement_seconds_min=0.05) as town:
        town.give()
        with (
            tracing.continued(
                "slow", traceparent=town.rows("payment")[0].traceparent, kind=SpanKind.INTERNAL
            ),
            town.books.app.transaction() as session,
        ):
            session.execute(text("SELECT id, pg_sleep(0.1) FROM organization"))
            session.execute(text("SELECT id, pg_sleep(0.2) FROM payment"))
            session.execute(text("SELECT 1"))
        with pytest.raises(DBAPIError):
            town.fail()

    (slow,) = traced.receiver.named("slow")
    (fails,) = traced.receiver.named("fails")
    # A statement of the gift may be slow as well, on a busy machine.
    both = {span.span_id for span in traced.receiver.spans if span.parent_id in {slow.span_id, fails.span_id}}
    statements = {span.name for span in traced.receiver.spans if span.parent_id in both}
    assert statements == {"SELECT payment", "UPDATE donation"}, "the slowest one and the failed one"
    (within,) = [span for span in traced.receiver.spans if span.parent_id == slow.span_id]
    assert within.attributes[OTHER_STATEMENTS] == 2


def test_a_connection_that_is_lost_inside_something_recorded_is_not_opened_again(traced: Traced) -> None:
    with traced.recording() as town:
        town.give()
        with pytest.raises(OperationalError, match="terminating connection"):
            town.lose_connection()
        assert town.rows("payment"), "the next one is a new one"

    assert [span.failed for span in traced.receiver.named("SELECT")] == [True]


def test_what_a_caller_can_mend_is_no_failure(traced: Traced) -> None:
    with traced.recording() as town:
        assert town.client.get("/v1/donations/don_x").status_code == 404

    assert not any(span.failed for span in traced.receiver.spans)
    (looked,) = [span for span in traced.receiver.spans if not span.parent_id]
    assert looked.attributes["http.response.status_code"] == 404


def test_strangers_choose_neither_the_trace_nor_whether_it_is_recorded(traced: Traced) -> None:
    chosen = f"00-{'5' * 32}-{'6' * 16}-0"
    with traced.recording() as town:
        town.give(headers={"traceparent": f"{chosen}0", "baggage": f"a={PERSONAL['email']}"})
    with traced.recording(share_of_reads=0.0) as town:
        town.client.get("/v1/donations/don_x", headers={"traceparent": f"{chosen}1"})

    (given,) = [span for span in traced.receiver.spans if not span.parent_id]
    assert given.name == "POST /v1/donations"
    assert given.trace_id != "5" * 32


def test_an_event_that_is_announced_again_stays_in_its_trace(traced: Traced) -> None:
    with traced.recording() as town:
        town.give()
        town.hear_of_success()
        town.clock.advance(minutes=1)
        with town.books.app.transaction() as session:
            assert webhooks.due_again(session, now=town.clock()) == 1
        facts = town.rows("outbox")

    assert len(facts) == 2
    assert {fact.traceparent.split("-")[1] for fact in facts} == {
        traced.receiver.named("POST /v1/webhooks/stripe")[0].trace_id
    }


def test_the_completer_goes_on_with_the_donors_trace(traced: Traced) -> None:
    with traced.recording() as town:
        town.processor.fails = [ConnectionError()]
        town.give()
        town.clock.advance(seconds=61)
        town.sender.send(task_names.COMPLETE_STUCK, queue=sqs.LOW, arguments={})
        town.work()

    (completed,) = traced.receiver.named("complete stuck payment")
    assert completed.trace_id == traced.receiver.named("POST /v1/donations")[0].trace_id


def test_a_line_of_the_log_leads_to_its_trace(traced: Traced) -> None:
    with (
        traced.recording(),
        tracing.continued("work", traceparent=f"00-{'a' * 32}-{'b' * 16}-01", kind=SpanKind.CONSUMER),
    ):
        inside = dict(add_trace_id(None, "info", {}))

    assert inside == {"trace_id": "a" * 32}
    assert add_trace_id(None, "info", {}) == {}


def test_where_nothing_is_recorded_rows_remember_nothing(books: LedgerWorld, databases: Databases) -> None:
    town = InProcessPlatform(books, databases)
    with town.client:
        town.tell_whole_story()

    for table in ("payment", "provider_event", "outbox", "receipt"):
        assert {row.traceparent for row in town.rows(table)} == {None}, table
    town.own.close()


def test_a_receiver_that_is_away_costs_spans_and_one_line(traced: Traced) -> None:
    nobody = f"http://127.0.0.1:{free_port()}/v1/traces"
    with structlog.testing.capture_logs() as lines, traced.recording(url=nobody) as town:
        town.tell_whole_story()

    told = [line for line in lines if line["event"] == SPANS_LOST]
    assert len(told) == 1
    assert told[0]["count"] > 20
    assert told[0]["reason"]


def test_a_receiver_that_says_no_is_quoted(traced: Traced) -> None:
    traced.receiver.status = 403
    with structlog.testing.capture_logs() as lines, traced.recording() as town:
        town.tell_whole_story()

    (told,) = [line for line in lines if line["event"] == SPANS_LOST]
    assert "403" in told["reason"]


def test_gifts_do_not_wait_for_a_receiver_that_never_answers(traced: Traced) -> None:
    """It has the first batch in hand and keeps it until the last letter is sent."""
    traced.receiver.answering.clear()
    with traced.recording() as town:
        town.give()
        traced.receiver.wait_for(lambda: bool(traced.receiver.posts))
        assert town.hear_of_success().status_code == ACCEPTED
        town.relay()
        town.work()
        town.make_public()
        town.relay()
        town.work()
        assert len(town.mailer.sent) == 1
        traced.receiver.answering.set()
