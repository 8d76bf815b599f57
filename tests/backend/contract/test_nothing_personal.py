"""No public byte names a donor, and no line of a log does."""

import base64
import gzip
import json

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

from amply.entrypoints import task_names
from amply.infra.tracing.export import exporting
from amply.modules import sharing
from amply.modules.ledger import exports
from amply.modules.ledger.pages import LoggedEntry
from amply.modules.mail import address_digest
from tests.backend.consent_world import FakeConsents, FakeRaw
from tests.backend.contract.whole_way import EMAIL, NAME, Gifts, unpacked
from tests.backend.personal_data import found_in, spellings
from tests.backend.span_receiver import receiving

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


def test_a_person_is_found_in_every_spelling() -> None:
    secret = {"name": "Zoë Ångström"}
    for prefix in (b"", b"x", b"xy"):
        assert found_in(base64.b64encode(prefix + b'"' + "Zoë Ångström".encode() + b'"zz'), secret) == [
            "name"
        ]
    for content in (
        "Zoë Ångström",
        "ZOË ÅNGSTRÖM",
        "Zo%C3%AB%20%C3%85ngstr%C3%B6m",
        '"Zo\\u00eb \\u00c5ngstr\\u00f6m"',
    ):
        assert found_in(f"<{content}>".encode(), secret) == ["name"]
    assert found_in("Zoë Ångström".encode().hex().encode(), secret) == ["name"]
    assert found_in(b"somebody else", secret) == []
    assert all(len(spelled) >= 4 for spelled in spellings("Zoë "))


def test_a_person_is_found_in_an_exported_parquet_file() -> None:
    """The file's own bytes hide a name that stands in them: without unpacking, the search below finds nothing ever."""
    others = [
        f"m {index * 7_919 % 1_000} entered twice, put right by hand {index**2}" for index in range(500)
    ]
    reasons = ["a", *others, f"m entered twice for {NAME}", "z"]
    file = b"".join(exports.parquet_file([[_entry(index, reason) for index, reason in enumerate(reasons)]]))
    secret = {"name": NAME, "surname": "Þórðardóttir"}
    assert found_in(file, secret) == []
    assert found_in(unpacked(file), secret) == ["name", "surname"]


def _entry(index: int, reason: str) -> LoggedEntry:
    leaf = {
        "id": f"ent_{index}",
        "kind": "correction",
        "ts": "2026-11-26T10:00:00Z",
        "reason": reason,
        "transfers": [{"d": "a", "c": "b", "cur": "EUR", "amt": "1"}],
    }
    return LoggedEntry(index=index, sequence=index, leaf_hash=b"", leaf=leaf, checkpoint_size=1_000)


def test_no_public_byte_names_a_donor_or_leads_to_one(gifts: Gifts) -> None:
    platform = gifts.platform
    looked_at = [*platform.public_objects(), *platform.public_answers()]
    everybody = {**gifts.secrets, **{f"other {name}": value for name, value in gifts.others.items()}}
    assert [(where, found) for where, content in looked_at if (found := found_in(content, everybody))] == []
    names = " ".join(where for where, _ in looked_at)
    for expected in (
        "log/checkpoint",
        "log/tile/entries/000.p/",
        "checkpoints/",
        "/ledger/export?format=parquet unpacked",
    ):
        assert expected in names, expected
    assert platform.value("SELECT count(*) FROM leaf") == 4


def test_the_log_lines_hold_ids_and_nobodys_name(gifts: Gifts) -> None:
    written = json.dumps(gifts.platform.lines, default=str).encode()
    personal = ("name", "surname", "email", "message", "company", "honouree", "told", "told at")
    told = found_in(written, {name: gifts.secrets[name] for name in personal})
    assert told == []
    assert gifts.platform.lines


IN_THE_CLEAR: dict[str, str] = {}
"""Tables that hold something of a donor's in the clear, and why (docs/personal-data.md): none does."""


