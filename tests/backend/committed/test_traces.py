"""What is recorded of a gift: one story from the request to the receipt, nothing personal, and no gift waits for it."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import structlog
from celery import Celery
from fastapi.testclient import TestClient
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.trace import SpanKind
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from amply.adapters import sqs
from amply.adapters.stripe import StripeEventVerifier
from amply.entrypoints import application, worker
from amply.entrypoints.scheduler import TASKS_OF
from amply.infra import outbox, tracing
from amply.infra.logging import add_trace_id
from amply.infra.tracing.export import SPANS_LOST, exporting
from amply.infra.tracing.statements import OTHER_STATEMENTS
from amply.modules import ledger, webhooks
from amply.modules.donations import EventHandling, ReceiptSending
from tests.backend.conftest import Databases, free_port
from tests.backend.ledger_world import LedgerWorld
from tests.backend.span_receiver import Received, Receiver, receiving
from tests.backend.unit.test_stripe_signatures import SECRET, body, signed
from tests.backend.world import FakeClock, FakeMailer, FakeProcessor, NoLimit, ready_organization

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

CREATED, ACCEPTED = 201, 202
PERSONAL = {
    "name": "Zoe Angstrom",
    "email": "zoe.angstrom@example.org",
    "message": "for my late father",
    "key": "key-of-zoe",
    "secret": "pi_0_secret_x",
    "address": "203.0.113.77",
    "agent": "Browser of Zoe",
    "query": "zoes-secret-token",
}


class Town:
    """API, scheduler and worker in one process, over one database and one broker in memory."""

    def __init__(self, books: LedgerWorld, databases: Databases) -> None:
        self.books = books
        self.processor = FakeProcessor()
        self.mailer = FakeMailer()
        self.clock = FakeClock()
        self.organization_id = ready_organization(books.app, self.processor)
        self.own = databases.as_role("amply_api")
        self.client = TestClient(application.create(self._parts()), raise_server_exceptions=False)
        self.broker = Celery("town", broker="memory://", set_as_current=False)
        secrets = ledger.CommitmentSecrets(key=bytes(32))
        worker.register(
            self.broker,
            worker.Parts(
                events=EventHandling(database=books.app, processor=self.processor, secrets=secrets),
                receipts=ReceiptSending(
                    database=books.app, mailer=self.mailer, secrets=secrets, ledger_page="https://e.example/"
                ),
                clock=self.clock,
            ),
        )
        self.sender = sqs.TaskSender(self.broker, tasks_of=TASKS_OF)

    def _parts(self) -> application.Parts:
        return application.Parts(
            database=self.own,
            processor=self.processor,
            verifier=StripeEventVerifier(SECRET),
            limiter=NoLimit(),
            clock=self.clock,
            livemode=False,
            log_url="http://edge.example/log",
            allowed_origins=(),
            client_address_header="X-Amply-Client",
        )

    def give(self, *, headers: dict[str, str] | None = None, donor: object = None) -> Any:
        asked = {
            "organization_id": self.organization_id,
            "amount": {"minor_units": "2500", "currency": "EUR"},
            "donor": donor or {"name": PERSONAL["name"], "email": PERSONAL["email"]},
            "message": PERSONAL["message"],
        }
        told = {
            "Idempotency-Key": PERSONAL["key"],
            "X-Amply-Client": PERSONAL["address"],
            "User-Agent": PERSONAL["agent"],
        }
        return self.client.post(
            f"/v1/donations?token={PERSONAL['query']}", json=asked, headers={**told, **(headers or {})}
        )

    def hear_of_success(self) -> Any:
        """The processor's event, as it arrives at the API."""
        (payment,) = self.rows("payment")
        intent = {"id": "pi_0", "metadata": {"amply_payment_id": payment.id}}
        payload = body(account=payment.account_id, data={"object": intent})
        headers = {"Stripe-Signature": signed(payload, at=self.clock())}
        return self.client.post("/v1/webhooks/stripe", content=payload, headers=headers)

    def relay(self) -> None:
        outbox.relay_batch(self.books.app, publish=self.sender.publish, now=self.clock())

    def work(self) -> None:
        """Do what the two queues hold, with the headers each message came with."""
        for name in (sqs.HIGH, sqs.LOW):
            with self.broker.connection_for_read() as connection, connection.SimpleQueue(name) as queue:
                while len(queue):
                    message = queue.get(block=False)
                    message.ack()
                    _, arguments, _ = json.loads(message.body)
                    task = self.broker.tasks[message.headers["task"]]
                    task.apply(kwargs=arguments, headers=dict(message.headers), throw=True)

    def fail(self) -> None:
        """A statement that PostgreSQL refuses, quoting the row, inside something recorded."""
        (payment,) = self.rows("payment")
        with (
            tracing.continued("fails", traceparent=payment.traceparent, kind=SpanKind.INTERNAL),
            self.books.app.transaction() as session,
        ):
            session.execute(text("UPDATE donation SET id = NULL, donor_name = :name"), PERSONAL)

    def lose_connection(self) -> None:
        (payment,) = self.rows("payment")
        with (
            tracing.continued("loses", traceparent=payment.traceparent, kind=SpanKind.INTERNAL),
            self.books.app.transaction() as session,
        ):
            session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    def make_public(self) -> None:
        self.books.sequence()
        assert self.books.publish() is not None

    def rows(self, table: str) -> list[Any]:
        with self.books.app.transaction() as session:
            return list(session.execute(text(f"SELECT * FROM {table}")))  # noqa: S608 -- the test's own table names

    def tell_whole_story(self) -> None:
        """From the donor's request to the letter."""
        assert self.give().status_code == CREATED
        assert self.hear_of_success().status_code == ACCEPTED
        self.relay()
        self.work()
        self.make_public()
        self.relay()
        self.work()
        assert len(self.mailer.sent) == 1


