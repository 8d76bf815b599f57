"""Gifts end to end: HTTP API, signed events, PostgreSQL, real cache, emulated S3 with a locked archive."""

import base64
import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import redis
import structlog
from click.testing import CliRunner
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import text

from amply.adapters import sqs
from amply.adapters.s3 import S3Archive, S3PublicLog
from amply.adapters.stripe import StripeEventVerifier
from amply.entrypoints import application
from amply.entrypoints.admin import main as admin
from amply.entrypoints.scheduler import TASKS_OF
from amply.infra import outbox
from amply.infra.cache import cache_client
from amply.infra.counters import CacheCounters
from amply.infra.rate_limits import CacheLimiter
from amply.infra.settings import CacheSettings, CommitmentSettings, QueueSettings
from amply.modules import defence, donations, ledger, payments, sharing
from ledger_format.merkle import leaf_hash
from local_cloud import valkey
from tests.backend.conftest import PASSWORD, Databases, environment_of
from tests.backend.contract.test_ledger_outside import bucket
from tests.backend.contract.test_queues_and_mail import queue_url
from tests.backend.fake_method_cloning import FakeMethodCloning
from tests.backend.ledger_world import LedgerWorld
from tests.backend.unit.test_stripe_signatures import SECRET, signed
from tests.backend.world import NOW, FakeClock, FakeMailer, FakeProcessor, ready_organization
from tests.ports import free_port

COMMITMENT_KEY = "for-tests-0123456789-0123456789-0123456789-0123"
PEOPLE_KEY = "for-tests-people-0123456789-0123456789-0123456789"
NAME = 'Zoë "Ångström" \\ Þórðardóttir 山田'
EMAIL = "Zoe.Thordardottir+gifts@donor-of-the-test.org"
MESSAGE = "In memory of Gróa á Bakka; <b>she</b> knew & laughed"
IDEMPOTENCY_KEY = "key-of-zoe-thordardottir"
INTENT, CHARGE, EVENTS = (
    "pi_3QzoeThordardottirIntent",
    "ch_3QzoeThordardottirCharge",
    ("evt_1QzoeThordardottirSucceeded", "evt_1QzoeThordardottirUpdated"),
)
COMPANY = "Þórðardóttir Fish & Sons ehf."
HONOUREE, TOLD_NAME, TOLD_EMAIL = "Gróa Grímsdóttir", "Ásta Þorvaldsdóttir", "asta@told-of-the-gift.org"
OTHER_INTENT = "pi_3QsomebodyElseIntentXyz"
OTHER_NAME, OTHER_EMAIL = "Somebody Else Entirely", "somebody.else@another-donor.org"


def unpacked(parquet: bytes) -> bytes:
    """All that a Parquet file says, as JSON: its pages are compressed, so its bytes hide what stands in them."""
    file = pq.ParquetFile(pa.BufferReader(parquet))
    rows = json.dumps(file.read().to_pylist(), default=str).encode()
    more = [piece for pair in (file.metadata.metadata or {}).items() for piece in pair]
    return b"\n".join((rows, str(file.schema_arrow).encode(), *more))


class NamingProcessor(FakeProcessor):
    """A processor whose ids are as long as real ones, so that finding one means something."""

    def create_intent(self, **asked: Any) -> payments.Intent:
        intent = super().create_intent(**asked)
        number = int(intent.remote_id.removeprefix("pi_"))
        remote_id = (INTENT, OTHER_INTENT, f"{OTHER_INTENT}{number}")[min(number, 2)]
        self.payment_of[remote_id] = asked["payment_id"]
        return payments.Intent(remote_id=remote_id, client_secret=f"{remote_id}_secret_{remote_id[5:12]}")


