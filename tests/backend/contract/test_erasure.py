"""Once a donor is erased, no byte of ours names them; the log stays valid, and their own receipt proves the gift."""

import base64
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner
from sqlalchemy import text

from amply.entrypoints.admin import main as admin
from amply.modules import donations, ledger, payments
from amply.modules.donations import erasure
from amply.modules.mail import address_digest
from ledger_format.errors import FormatError
from ledger_format.merkle import leaf_hash, root_of
from ledger_format.receipts import decode_receipt, verify_receipt
from tests.backend.contract.whole_way import (
    CHARGE,
    EMAIL,
    EVENTS,
    IDEMPOTENCY_KEY,
    INTENT,
    NAME,
    OTHER_EMAIL,
    OTHER_NAME,
    Gifts,
    Platform,
)
from tests.backend.ledger_world import ORIGIN
from tests.backend.opening_rows import as_before
from tests.backend.personal_data import found_in
from tests.backend.world import NOW

DIGEST = address_digest(EMAIL)
SEALED = {"email", "name"}
"""What of somebody who is not forgotten is found by no search: it stands nowhere but sealed."""
RUNBOOK = Path(__file__).parents[3] / "docs" / "runbooks" / "erase-a-donor.md"

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


def digest_typed(address: str) -> str:
    """What the runbook's own command prints on an operator's machine when this address is typed."""
    (command,) = re.findall(
        r"^ *(python3 -c .+hashlib.+)$", RUNBOOK.read_text(encoding="utf-8"), re.MULTILINE
    )
    done = subprocess.run(
        [sys.executable, *shlex.split(command)[1:]],
        input=f"{address}\n",
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip().rpartition(" ")[2]


def test_once_erased_no_byte_of_ours_names_the_donor(gifts: Gifts) -> None:
    platform = gifts.platform
    held = {table for table, content in platform.dump() if found_in(content, gifts.secrets)}
    assert held >= {
        "dedication",
        "donation",
        "payment",
        "idempotency_key",
        "provider_event",
        "outbox",
        "receipt",
    }
    openings = platform.value("SELECT count(*) FROM opening")

    told = platform.erase("--email-sha256", digest_typed(f" {EMAIL.upper()} "))
    assert {**told, "id": None} == {
        "id": None,
        "gifts": 1,
        "entries": 2,
        "events": 2,
        "events_under_way": 0,
        "dedications": 0,
        "keys_cut": 1,
    }

    looked_at = [
        *platform.dump(),
        *platform.cached(),
        *platform.public_objects(),
        *platform.public_answers(),
    ]
    assert [
        (where, found) for where, content in looked_at if (found := found_in(content, gifts.secrets))
    ] == []
    assert platform.value("SELECT count(*) FROM opening") == openings - 2
    assert list(platform.cached()), "the cache was looked into and held something"
    still = {name for table, content in platform.dump() for name in found_in(content, gifts.others)}
    assert still == set(gifts.others) - SEALED, "nobody else was forgotten"
    assert platform.value("SELECT count(*) FROM donation WHERE sealed IS NOT NULL") == 1


def test_after_an_erasure_the_log_is_whole_and_the_donors_receipt_proves_the_gift(gifts: Gifts) -> None:
    platform = gifts.platform
    platform.erase("--email-sha256", DIGEST)
    platform.give(name=OTHER_NAME, email=OTHER_EMAIL, key="another")
    platform.publish()

    verified = verify_receipt(decode_receipt(gifts.receipt), [platform.books.verifier])
    assert verified.opened["donor_name"] == NAME
    assert verified.opened["donor_email"] == EMAIL
    stored = (
        boto3.client("s3")
        .get_object(Bucket=platform.buckets[0], Key="log/checkpoint")["Body"]
        .read()
        .decode()
    )
    root = stored.split("\n")[2]
    leaves = [leaf_hash(leaf) for leaf in platform.books.leaves()]
    assert base64.b64decode(root) == root_of(leaves[: int(stored.split("\n")[1])])
    platform.books.check_log(size=4)


def test_files_that_name_the_organisations_donors_are_handed_out_no_more(gifts: Gifts) -> None:
    platform = gifts.platform
    with platform.databases.as_role("master").transaction() as session:
        for number, names_donors in enumerate((True, False)):
            session.execute(
                text("""
                    INSERT INTO organization_export
                        (id, organization_id, kind, format, names_donors, asked_by, state, next_attempt_at, sha256, created_at,
                         ready_at, expires_at)
                    VALUES (:id, :organization_id, 'gifts', 'csv', :names_donors, 'person:usr_1', 'ready', :at, 'ab', :at, :at, :at)
                """),
                {
                    "id": f"exp_{number:026}",
                    "organization_id": platform.organization_id,
                    "names_donors": names_donors,
                    "at": NOW,
                },
            )
    platform.erase("--email-sha256", DIGEST)
    found = platform.rows("SELECT names_donors, state FROM organization_export ORDER BY id")
    assert [tuple(row) for row in found] == [(True, "failed"), (False, "ready")]


def test_we_can_prove_the_gift_to_nobody_any_more(gifts: Gifts) -> None:
    platform = gifts.platform
    entry_id = verify_receipt(decode_receipt(gifts.receipt), [platform.books.verifier]).entry.id
    platform.erase("--email-sha256", DIGEST)
    made = platform.books.receipt(entry_id)
    assert made is not None
    assert verify_receipt(decode_receipt(made.encode()), [platform.books.verifier]).opened == {}


def unaudited(platform: Platform) -> dict[str, bytes]:
    """All rows but the audit log's, which tells of a command whatever it found."""
    return {table: rows for table, rows in platform.dump() if not table.startswith("audit_")}


def test_erasing_again_changes_nothing_and_is_recorded_once_without_a_name(gifts: Gifts) -> None:
    platform = gifts.platform
    told = platform.erase("--email-sha256", DIGEST)
    before = unaudited(platform)
    again = platform.erase("--email-sha256", DIGEST)
    assert again == {
        "id": None,
        "gifts": 0,
        "entries": 0,
        "events": 0,
        "events_under_way": 0,
        "dedications": 0,
        "keys_cut": 0,
    }
    assert unaudited(platform) == before
    (record,) = platform.rows("SELECT * FROM erasure")
    assert (record.id, record.gifts, record.entries, record.events) == (told["id"], 1, 2, 2)


def test_a_late_event_is_applied_to_the_books_and_leaves_no_trace(gifts: Gifts) -> None:
    """The processor may speak of the payment for months: the money counts, the person does not come back."""
    platform = gifts.platform
    platform.erase("--email-sha256", DIGEST)
    entries = platform.value("SELECT count(*) FROM entry")
    platform.deliver(EVENTS[0], "payment_intent.succeeded", platform.intent(INTENT))
    platform.deliver(EVENTS[1], "charge.updated", platform.charge())
    platform.publish()
    assert platform.value("SELECT count(*) FROM entry") == entries, "nothing is booked twice"
    left = [
        (table, found) for table, content in platform.dump() if (found := found_in(content, gifts.secrets))
    ]
    assert left == []


def test_a_gift_that_succeeds_after_its_donor_was_erased_is_booked_without_them(platform: Platform) -> None:
    donation_id = platform.give(name=NAME, email=EMAIL, key=IDEMPOTENCY_KEY)
    platform.erase("--gift", donation_id)
    assert platform.value("SELECT status FROM donation") == "canceled"
    platform.deliver(EVENTS[0], "payment_intent.succeeded", platform.intent(INTENT))
    platform.publish()

    assert platform.value("SELECT status FROM donation") == "succeeded"
    assert platform.value("SELECT count(*) FROM leaf") == 2
    assert (
        platform.value("SELECT count(*) FROM opening") == platform.value("SELECT count(*) FROM receipt") == 0
    )
    assert platform.mailer.sent == []
    secrets = {"name": NAME, "email": EMAIL, "intent": INTENT, "donation": donation_id, "event": EVENTS[0]}
    assert [
        (table, found) for table, content in platform.dump() if (found := found_in(content, secrets))
    ] == []


def test_an_event_that_waits_is_kept_until_it_is_handled(gifts: Gifts) -> None:
    platform = gifts.platform
    with platform.books.app.transaction() as session:
        session.execute(
            text("UPDATE provider_event SET handled_at = NULL, outcome = NULL WHERE id = :id"),
            {"id": EVENTS[1]},
        )
    told = platform.erase("--email-sha256", DIGEST)
    assert (told["events"], told["events_under_way"]) == (1, 1)
    platform.deliver(EVENTS[1], "charge.updated", platform.charge())
    assert [row.id for row in platform.rows("SELECT id FROM provider_event")] == ["evt_1Qsomebody"]


def test_killed_half_way_nothing_is_lost_and_the_next_run_ends_it(
    gifts: Gifts, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = gifts.platform
    before = dict(platform.dump())

    def die(*_: Any, **__: Any) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(erasure, "_forget_gift", die)
        with pytest.raises(KeyboardInterrupt):
            donations.erase_donor(
                platform.books.app, platform.books.secrets, email_sha256=DIGEST, donation_id=None, now=NOW
            )
    assert dict(platform.dump()) == before
    assert platform.erase("--email-sha256", DIGEST)["gifts"] == 1


def test_what_is_booked_while_openings_are_searched_is_forgotten_too(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The search takes its time; the gift may succeed after it has passed."""
    donation_id = platform.give(name=NAME, email=EMAIL, key=IDEMPOTENCY_KEY)
    search = ledger.search

    def slow_search(*arguments: Any, **named: Any) -> ledger.UnassignedOpenings:
        found = search(*arguments, **named)
        platform.deliver(EVENTS[0], "payment_intent.succeeded", platform.intent(INTENT))
        return found

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(ledger, "search", slow_search)
        told = donations.erase_donor(
            platform.books.app, platform.books.secrets, email_sha256=DIGEST, donation_id=None, now=NOW
        )
    assert (told.gifts, told.entries, told.events) == (1, 2, 1)
    assert platform.value("SELECT count(*) FROM opening") == 0
    secrets = {"name": NAME, "email": EMAIL, "intent": INTENT, "donation": donation_id, "event": EVENTS[0]}
    assert [
        (table, found) for table, content in platform.dump() if (found := found_in(content, secrets))
    ] == []


def test_with_another_key_the_erasure_refuses_before_it_removes_anything(gifts: Gifts) -> None:
    platform = gifts.platform
    as_before(platform.databases, platform.books.app)
    before = dict(platform.dump())
    with pytest.raises(ledger.OpeningsUnreadable):
        donations.erase_donor(
            platform.books.app,
            ledger.CommitmentSecrets(key=b"\x09" * 32),
            email_sha256=DIGEST,
            donation_id=None,
            now=NOW,
        )
    assert dict(platform.dump()) == before


def test_an_erasure_names_a_donor_in_one_way(platform: Platform) -> None:
    for named in (
        {"email_sha256": None, "donation_id": None},
        {"email_sha256": DIGEST, "donation_id": "don_1"},
        {"email_sha256": EMAIL, "donation_id": None},
        {"email_sha256": DIGEST.upper(), "donation_id": None},
        {"email_sha256": DIGEST[:-1], "donation_id": None},
    ):
        with pytest.raises(erasure.DonorNotNamed):
            donations.erase_donor(platform.books.app, platform.books.secrets, now=NOW, **named)


def test_a_digest_of_nobody_forgets_nobody(gifts: Gifts) -> None:
    before = unaudited(gifts.platform)
    told = gifts.platform.erase("--email-sha256", address_digest(f"x{EMAIL}"))
    assert told == {
        "id": None,
        "gifts": 0,
        "entries": 0,
        "events": 0,
        "events_under_way": 0,
        "dedications": 0,
        "keys_cut": 0,
    }
    assert unaudited(gifts.platform) == before


def test_a_command_takes_no_address() -> None:
    """It would stand in CloudTrail and ECS for months."""
    done = CliRunner().invoke(admin, ["erase", "donor", "--email", EMAIL])
    assert done.exit_code == 2
    assert "No such option" in done.output


def test_the_receipt_of_another_log_is_refused_by_this_ones_key(gifts: Gifts) -> None:
    """What the scans above rest on: the receipts in them are real ones."""
    forged = gifts.receipt.replace(ORIGIN.encode(), b"log.example/other")
    with pytest.raises(FormatError):
        verify_receipt(decode_receipt(forged), [gifts.platform.books.verifier])


def test_what_went_back_of_a_gift_names_the_erased_donor_nowhere(gifts: Gifts) -> None:
    platform = gifts.platform
    names = {
        "refund": "re_3QzoeThordardottirRefund",
        "later refund": "re_3QzoeThordardottirLater",
        "dispute": "dp_1QzoeThordardottirDispute",
        "warning": "issfr_1QzoeThordardottirWarning",
        "movement": "txn_dp_1QzoeThordardottirDispute_0",
    }
    processor = platform.processor
    processor.tell_refund(INTENT, names["refund"], minor_units=500)
    processor.tell_dispute(INTENT, names["dispute"], (-2000, 1500), status="needs_response", minor_units=2000)
    processor.warned[names["warning"]] = payments.RemoteWarning(
        remote_id=names["warning"], fraud_type="misc", warned_at=NOW
    )

    def tell(event_type: str, kind: str, name: str) -> None:
        thing = {"object": kind, "id": names[name], "payment_intent": INTENT, "charge": CHARGE}
        platform.deliver(f"evt_1Qzoe{event_type}{name}", event_type, thing)

    tell("refund.created", "refund", "refund")
    tell("charge.dispute.created", "dispute", "dispute")
    tell("radar.early_fraud_warning.created", "radar.early_fraud_warning", "warning")
    held = {table for table, content in platform.dump() if found_in(content, names)}
    assert held >= {"refund", "dispute", "fraud_warning", "provider_event"}

    told = platform.erase("--email-sha256", DIGEST)
    assert told["entries"] == 5, "gift, fee, refund, and both of the dispute's"
    processor.tell_refund(INTENT, names["later refund"], minor_units=100)
    processor.tell_dispute(INTENT, names["dispute"], (-2000, 1500), status="lost", minor_units=2000)
    tell("refund.updated", "refund", "later refund")
    tell("charge.dispute.closed", "dispute", "dispute")
    platform.publish()

    booked = platform.rows("SELECT kind FROM entry WHERE kind IN ('donation.refunded', 'dispute.lost')")
    assert len(booked) == 3, "the money counts"
    looked_at = [*platform.dump(), *platform.public_objects(), *platform.public_answers()]
    secrets = {**gifts.secrets, **names}
    assert [(where, found) for where, content in looked_at if (found := found_in(content, secrets))] == []
    platform.books.check_log(size=len(platform.rows("SELECT 1 FROM leaf")))