@dataclass
class Watched:
    """A town whose spans arrive at `receiver` once `recording` has ended."""

    receiver: Receiver
    open_town: Callable[[], AbstractContextManager[Town]]

    @contextmanager
    def recording(
        self, *, share_of_reads: float = 1.0, statement_seconds_min: float = 0.0, url: str | None = None
    ) -> Iterator[Town]:
        recorded = exporting(
            OTLPSpanExporter(endpoint=url or self.receiver.url, timeout=1),
            service="town",
            environment="tests",
            share_of_reads=share_of_reads,
            statement_seconds_min=statement_seconds_min,
        )
        with recorded, self.open_town() as town:
            yield town


@pytest.fixture
def watched(books: LedgerWorld, databases: Databases) -> Iterator[Watched]:
    @contextmanager
    def open_town() -> Iterator[Town]:
        town = Town(books, databases)
        with town.client:
            yield town
        town.own.close()

    with receiving() as receiver:
        yield Watched(receiver, open_town)


def root_of(story: list[Received]) -> Received:
    """The one span all others hang on, each by a parent that is there too."""
    known = {span.span_id for span in story}
    roots = [span for span in story if not span.parent_id]
    assert len(roots) == 1, [span.name for span in roots]
    assert [span.name for span in story if span.parent_id and span.parent_id not in known] == []
    return roots[0]


def test_from_request_to_receipt_a_gift_is_two_traces_that_lead_to_each_other(watched: Watched) -> None:
    with watched.recording() as town:
        town.tell_whole_story()
        (payment,) = town.rows("payment")

    (given,) = watched.receiver.named("POST /v1/donations")
    (booked,) = watched.receiver.named(worker.HANDLE_PROVIDER_EVENT)
    gift, booking = (watched.receiver.story_of(span.trace_id) for span in (given, booked))
    assert root_of(gift).name == "POST /v1/donations"
    assert root_of(booking).name == "POST /v1/webhooks/stripe"
    steps = {"publish provider_event.received", worker.HANDLE_PROVIDER_EVENT, "WITH entry", "send receipt"}
    assert steps <= {span.name for span in booking}
    assert booked.links, "the booking leads to the request"
    assert {trace for trace, _ in booked.links} == {given.trace_id}
    for span in (given, booked):
        assert span.attributes["amply.payment_id"] == payment.id