@dataclass
class Platform:
    """Everything between a donor's browser and the public log."""

    books: LedgerWorld
    databases: Databases
    client: TestClient
    cache: redis.Redis
    buckets: tuple[str, str]
    processor: NamingProcessor
    clock: FakeClock
    organization_id: str
    queues: QueueSettings
    mailer: FakeMailer = field(default_factory=FakeMailer)
    lines: list[dict[str, Any]] = field(default_factory=list)

    def give(self, *, name: str, email: str, key: str, **said: object) -> str:
        body: dict[str, Any] = {
            "organization_id": self.organization_id,
            "amount": {"minor_units": "2500", "currency": "EUR"},
            "donor": {"name": name, "email": email},
            **said,
        }
        created = self.client.post("/v1/donations", json=body, headers={"Idempotency-Key": key})
        assert created.status_code == 201, created.text
        donation_id: str = created.json()["id"]
        return donation_id

    def deliver(self, event_id: str, event_type: str, thing: dict[str, Any]) -> None:
        """Stripe's event with all that Stripe puts in, signed, over HTTP; then the worker's turn."""
        account = self.value("SELECT account_id FROM processor_account")
        payload = json.dumps(
            {
                "id": event_id,
                "type": event_type,
                "account": account,
                "livemode": False,
                "created": int(NOW.timestamp()),
                "data": {"object": thing},
            }
        ).encode()
        taken = self.client.post(
            "/v1/webhooks/stripe",
            content=payload,
            headers={"Stripe-Signature": signed(payload, at=self.clock())},
        )
        assert taken.status_code == 202, taken.text
        handling = donations.EventDependencies(
            database=self.books.app, processor=self.processor, secrets=self.books.secrets
        )
        donations.handle_provider_event(handling, event_id=event_id, now=self.clock())

    def intent(self, intent_id: str, **more: Any) -> dict[str, Any]:
        payment_id = self.processor.payment_of[intent_id]
        return {
            "object": "payment_intent",
            "id": intent_id,
            "metadata": {"amply_payment_id": payment_id, "amply_donation_id": "don_of_the_metadata"},
            "receipt_email": EMAIL,
            "shipping": {"name": NAME},
            **more,
        }

    def charge(self) -> dict[str, Any]:
        return self.intent(INTENT, object="charge", payment_intent=INTENT) | {"id": CHARGE}

    def publish(self) -> None:
        """Everything that follows by itself: relayed, sequenced, published, summed, written to donors."""
        self.relay()
        self.books.sequence()
        self.books.publish()
        self.relay()
        ledger.fold_days(self.books.app)
        sending = donations.ReceiptDependencies(
            database=self.books.app,
            mailer=self.mailer,
            secrets=self.books.secrets,
            ledger_page="https://edge.example/ledger/",
        )
        donations.send_due_receipts(sending, now=self.clock())

    def relay(self) -> None:
        """What facts say goes onto the queues; what is done about it is done here, by hand."""
        sender = sqs.TaskSender(sqs.application(self.queues), tasks_of=TASKS_OF)
        outbox.relay_batch(self.books.app, publish=sender.publish, now=self.clock())

    def rows(self, statement: str) -> list[Any]:
        with self.books.app.transaction() as session:
            return list(session.execute(text(statement)))

    def value(self, statement: str) -> Any:
        return self.rows(statement)[0][0]

    def erase(self, *arguments: str) -> dict[str, Any]:
        """As an operator types it."""
        return self.command("erase", "donor", *arguments)

    def command(self, *words: str, database: str | None = None) -> dict[str, Any]:
        """A command where the worker's settings are, in the platform's database or in another one."""
        settings = self.databases.server.settings(name=database or self.databases.name, user="amply_app")
        environment = {
            **environment_of(settings),
            # A restore reaches the database, and not the trees: they are as they are now.
            "AMPLY_KEY_TREE_BUCKET": self.databases.name,
            "AMPLY_COMMITMENT_KEY": COMMITMENT_KEY,
            "AMPLY_PEOPLE_KEY": PEOPLE_KEY,
            "AMPLY_ARCHIVE_BUCKET": self.buckets[1],
        }
        done = CliRunner().invoke(admin, words, env=environment)
        assert done.exit_code == 0, done.output + str(done.exception)
        answer = next(line for line in done.stdout.splitlines() if line.startswith(('{"id"', '{"noted"')))
        told: dict[str, Any] = json.loads(answer)
        return told

    # ---- what can be looked at -------------------------------------------------------------------------------

    def public_objects(self) -> Iterator[tuple[str, bytes]]:
        """Every version of every object of the public bucket and the archive, with its name."""
        s3 = boto3.client("s3")
        for name in self.buckets:
            for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
                for version in page.get("Versions", []):
                    got = s3.get_object(Bucket=name, Key=version["Key"], VersionId=version["VersionId"])
                    yield (
                        f"{name}/{version['Key']}",
                        got["Body"].read() + json.dumps(got["Metadata"]).encode(),
                    )

    def public_answers(self) -> Iterator[tuple[str, bytes]]:
        """What any stranger is told, headers included: pages, sums, files, places, listings."""
        entry_ids = [row.entry_id for row in self.rows("SELECT entry_id FROM leaf ORDER BY idx")]
        root = f"/v1/public/organisations/{self.organization_id}"
        hashed = leaf_hash(self.books.leaves()[0]).hex()
        paths = [
            *("/v1/public/organisations", root, f"{root}/ledger", f"{root}/ledger?limit=1"),
            *(f"{root}/ledger?kind=donation.succeeded", f"{root}/ledger/days", f"{root}/ledger/totals"),
            *(f"{root}/ledger/export?format={kind}" for kind in ("csv", "jsonl", "parquet")),
            *(f"/v1/public/entries/{entry_id}" for entry_id in entry_ids),
            *(f"/v1/public/log/search?leaf_hash={hashed}", "/v1/public/log/freshness"),
            *("/openapi.json", "/health/ready"),
        ]
        for path in paths:
            answer = self.client.get(path)
            assert answer.status_code == 200, (path, answer.text)
            yield path, answer.content + str(dict(answer.headers)).encode()
            if "format=parquet" in path:
                yield f"{path} unpacked", unpacked(answer.content)

    def dump(self, *, database: str | None = None) -> Iterator[tuple[str, bytes]]:
        """Every row of every table as the database writes it out, for the owner of everything."""
        with psycopg.connect(
            self.databases.server.running.cluster.url, dbname=database or self.databases.name
        ) as connection:
            tables = connection.execute(
                "SELECT table_schema, table_name FROM information_schema.tables "
                "WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')"
            ).fetchall()
            assert len(tables) > 20
            for schema, table in tables:
                statement = f'COPY "{schema}"."{table}" TO STDOUT'
                with connection.cursor().copy(statement.encode()) as copied:
                    yield table, b"".join(bytes(piece) for piece in copied)

    def sent(self) -> Iterator[tuple[str, bytes]]:
        """Every message of every queue as it was sent, and what its layers say. It stays there: nothing is taken away."""
        client = boto3.client("sqs")
        for url in (self.queues.high_url, self.queues.low_url):
            while found := client.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
            ).get("Messages", []):
                for message in found:
                    outer = base64.b64decode(message["Body"])
                    inner = base64.b64decode(json.loads(outer)["body"])
                    said = json.dumps(message.get("MessageAttributes", {}), default=str).encode()
                    yield json.loads(outer)["headers"]["task"], b"\n".join((outer, inner, said))

    def cached(self) -> Iterator[tuple[str, bytes]]:
        """Every key of the cache with all it holds."""
        for key in self.cache.scan_iter():
            yield str(key), key + (self.cache.dump(key) or b"")


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[CacheSettings]:
    port = free_port()
    written = valkey.write_settings(tmp_path / "valkey.conf", port=port, password=PASSWORD)
    command = [str(valkey.binary("valkey-server")), str(written)]
    with (tmp_path / "valkey.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log)
    yield CacheSettings(host="127.0.0.1", port=port, tls=False, password=SecretStr(PASSWORD))
    server.terminate()
    server.wait(timeout=30)


@pytest.fixture
def platform(
    books: LedgerWorld,
    databases: Databases,
    cloud: str,  # noqa: ARG001 -- the buckets below are its
    cache: CacheSettings,
) -> Iterator[Platform]:
    buckets = (bucket(), bucket(locked=True))
    books.public_log = S3PublicLog(bucket=buckets[0])  # type: ignore[assignment] # the real one, for the fake
    books.archive = S3Archive(bucket=buckets[1])  # type: ignore[assignment] # the same
    books.secrets = ledger.CommitmentSecrets.from_settings(
        CommitmentSettings(commitment_key=SecretStr(COMMITMENT_KEY))
    )
    processor, clock, own = NamingProcessor(), FakeClock(), databases.as_role("amply_api")
    parts = application.Parts(
        database=own,
        processor=processor,
        method_cloning=FakeMethodCloning(),
        verifier=StripeEventVerifier(SECRET),
        limiter=CacheLimiter(cache_client(cache)),
        gate=defence.gate(own, CacheCounters(cache)),
        clock=clock,
        livemode=False,
        log_url="http://edge.example/log",
        allowed_origins=("http://edge.example",),
        client_address_header="",
        consents=sharing.Ticks(),
    )
    opened = redis.Redis(host=cache.host, port=cache.port, password=PASSWORD)
    _wait_for(opened)
    with structlog.testing.capture_logs() as lines, TestClient(application.create(parts)) as client:
        yield Platform(
            books=books,
            databases=databases,
            client=client,
            cache=opened,
            buckets=buckets,
            processor=processor,
            clock=clock,
            organization_id=ready_organization(books.app, processor),
            queues=QueueSettings(high_url=queue_url("high"), low_url=queue_url("low")),
            lines=lines,  # type: ignore[arg-type] # structlog's own mutable mappings
        )
    opened.close()
    own.close()


def _wait_for(cache: redis.Redis) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            cache.ping()
        except redis.ConnectionError:
            assert time.monotonic() < deadline, "the cache does not answer"
            time.sleep(0.05)
        else:
            return


@dataclass(frozen=True)
class Gifts:
    """Two donors' gifts that went all the way, and what the first donor's is known by."""

    platform: Platform
    receipt: bytes
    secrets: dict[str, str]
    others: dict[str, str]


@pytest.fixture
def gifts(platform: Platform) -> Gifts:
    donation_id = platform.give(
        name=NAME,
        email=EMAIL,
        key=IDEMPOTENCY_KEY,
        message=MESSAGE,
        company={"name": COMPANY},
        dedication={
            "kind": "in_memory_of",
            "honouree": HONOUREE,
            "notify": {"name": TOLD_NAME, "email": TOLD_EMAIL},
        },
        data_sharing={"purpose": "analytics", "wording": "1"},
    )
    payment_id = platform.value("SELECT id FROM payment")
    platform.deliver(EVENTS[0], "payment_intent.succeeded", platform.intent(INTENT))
    platform.deliver(EVENTS[1], "charge.updated", platform.charge())
    other_id = platform.give(name=OTHER_NAME, email=OTHER_EMAIL, key="key-of-somebody")
    platform.deliver("evt_1Qsomebody", "payment_intent.succeeded", platform.intent(OTHER_INTENT))
    platform.publish()
    receipts = {mail.to: mail.attachments[0].content for mail in platform.mailer.sent}
    assert set(receipts) == {EMAIL, OTHER_EMAIL}
    secrets = {
        "name": NAME,
        "first name": "Zoë ",
        "surname": "Þórðardóttir",
        "email": EMAIL,
        "mailbox": EMAIL.partition("@")[0],
        "host": EMAIL.partition("@")[2],
        "message": MESSAGE,
        "company": COMPANY,
        "honouree": HONOUREE,
        "told": TOLD_NAME,
        "told at": TOLD_EMAIL,
        "idempotency key": IDEMPOTENCY_KEY,
        "intent": INTENT,
        "charge": CHARGE,
        "events": EVENTS[0],
        "later event": EVENTS[1],
        "donation": donation_id,
        "payment": payment_id,
        "donation's id bare": donation_id.removeprefix("don_"),
        "payment's id bare": payment_id.removeprefix("pay_"),
        "intent's id bare": INTENT.removeprefix("pi_"),
    }
    others = {"name": OTHER_NAME, "email": OTHER_EMAIL, "intent": OTHER_INTENT, "donation": other_id}
    return Gifts(platform=platform, receipt=receipts[EMAIL], secrets=secrets, others=others)
