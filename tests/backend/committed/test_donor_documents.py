"""Receipts, proofs and statements that a donor asks for on their page: made by the worker, sealed, and gone after an hour."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from celery import Celery
from sqlalchemy import select

from amply.adapters import sqs
from amply.entrypoints import scheduler, worker
from amply.infra import outbox
from amply.kernel.money import Money
from amply.modules import giving, ledger, recurring
from amply.modules.donations import void_receipt
from amply.modules.donations.models import DonationRow
from amply.modules.receipts import Jurisdiction
from ledger_format.receipts import decode_receipt, verify_receipt
from tests.backend.api_world import assert_problem
from tests.backend.conftest import Databases
from tests.backend.giving_world import ADA, EVE, DonorsPage
from tests.backend.ledger_world import LedgerWorld
from tests.backend.personal_data import found_in
from tests.backend.plan_world import KEY
from tests.backend.unit.receipt_samples import HOME
from tests.backend.unit.test_receipt_paper import text_of
from tests.backend.world import NOW


@pytest.fixture
def page(books: LedgerWorld, databases: Databases) -> Iterator[DonorsPage]:
    own = databases.as_role("amply_api")
    made = DonorsPage(books, own)
    with made.client:
        yield made
    own.close()


def wanted(page: DonorsPage, kind: str) -> dict[str, str]:
    (gift,) = page.gifts()
    named = {"kind": kind, "donation_id": gift["id"]}
    return {**named, "receipt_id": gift["receipts"][0]["id"]} if kind == "receipt" else named


def test_a_receipt_and_its_proof_are_those_of_the_letter(page: DonorsPage) -> None:
    page.issues_in(Jurisdiction.US)
    page.gives(10_000, "USD")
    page.publish_and_send()
    (letter,) = page.mailer.sent
    sent = {attachment.filename: attachment.content for attachment in letter.attachments}

    assert dict(page.fetches(wanted(page, kind)) for kind in ("receipt", "proof")) == sent
    _, proof = page.fetches(wanted(page, "proof"))
    verified = verify_receipt(decode_receipt(proof), [page.world.verifier])
    assert verified.opened["donor_name"] == "Ada"


def test_a_void_receipt_says_so(page: DonorsPage) -> None:
    page.issues_in(Jurisdiction.CA)
    given = page.gives(10_000, "CAD", address=HOME)
    page.publish_and_send()
    with page.database.transaction() as session:
        nothing = Money(minor_units=0, currency="CAD")
        void_receipt(session, donation_id=given, remaining=nothing, now=NOW)

    assert "cancelled" in text_of(page.fetches(wanted(page, "receipt"))[1]).lower()


def test_a_year_is_a_statement_in_the_language_of_the_page(page: DonorsPage) -> None:
    page.gives(10_000)
    page.gives(99_900, donor=EVE)
    name, paper = page.fetches(
        {"kind": "statement", "organization_id": page.organization_id, "year": 2026, "language": "de"}
    )
    assert name == f"statement-{page.organization_id}-2026.pdf"
    assert "Übersicht der Spenden" in text_of(paper)
    assert "999,00" not in text_of(paper)


def test_the_file_is_named_and_kept_by_no_cache(page: DonorsPage) -> None:
    page.gives()
    page.publish_and_send()
    asked = page.ask("documents", wanted(page, "proof")).json()
    assert (asked["state"], asked["filename"]) == ("waiting", None)
    where = f"documents/{asked['id']}/content"
    assert_problem(page.see(where), status=409, code="document_not_ready")
    page.works()
    answer = page.see(where)
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="don_')
    assert answer.headers["Cache-Control"] == "no-store"


def test_asking_starts_the_workers_task(page: DonorsPage) -> None:
    page.gives()
    page.publish_and_send()
    asked = page.ask("documents", wanted(page, "proof")).json()
    facts: list[outbox.Fact] = []
    outbox.relay_batch(page.database, publish=facts.append, now=page.clock())
    (fact,) = (each for each in facts if each.topic == giving.TOPIC_DOCUMENT_REQUESTED)
    task, queue = scheduler.TASKS_OF[fact.topic]
    broker = Celery("donors", broker="memory://", set_as_current=False)
    worker.register(broker, page.worker_parts())
    broker.tasks[task](**fact.payload)

    assert queue == sqs.HIGH
    assert dict(fact.payload) == {"document_id": asked["id"]}, "nothing else travels"
    assert page.see(f"documents/{asked['id']}").json()["state"] == "ready"


def test_what_is_kept_tells_nothing_without_the_key(page: DonorsPage) -> None:
    page.gives()
    page.publish_and_send()
    page.fetches(wanted(page, "proof"))
    (row,) = page.rows("donor_document")
    assert (
        found_in(bytes(row.sealed), {"name": "Ada\n", "address": "ada@example.org", "head": "c2sp.org/"})
        == []
    )


def test_what_was_sealed_with_a_former_key_is_asked_for_again(page: DonorsPage) -> None:
    page.gives()
    page.publish_and_send()
    asked = page.ask("documents", wanted(page, "proof")).json()
    giving.make_documents(page.sending, recurring.LinkKey(b"o" * 43), now=page.clock())
    answer = page.see(f"documents/{asked['id']}/content")
    assert_problem(answer, status=404, code="document_not_found")


def test_a_document_is_its_donors_alone_and_for_an_hour(page: DonorsPage) -> None:
    page.gives()
    page.publish_and_send()
    asked = page.ask("documents", wanted(page, "proof")).json()
    page.works()
    eve = page.link("e" * 64)
    for path in (f"documents/{asked['id']}", f"documents/{asked['id']}/content"):
        assert_problem(page.see(path, token=eve), status=404, code="document_not_found")
    page.clock.advance(hours=1)
    assert page.see(f"documents/{asked['id']}").status_code == 404
    page.works()
    assert page.rows("donor_document") == []


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({"kind": "receipt", "donation_id": "don_0"}, "document_not_acceptable", "receipt_id"),
        ({"kind": "proof"}, "document_not_acceptable", "donation_id"),
        ({"kind": "statement", "organization_id": "org_0"}, "document_not_acceptable", "year"),
        ({"kind": "cheque"}, "invalid_request", "kind"),
    ],
)
def test_what_is_no_document_is_refused(
    page: DonorsPage, body: dict[str, str], code: str, param: str
) -> None:
    answer = page.ask("documents", body)
    assert (answer.status_code, answer.json()["code"], answer.json()["param"]) == (422, code, param)


def test_what_cannot_be_had_is_said_at_once(page: DonorsPage) -> None:
    given = page.gives()
    for body in (
        {"kind": "receipt", "donation_id": given, "receipt_id": "rct_0"},
        {"kind": "statement", "organization_id": page.organization_id, "year": 2025},
    ):
        assert page.ask("documents", body).status_code == 404
    assert page.rows("donor_document") == []


def test_a_proof_that_is_not_there_yet_fails_and_can_be_asked_for_again(page: DonorsPage) -> None:
    page.gives()
    asked = page.ask("documents", wanted(page, "proof")).json()
    page.works()
    assert page.see(f"documents/{asked['id']}").json()["state"] == "failed"
    page.make_public()
    assert page.fetches(wanted(page, "proof"))


def test_what_fails_is_made_the_next_time_and_given_up_in_the_end(page: DonorsPage) -> None:
    page.gives()
    page.publish_and_send()
    first = page.ask("documents", wanted(page, "proof")).json()
    # Another commitment key opens nothing: whoever has it cannot make the file.
    broken = replace(page.sending, secrets=ledger.CommitmentSecrets(key=b"x" * 32))
    for _ in range(4):
        giving.make_documents(broken, KEY, now=page.clock())
        assert page.see(f"documents/{first['id']}").json()["state"] == "waiting"
        page.clock.now += timedelta(seconds=31)
    page.works()
    assert page.see(f"documents/{first['id']}").json()["state"] == "ready"

    second = page.ask("documents", wanted(page, "proof")).json()
    for _ in range(5):
        giving.make_documents(broken, KEY, now=page.clock())
        page.clock.now += timedelta(seconds=31)
    assert page.see(f"documents/{second['id']}").json()["state"] == "failed"


def test_an_erasure_while_it_is_made_leaves_nothing(page: DonorsPage) -> None:
    page.gives()
    page.publish_and_send()
    page.ask("documents", wanted(page, "proof"))
    given = page.gifts()[0]["id"]
    with page.database.transaction() as session:
        giving.forget(session, email_sha256=None, donation_id=given)
    page.works()
    assert page.rows("donor_document") == []


def test_the_worker_asks_again_whose_it_is(page: DonorsPage) -> None:
    page.gives()
    page.publish_and_send()
    statement = {"kind": "statement", "organization_id": page.organization_id, "year": 2026}
    asked = [
        page.ask("documents", body).json()
        for body in (wanted(page, "receipt"), wanted(page, "proof"), statement)
    ]
    with page.database.transaction() as session:
        for row in session.scalars(select(DonationRow)):
            row.donor_email = "eve@example.org"
    page.works()
    assert [page.see(f"documents/{each['id']}").json()["state"] for each in asked] == ["failed"] * 3


def test_documents_are_counted_by_their_donor(page: DonorsPage) -> None:
    page.gives()
    page.ask("documents", wanted(page, "proof"))
    assert ("donor_documents", ADA) in page.limiter.counted