def test_only_what_begins_with_a_request_is_recorded(watched: Watched) -> None:
    with watched.recording() as town:
        town.give()
        town.relay()
        town.sender.send(worker.SEND_DUE_RECEIPTS, queue=sqs.LOW, arguments={})
        town.work()
        town.rows("donation")
        town.client.get("/health/ready")

    assert {span.name for span in watched.receiver.spans if not span.parent_id} == {"POST /v1/donations"}


@pytest.mark.parametrize(("share", "recorded"), [(0.0, set()), (1.0, {"GET /v1/donations/{donation_id}"})])
def test_reads_are_recorded_by_their_share_and_gifts_always(
    watched: Watched, share: float, recorded: set[str]
) -> None:
    with watched.recording(share_of_reads=share) as town:
        donation_id = town.give().json()["id"]
        town.client.get(f"/v1/donations/{donation_id}")

    roots = {span.name for span in watched.receiver.spans if not span.parent_id}
    assert roots == {"POST /v1/donations", *recorded}


def test_nothing_personal_leaves(watched: Watched) -> None:
    with watched.recording() as town:
        town.tell_whole_story()
        town.give(donor={"name": PERSONAL["name"], "email": "no address", "extra": PERSONAL["email"]})
        town.client.get(f"/v1/donations/don_x?email={PERSONAL['email']}")
        town.client.get(f"/{PERSONAL['query']}", headers={"Host": f"{PERSONAL['query']}.example"})
        with pytest.raises(DBAPIError):
            town.fail()

    assert watched.receiver.named("fails")[0].failed
    everything = [span.said for span in watched.receiver.spans]
    assert len(everything) > 40
    for what, value in PERSONAL.items():
        assert not any(value in said for said in everything), what
        assert not any(value.encode() in post.body for post in watched.receiver.posts), what


def test_a_failure_says_of_what_kind_and_no_more(watched: Watched) -> None:
    with watched.recording() as town:
        town.processor.fails = [ConnectionError(PERSONAL["email"])]
        assert town.give().status_code == 500

    (given,) = watched.receiver.named("POST /v1/donations")
    assert given.failed
    assert given.attributes["error.type"] == "ConnectionError"
    assert given.attributes["http.response.status_code"] == 500


def test_of_a_transaction_the_slowest_statement_is_shown_and_the_others_are_counted(watched: Watched) -> None:
    with watched.recording(statement_seconds_min=0.05) as town:
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

    statements = {span.name for span in watched.receiver.spans if "db.system.name" in span.attributes}
    assert statements == {"SELECT payment", "UPDATE donation"}, "the slowest one and the failed one"
    (slow,) = watched.receiver.named("slow")
    (within,) = [span for span in watched.receiver.spans if span.parent_id == slow.span_id]
    assert within.attributes[OTHER_STATEMENTS] == 2


def test_a_connection_that_is_lost_inside_something_recorded_is_not_opened_again(watched: Watched) -> None:
    with watched.recording() as town:
        town.give()
        with pytest.raises(OperationalError, match="terminating connection"):
            town.lose_connection()
        assert town.rows("payment"), "the next one is a new one"

    assert [span.failed for span in watched.receiver.named("SELECT")] == [True]


def test_what_a_caller_can_mend_is_no_failure(watched: Watched) -> None:
    with watched.recording() as town:
        assert town.client.get("/v1/donations/don_x").status_code == 404

    assert not any(span.failed for span in watched.receiver.spans)
    (looked,) = [span for span in watched.receiver.spans if not span.parent_id]
    assert looked.attributes["http.response.status_code"] == 404