def test_no_table_names_a_donor(gifts: Gifts) -> None:
    """One that had a reason to, and has none any more, fails too."""
    personal = ("name", "surname", "email", "message", "company", "honouree", "told", "told at")
    secrets = {name: gifts.secrets[name] for name in personal} | {
        "digest": address_digest(EMAIL),
        "digest of who was told": address_digest(gifts.secrets["told at"]),
    }
    found = {
        table: names for table, content in gifts.platform.dump() if (names := found_in(content, secrets))
    }
    assert found.keys() == IN_THE_CLEAR.keys(), found
    written = {table for table, content in gifts.platform.dump() if content}
    assert {"dedication", "receipt_facts", "issued_receipt"} <= written, "it was there to be found"


def test_neither_the_cache_nor_any_object_names_a_donor(gifts: Gifts) -> None:
    personal = ("name", "surname", "email", "message", "company", "honouree", "told", "told at")
    secrets = {name: gifts.secrets[name] for name in personal} | {"digest": address_digest(EMAIL)}
    looked_at = [*gifts.platform.cached(), *gifts.platform.public_objects()]
    assert [(where, found) for where, content in looked_at if (found := found_in(content, secrets))] == []
    assert list(gifts.platform.cached()), "the cache was looked into and held something"


def test_nothing_that_the_lake_is_told_names_a_donor_or_leads_to_one(gifts: Gifts) -> None:
    (span_id,) = (row.id for row in gifts.platform.rows("SELECT id FROM sharing_span"))
    ours = {"digest": address_digest(EMAIL), "span": span_id, "organization": gifts.platform.organization_id}
    everybody = {**gifts.secrets, **gifts.others, **ours}
    consents, raw = FakeConsents(), FakeRaw()
    lake = sharing.SharingDependencies(database=gifts.platform.books.app, consents=consents, files=raw)
    sharing.tell_consents(lake, now=gifts.platform.clock())
    sharing.write_facts(lake, now=gifts.platform.clock())
    told = [str(consents.items).encode(), *(path.encode() + unpacked(raw.files[path]) for path in raw.files)]
    assert [found for content in told if (found := found_in(content, everybody))] == []
    assert len(consents.items) == 1
    assert len(raw.rows()) == 1, "of the one who ticked"


def test_no_message_of_a_queue_names_a_donor(gifts: Gifts) -> None:
    """Nor by the key of a request or an address's digest: whoever reads queues learns our ids, and the event's."""
    leading = ("donation", "payment", "events", "later event", "intent", "charge")
    secrets = {name: value for name, value in gifts.secrets.items() if not name.startswith(leading)}
    secrets |= {"digest": address_digest(EMAIL)}
    sent = list(gifts.platform.sent())
    assert [(task, found) for task, content in sent if (found := found_in(content, secrets))] == []
    tasks = [task for task, _ in sent]
    assert tasks.count(task_names.HANDLE_PROVIDER_EVENT) == 3
    assert task_names.SEND_DUE_RECEIPTS in tasks
    everything = b"".join(content for _, content in sent)
    assert b"evt_" in everything, "the layers were read"


def test_no_span_names_a_donor(request: pytest.FixtureRequest) -> None:
    """The fixtures' gifts are recorded: they are taken once somebody receives the spans."""
    with receiving() as receiver:
        exporter = OTLPSpanExporter(endpoint=receiver.url, timeout=30)
        recorded = exporting(
            exporter, service="way", environment="tests", share_of_reads=1.0, statement_seconds_min=0.0
        )
        with recorded:
            gifts: Gifts = request.getfixturevalue("gifts")
            assert list(gifts.platform.public_answers())
    leading = ("donation", "payment", "events", "later event")
    secrets = {name: value for name, value in gifts.secrets.items() if not name.startswith(leading)}
    secrets |= {"digest": address_digest(EMAIL)}
    bodies = [
        gzip.decompress(post.body) if post.headers.get("Content-Encoding") == "gzip" else post.body
        for post in receiver.posts
    ]
    assert [found for body in bodies if (found := found_in(body, secrets))] == []
    names = {span.name for span in receiver.spans}
    assert {"POST /v1/donations", "POST /v1/webhooks/stripe", "WITH donation"} <= names, sorted(names)
