"""API, scheduler and worker in one process with a donor, and a receiver for their spans."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from celery import Celery
from fastapi.testclient import TestClient
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.trace import SpanKind
from sqlalchemy import text

from amply.adapters import sqs
from amply.adapters.stripe import StripeEventVerifier
from amply.entrypoints import application, worker
from amply.entrypoints.scheduler import TASKS_OF
from amply.infra import outbox, tracing
from amply.infra.tracing.export import exporting
from amply.modules import ledger
from amply.modules.donations import ReceiptDependencies
from tests.backend.conftest import Databases
from tests.backend.fake_method_cloning import FakeMethodCloning
from tests.backend.ledger_world import LedgerWorld
from tests.backend.span_receiver import Receiver
from tests.backend.unit.test_stripe_signatures import SECRET, body, signed
from tests.backend.worker_parts import worker_parts
from tests.backend.world import (
    FakeClock,
    FakeMailer,
    FakeProcessor,
    NoLimit,
    open_gate,
    ready_organization,
)

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


class InProcessPlatform:
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
            worker_parts(
                ReceiptDependencies(
                    database=books.app, mailer=self.mailer, secrets=secrets, ledger_page="https://e.example/"
                ),
                processor=self.processor,
                clock=self.clock,
            ),
        )
        self.sender = sqs.TaskSender(self.broker, tasks_of=TASKS_OF)

    def _parts(self) -> application.Parts:
        return application.Parts(
            database=self.own,
            processor=self.processor,
            method_cloning=FakeMethodCloning(),
            verifier=StripeEventVerifier(SECRET),
            limiter=NoLimit(),
            gate=open_gate(self.own),
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
            session.execute(text("UPDATE donation SET id = NULL, fund_id = :name"), PERSONAL)

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
class Traced:
    """A town whose spans arrive at `receiver` once `recording` has ended."""

    receiver: Receiver
    open_town: Callable[[], AbstractContextManager[InProcessPlatform]]

    @contextmanager
    def recording(
        self, *, share_of_reads: float = 1.0, statement_seconds_min: float = 0.0, url: str | None = None
    ) -> Iterator[InProcessPlatform]:
        recorded = exporting(
            OTLPSpanExporter(endpoint=url or self.receiver.url, timeout=1 if url else 30),
            service="town",
            environment="tests",
            share_of_reads=share_of_reads,
            statement_seconds_min=statement_seconds_min,
        )
        with recorded, self.open_town() as town:
            yield town