def test_strangers_choose_neither_the_trace_nor_whether_it_is_recorded(watched: Watched) -> None:
    chosen = f"00-{'5' * 32}-{'6' * 16}-0"
    with watched.recording() as town:
        town.give(headers={"traceparent": f"{chosen}0", "baggage": f"a={PERSONAL['email']}"})
    with watched.recording(share_of_reads=0.0) as town:
        town.client.get("/v1/donations/don_x", headers={"traceparent": f"{chosen}1"})

    (given,) = [span for span in watched.receiver.spans if not span.parent_id]
    assert given.name == "POST /v1/donations"
    assert given.trace_id != "5" * 32


def test_an_event_that_is_announced_again_stays_in_its_trace(watched: Watched) -> None:
    with watched.recording() as town:
        town.give()
        town.hear_of_success()
        town.clock.advance(minutes=1)
        with town.books.app.transaction() as session:
            assert webhooks.due_again(session, now=town.clock()) == 1
        facts = town.rows("outbox")

    assert len(facts) == 2
    assert {fact.traceparent.split("-")[1] for fact in facts} == {
        watched.receiver.named("POST /v1/webhooks/stripe")[0].trace_id
    }


def test_the_completer_goes_on_with_the_donors_trace(watched: Watched) -> None:
    with watched.recording() as town:
        town.processor.fails = [ConnectionError()]
        town.give()
        town.clock.advance(seconds=61)
        town.sender.send(worker.COMPLETE_STUCK, queue=sqs.LOW, arguments={})
        town.work()

    (completed,) = watched.receiver.named("complete stuck payment")
    assert completed.trace_id == watched.receiver.named("POST /v1/donations")[0].trace_id


def test_a_line_of_the_log_leads_to_its_trace(watched: Watched) -> None:
    with (
        watched.recording(),
        tracing.continued("work", traceparent=f"00-{'a' * 32}-{'b' * 16}-01", kind=SpanKind.CONSUMER),
    ):
        inside = dict(add_trace_id(None, "info", {}))

    assert inside == {"trace_id": "a" * 32}
    assert add_trace_id(None, "info", {}) == {}


def test_where_nothing_is_recorded_rows_remember_nothing(books: LedgerWorld, databases: Databases) -> None:
    town = Town(books, databases)
    with town.client:
        town.tell_whole_story()

    for table in ("payment", "provider_event", "outbox", "receipt"):
        assert {row.traceparent for row in town.rows(table)} == {None}, table
    town.own.close()


def test_a_receiver_that_is_away_costs_spans_and_one_line(watched: Watched) -> None:
    nobody = f"http://127.0.0.1:{free_port()}/v1/traces"
    with structlog.testing.capture_logs() as lines, watched.recording(url=nobody) as town:
        town.tell_whole_story()

    told = [line for line in lines if line["event"] == SPANS_LOST]
    assert len(told) == 1
    assert told[0]["count"] > 20
    assert told[0]["reason"]


def test_a_receiver_that_says_no_is_quoted(watched: Watched) -> None:
    watched.receiver.status = 403
    with structlog.testing.capture_logs() as lines, watched.recording() as town:
        town.tell_whole_story()

    (told,) = [line for line in lines if line["event"] == SPANS_LOST]
    assert "403" in told["reason"]


def test_gifts_do_not_wait_for_a_receiver_that_never_answers(watched: Watched) -> None:
    """It has the first batch in hand and keeps it until the last letter is sent."""
    watched.receiver.answering.clear()
    with watched.recording() as town:
        town.give()
        watched.receiver.wait_for(lambda: bool(watched.receiver.posts))
        assert town.hear_of_success().status_code == ACCEPTED
        town.relay()
        town.work()
        town.make_public()
        town.relay()
        town.work()
        assert len(town.mailer.sent) == 1
        watched.receiver.answering.set()
