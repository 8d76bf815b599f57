"""A dispute's life, and warnings of fraud: each movement is booked once, inquiries move nothing, people see them."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from click.testing import CliRunner, Result

from amply.entrypoints.admin import main as admin
from amply.infra.database import Database
from amply.modules import donations, ledger, payments, receipts, webhooks
from amply.modules.donations.models import DonationRow, ReceiptRow
from amply.modules.donations.provider_events.context import GiftNotBookedYet
from amply.modules.donations.receipting import gift_facts
from tests.backend.committed.money_back import DISPUTE, INTENT, REFUND, WARNING, Returns
from tests.backend.committed.test_provider_events import SECRETS
from tests.backend.conftest import Databases
from tests.backend.ledger_world import LedgerWorld
from tests.backend.world import NOW

TYPES = ("created", "updated", "funds_withdrawn", "funds_reinstated", "closed")
UNTOUCHED = {"gifts": 2500, "processor_balance": 2437, "processor_fees": 63}
HELD = {
    "dispute_fees": 1500,
    "dispute_hold": 2500,
    "gifts": 2500,
    "processor_balance": -1563,
    "processor_fees": 63,
}
LOST = {"dispute_fees": 1500, "processor_balance": -1563, "processor_fees": 63}
WON = UNTOUCHED | {"dispute_fees": 1500, "processor_balance": 937}
WITHDRAWN, REINSTATED, REINSTATED_WITH_FEE = (-2500, 1500), (2500, 0), (2500, -1500)


@pytest.fixture
def books(database: Database) -> Returns:
    return Returns(database)


@pytest.mark.parametrize("which", TYPES)
def test_a_dispute_is_booked_whichever_event_tells_of_it(which: str, books: Returns) -> None:
    books.processor.tell_dispute(INTENT, DISPUTE, WITHDRAWN, status="needs_response")

    assert books.news(f"charge.dispute.{which}") == webhooks.Outcome.APPLIED
    assert books.balances() == HELD
    assert books.shown() == ("disputed", 0)


def test_all_events_of_one_dispute_book_each_movement_once(books: Returns) -> None:
    books.processor.tell_dispute(INTENT, DISPUTE, WITHDRAWN, status="needs_response")
    outcomes = [books.news(f"charge.dispute.{which}") for which in TYPES]

    assert outcomes == [webhooks.Outcome.APPLIED, *[webhooks.Outcome.NO_CHANGE] * 4]
    assert books.kinds() == ["dispute.fee", "dispute.opened", "donation.succeeded", "processor.fee"]


def test_a_dispute_that_is_won_gives_the_money_back_and_the_gift_stands(books: Returns) -> None:
    books.processor.tell_dispute(INTENT, DISPUTE, WITHDRAWN, status="needs_response")
    books.news("charge.dispute.created")
    books.processor.tell_dispute(INTENT, DISPUTE, WITHDRAWN, REINSTATED, status="won")

    assert books.news("charge.dispute.funds_reinstated") == webhooks.Outcome.APPLIED
    assert (books.balances(), books.shown()) == (WON, ("succeeded", 0))
    assert books.entry("dispute.won").reverses == books.entry("dispute.opened").id


def test_a_fee_that_is_given_back_is_booked(books: Returns) -> None:
    books.processor.tell_dispute(INTENT, DISPUTE, WITHDRAWN, REINSTATED_WITH_FEE, status="won")
    books.news("charge.dispute.closed")

    assert books.balances() == UNTOUCHED
    assert "dispute.fee_refunded" in books.kinds()


def test_a_dispute_that_is_lost_takes_the_gift(books: Returns) -> None:
    books.processor.tell_dispute(INTENT, DISPUTE, WITHDRAWN, status="under_review")
    books.news("charge.dispute.created")
    books.processor.tell_dispute(INTENT, DISPUTE, WITHDRAWN, status="lost")

    assert books.news("charge.dispute.closed") == webhooks.Outcome.APPLIED
    assert (books.balances(), books.shown()) == (LOST, ("charged_back", 0))
    assert books.news("charge.dispute.updated") == webhooks.Outcome.NO_CHANGE


def test_a_dispute_first_heard_of_when_it_is_lost_is_booked_whole(books: Returns) -> None:
    books.processor.tell_dispute(INTENT, DISPUTE, WITHDRAWN, status="lost")
    books.news("charge.dispute.closed")

    assert (books.balances(), books.shown()) == (LOST, ("charged_back", 0))


def receipts_of(books: Returns) -> list[tuple[int, int, bool]]:
    rows = sorted(books.rows("issued_receipt"), key=lambda row: row.serial)
    return [(row.serial, row.minor_units, row.voided_at is None) for row in rows]


def issue_receipt(books: Returns) -> None:
    with books.database.transaction() as session:
        (row,), (waiting,) = session.query(DonationRow).all(), session.query(ReceiptRow).all()
        receipts.issue(session, gift=gift_facts(session, row, waiting), now=NOW)


def test_a_lost_dispute_voids_the_receipt_and_one_won_after_all_issues_another(books: Returns) -> None:
    issue_receipt(books)
    books.processor.tell_dispute(INTENT, DISPUTE, WITHDRAWN, status="under_review")
    books.news("charge.dispute.created")
    assert receipts_of(books) == [(1, 2500, True)], "open, it takes nothing yet"

    books.processor.tell_dispute(INTENT, DISPUTE, WITHDRAWN, status="lost")
    for told in ("charge.dispute.closed", "charge.dispute.updated"):
        books.news(told)
    assert receipts_of(books) == [(1, 2500, False)]

    books.processor.tell_dispute(INTENT, DISPUTE, WITHDRAWN, REINSTATED, status="won")
    books.news("charge.dispute.funds_reinstated")
    assert receipts_of(books) == [(1, 2500, False), (2, 2500, True)]


def test_a_lost_dispute_and_a_refund_leave_nothing_whichever_is_told_first(books: Returns) -> None:
    issue_receipt(books)
    books.processor.tell_refund(INTENT, REFUND, minor_units=1000)
    books.processor.tell_dispute(INTENT, DISPUTE, (-1500, 1500), status="lost", minor_units=1500)
    books.news("charge.dispute.closed")
    assert receipts_of(books) == [(1, 2500, False), (2, 1000, True)]
    books.news("refund.created")
    assert [valid for *_, valid in receipts_of(books)] == [False, False]


def test_a_dispute_that_is_won_after_it_was_lost_gives_the_gift_back(books: Returns) -> None:
    books.processor.tell_dispute(INTENT, DISPUTE, WITHDRAWN, status="lost")
    books.news("charge.dispute.closed")
    books.processor.tell_dispute(INTENT, DISPUTE, WITHDRAWN, REINSTATED, status="won")
    books.news("charge.dispute.funds_reinstated")

    assert (books.balances(), books.shown()) == (WON, ("succeeded", 0))


def test_one_that_is_won_and_lost_in_the_end_is_lost_once(books: Returns) -> None:
    moved: list[tuple[int, int]] = []
    for movement, status in ((WITHDRAWN, "lost"), (REINSTATED, "won"), ((-2500, 0), "lost")):
        moved.append(movement)
        books.processor.tell_dispute(INTENT, DISPUTE, *moved, status=status)
        books.news("charge.dispute.updated")

    assert (books.balances(), books.shown()) == (LOST, ("charged_back", 0))


def test_what_is_given_back_of_a_lost_dispute_stays_with_the_gift(books: Returns) -> None:
    """Of a payment that was partly refunded, that part is reinstated whatever the bank decides."""
    books.processor.tell_refund(INTENT, REFUND, minor_units=1000)
    books.news("refund.created")
    books.processor.tell_dispute(INTENT, DISPUTE, WITHDRAWN, (1000, 0), status="lost")
    books.news("charge.dispute.closed")

    assert books.balances() == {"dispute_fees": 1500, "processor_balance": -1563, "processor_fees": 63}
    assert books.shown() == ("charged_back", 1000)


@pytest.mark.parametrize(
    "status", ["warning_needs_response", "warning_under_review", "warning_closed", "prevented"]
)
def test_an_inquiry_moves_nothing_and_the_gift_stands(status: str, books: Returns) -> None:
    books.processor.tell_dispute(INTENT, DISPUTE, status=status)

    assert books.news("charge.dispute.created") == webhooks.Outcome.APPLIED
    assert (books.balances(), books.shown()) == (UNTOUCHED, ("succeeded", 0))
    assert [row.status for row in books.rows("dispute")] == [status]


def test_an_inquiry_that_becomes_a_dispute_is_booked(books: Returns) -> None:
    books.processor.tell_dispute(INTENT, DISPUTE, status="warning_needs_response")
    books.news("charge.dispute.created")
    books.processor.tell_dispute(INTENT, DISPUTE, WITHDRAWN, status="needs_response")
    books.news("charge.dispute.funds_withdrawn")

    assert (books.balances(), books.shown()) == (HELD, ("disputed", 0))


def test_a_dispute_that_overtakes_its_gift_comes_back_later(database: Database) -> None:
    books = Returns(database, arrives=False)
    books.processor.tell_dispute(INTENT, DISPUTE, WITHDRAWN, status="needs_response")
    early = books.store("charge.dispute.created")
    with pytest.raises(GiftNotBookedYet):
        books.handle(early)

    books.succeed()
    assert books.handle(early) == webhooks.Outcome.APPLIED


def test_ten_workers_with_ten_events_of_one_dispute_book_it_once(books: Returns) -> None:
    books.processor.tell_dispute(INTENT, DISPUTE, WITHDRAWN, status="lost")
    stored = [books.store(f"charge.dispute.{TYPES[number % len(TYPES)]}") for number in range(10)]
    with ThreadPoolExecutor(10) as pool:
        outcomes = list(pool.map(books.handle, stored))

    assert outcomes.count(webhooks.Outcome.APPLIED) == 1
    assert books.balances() == LOST


def test_a_dispute_about_an_erased_donors_gift_is_booked_and_names_nobody(books: Returns) -> None:
    books.processor.tell_dispute(INTENT, DISPUTE, WITHDRAWN, status="needs_response")
    books.news("charge.dispute.created")
    done = donations.erase_donor(
        books.database, SECRETS, email_sha256=None, donation_id=books.donation_id, now=NOW
    )
    assert done.entries == 4, "gift, fee, and both of the dispute's"
    books.processor.tell_dispute(INTENT, DISPUTE, WITHDRAWN, status="lost")

    assert books.news("charge.dispute.closed") == webhooks.Outcome.APPLIED
    assert (books.balances(), books.shown()) == (LOST, ("charged_back", 0))
    assert all(row.remote_id.startswith("erased:") for row in books.rows("dispute"))
    assert books.rows("opening") == books.rows("provider_event") == []


# ---- warnings of fraud ------------------------------------------------------------------------------------------


def warned(books: Returns) -> None:
    books.processor.warned[WARNING] = payments.RemoteWarning(
        remote_id=WARNING, fraud_type="made_with_stolen_card", warned_at=NOW
    )


def test_a_warning_of_fraud_is_kept_and_told_once_and_refunds_nothing(books: Returns) -> None:
    warned(books)
    with structlog.testing.capture_logs() as lines:
        outcomes = [books.news("radar.early_fraud_warning.created") for _ in range(2)]

    assert outcomes == [webhooks.Outcome.APPLIED, webhooks.Outcome.NO_CHANGE]
    assert [line["event"] for line in lines] == ["fraud_warning"]
    (row,) = books.rows("fraud_warning")
    assert (row.remote_id, row.fraud_type) == (WARNING, "made_with_stolen_card")
    assert (books.balances(), books.shown()) == (UNTOUCHED, ("succeeded", 0))


def test_a_warning_about_an_erased_donors_gift_names_nobody(books: Returns) -> None:
    donations.erase_donor(books.database, SECRETS, email_sha256=None, donation_id=books.donation_id, now=NOW)
    warned(books)
    books.news("radar.early_fraud_warning.created")

    (row,) = books.rows("fraud_warning")
    assert row.remote_id.startswith("erased:")


# ---- what operators see ------------------------------------------------------------------------------------------


@pytest.fixture
def command(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> Any:
    def run(*words: str, user: str = "amply_operator") -> Result:
        databases.sign_commands_in(monkeypatch, user=user)
        monkeypatch.setenv("AMPLY_EDGE_URL", "https://edge.example")
        monkeypatch.setenv("AMPLY_COMMITMENT_KEY", "for-tests-0123456789-0123456789-0123456789-0123")
        return CliRunner().invoke(admin, ["disputes", *words])

    return run


def test_disputes_are_listed_for_operators_who_see_no_gifts(books: Returns, command: Any) -> None:
    books.processor.tell_dispute(INTENT, "dp_done", WITHDRAWN, REINSTATED, status="won")
    books.processor.tell_dispute(INTENT, DISPUTE, WITHDRAWN, status="needs_response")
    books.news("charge.dispute.created")

    (line,) = command("list").output.splitlines()
    listed = json.loads(line)
    assert (listed["remote_id"], listed["status"], listed["reason"]) == (
        DISPUTE,
        "needs_response",
        "fraudulent",
    )
    assert listed["amount"] == {"minor_units": "2500", "currency": "EUR"}
    assert listed["evidence_due_at"].startswith(f"{NOW + timedelta(days=14):%Y-%m-%d}")
    assert len(command("list", "--all").output.splitlines()) == 2


def test_warnings_are_listed(books: Returns, command: Any) -> None:
    warned(books)
    books.news("radar.early_fraud_warning.created")

    (line,) = command("warnings").output.splitlines()
    assert json.loads(line)["fraud_type"] == "made_with_stolen_card"


def test_the_evidence_holds_what_we_know_and_the_ledgers_proof(databases: Databases) -> None:
    app, sequencer = databases.as_role("amply_app"), databases.as_role("amply_sequencer")
    world = LedgerWorld(app=app, sequencer=sequencer, secrets=SECRETS)
    books = Returns(app)
    books.processor.tell_refund(INTENT, REFUND, minor_units=500)
    books.news("refund.created")
    books.processor.tell_dispute(INTENT, DISPUTE, WITHDRAWN, status="needs_response")
    books.news("charge.dispute.created")
    world.sequence()
    world.publish()
    (dispute,) = books.rows("dispute")

    issue_receipt(books)
    files = donations.evidence(
        app, SECRETS, dispute_id=dispute.id, ledger_page="https://edge.example/ledger/"
    )
    proof_file = f"{books.donation_id}.tlog-proof"
    assert set(files) == {"facts.json", "statement.txt", proof_file, "A-000001.pdf"}
    assert files["A-000001.pdf"].startswith(b"%PDF")
    facts = json.loads(files["facts.json"])
    assert facts["receipt_number"] == "A-000001"
    assert (facts["gift"]["donor_name"], facts["gift"]["donor_email"]) == ("Ada", "ada@example.org")
    assert facts["dispute"]["at_processor"] == DISPUTE
    assert facts["refunds"][0]["at_processor"] == REFUND
    assert facts["gift"]["ledger_entry"] == books.entry("donation.succeeded").id
    statement = files["statement.txt"].decode()
    assert "River Trust received a gift of 25.00 EUR" in statement
    assert "5.00 EUR of it was refunded before." in statement
    proof = files[f"{books.donation_id}.tlog-proof"].decode()
    assert proof == world.receipt(books.entry("donation.succeeded").id)
    app.close()
    sequencer.close()


def test_the_evidence_is_written_for_nobody_elses_eyes(
    books: Returns, command: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger.CommitmentSecrets, "from_settings", lambda _: SECRETS)
    books.processor.tell_dispute(INTENT, DISPUTE, WITHDRAWN, status="needs_response")
    books.news("charge.dispute.created")
    (dispute,) = books.rows("dispute")
    folder = tmp_path / "bundle"

    done = command("evidence", dispute.id, "--out", str(folder), user="amply_app")
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in folder.iterdir()) == ["facts.json", "statement.txt"]
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    again = command("evidence", dispute.id, "--out", str(folder), user="amply_app")
    assert again.exit_code == 2
    assert "name an empty folder" in again.output


def test_evidence_of_no_dispute_says_where_to_look(books: Returns, command: Any, tmp_path: Path) -> None:
    done = command("evidence", "dsp_none", "--out", str(tmp_path / "none"), user="amply_app")
    assert "There is no dispute dsp_none" in str(done.exception)
    assert books.shown() == ("succeeded", 0)


@pytest.mark.parametrize("words", ["", " \n", "x" * 20_001])
def test_a_statement_nobody_could_read_is_refused(words: str, books: Returns) -> None:
    with pytest.raises(donations.StatementNotAcceptable, match="at most 20,000 characters"):
        donations.answer_dispute(
            books.database, books.processor, dispute_id="dsp_1", words=words, submits=False
        )


def test_a_dispute_of_an_erased_donors_gift_is_answered_on_the_processors_pages(books: Returns) -> None:
    books.processor.tell_dispute(INTENT, DISPUTE, WITHDRAWN, status="needs_response")
    books.news("charge.dispute.created")
    donations.erase_donor(books.database, SECRETS, email_sha256=None, donation_id=books.donation_id, now=NOW)
    (row,) = books.rows("dispute")

    with pytest.raises(donations.DisputeNotAnswerable, match="processor's dashboard"):
        donations.answer_dispute(
            books.database, books.processor, dispute_id=row.id, words="It was meant.", submits=True
        )
    assert books.processor.answered == {}
