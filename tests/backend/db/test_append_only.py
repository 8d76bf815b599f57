"""Nobody changes what was written: not the application, not the sequencer, not the tables' owner."""
# ruff: noqa: S608 -- statements are put together from this file's own words

from collections.abc import Iterator
from typing import Final

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from amply.infra.database import Database
from amply.infra.vault import KeyNotAtHand
from amply.modules import ledger
from tests.backend.conftest import Databases
from tests.backend.ledger_world import NOW, ORG, LedgerWorld

PERMANENT: Final = {
    "account": "currency = 'USD'",
    "account_closure": "is_closed = false",
    "audit_link": "hash = sha256('x')",
    "audit_record": "content = '{}'",
    "chart": "normal_side = 'debit'",
    "entry": "kind = 'a.b'",
    "leaf": "bytes = '\\x00'",
    "posting": "debits_posted = 0",
    "dataset_schema": "columns = '[]'",
    "sharing_consent": "decision = 'withdrawn'",
    "transfer": "amount_minor = 1",
}
"""Tables whose rows never change, and a change to try."""

COMPLETED: Final = {
    "balance": "debits_posted = debits_posted + 1",
    "checkpoint": "note = 'another'",
    "tile": "hashes = '\\x00'",
}
"""Tables whose rows only move on: a change that would not be a step on."""

UNDER = r"'\x03'::bytea || int4send({version}) || '\x{leaf:016x}'"
"""What a value begins with that is sealed under a leaf of a version of the key."""
OPENING_CHANGES: Final = {
    "to other bytes": r"sealed = overlay(sealed PLACING '\x00' FROM 20)",
    "to nothing": "sealed = ''",
    "to what the key alone seals": r"sealed = '\x02'::bytea || int4send(1) || sealed",
    "to another entry's": "entry_id = 'ent_x'",
    "of whose it is": "donation_id = 'don_x'",
    "to more bytes": f"sealed = {UNDER.format(version=1, leaf=7)} || sha256('x') || sealed",
    "to fewer bytes": f"sealed = {UNDER.format(version=1, leaf=7)} || substring(sealed, 2)",
}
"""Of one that is under no leaf yet."""
DERIVED: Final = ("booking_gate", "clearance", "spendable", "trial_balance")
"""Working state: overwritten by what runs, never deleted."""

EVERY_TABLE: Final = (*PERMANENT, *COMPLETED, *DERIVED, "audit_seal", "opening")


@pytest.fixture
def owner(databases: Databases) -> Iterator[Database]:
    opened = databases.as_role("master")
    yield opened
    opened.close()


@pytest.fixture
def full(books: LedgerWorld) -> LedgerWorld:
    """Every table has rows."""
    books.post(personal={"donor_name": "Zoë"}, minor_units=5000)
    books.book(
        ledger.postings.reserve(
            ledger.postings.payout_created(owner=ORG, amount=books.entry().transfers[0].amount)
        )
    )
    books.sequence()
    books.publish()
    ledger.Clearance.ask(books.sequencer, now=NOW)
    with books.app.transaction() as session:
        ledger.close_account(session, account=f"{ORG}/gifts", currency="EUR", reason="left", now=NOW)
    return books


def execute(database: Database, statement: str) -> None:
    with database.transaction() as session:
        if database.engine.url.username == "master":
            session.execute(text("SET ROLE amply_owner"))
        session.execute(text(statement))


def refused_by(database: Database, statement: str) -> str:
    with pytest.raises(IntegrityError) as caught:
        execute(database, statement)
    cause = caught.value.orig
    assert isinstance(cause, psycopg.Error)
    return str(cause.diag.constraint_name)


OTHERS = {
    "address_claim",
    "alembic_version",
    "api_key",
    "attack",
    "card_setup",
    "closed_leaf",
    "currency",
    "daily_key",
    "data_key",
    "data_payment",
    "data_settlement",
    "data_share",
    "data_source",
    "dataset",
    "decline",
    "dispute",
    "dedication",
    "donation",
    "donor_document",
    "donor_link_request",
    "erasure",
    "event_watermark",
    "fraud_warning",
    "form_closing",
    "form_exemption",
    "former_account",
    "fund",
    "idempotency_key",
    "ingest_job",
    "issued_receipt",
    "ledger_day",
    "ledger_day_fold",
    "ledger_visibility",
    "mail_feedback",
    "mail_suppression",
    "member",
    "member_invitation",
    "movement",
    "movement_watermark",
    "offline_gift",
    "refund_request",
    "onboarding_invitation",
    "opened_gift",
    "organization",
    "organization_application",
    "organization_export",
    "organization_image",
    "organization_contact",
    "organization_step",
    "organization_document",
    "outbox",
    "ownership_offer",
    "partial_sweep",
    "payment",
    "payment_ending",
    "payment_notice",
    "payout",
    "person",
    "person_device",
    "person_identity",
    "person_letter",
    "person_passkey",
    "person_recovery_code",
    "person_totp",
    "plan",
    "scim_resource",
    "scim_token",
    "scim_value",
    "sign_in_connection",
    "sign_in_domain",
    "sign_in_grant",
    "plan_charge",
    "plan_letter",
    "processor_account",
    "processor_balance",
    "project",
    "provider_event",
    "receipt",
    "receipt_facts",
    "receipt_series",
    "receipt_settings",
    "reconciliation",
    "refund",
    "register_lookup",
    "sealing",
    "sharing_batch",
    "sharing_fact",
    "sharing_span",
    "sharing_tick",
    "split_gift",
    "split_part",
    "test_organization",
    "tier_notice",
    "public_event",
    "webhook_attempt",
    "webhook_delivery",
    "webhook_endpoint",
    "webhook_signing_key",
}
"""These change, and each has rules of its own."""


def test_these_are_all_tables_that_only_grow(full: LedgerWorld) -> None:
    with full.app.transaction() as session:
        tables = set(session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")))
    assert tables - OTHERS == set(EVERY_TABLE)


@pytest.mark.parametrize("table", EVERY_TABLE)
def test_nobody_deletes_or_truncates(table: str, full: LedgerWorld, owner: Database) -> None:
    for role in (full.app, full.sequencer):
        for statement in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
            if (role, table, statement[:6]) == (full.app, "opening", "DELETE"):
                continue  # erasure
            with pytest.raises(ProgrammingError, match="permission denied"):
                execute(role, statement)
    assert refused_by(owner, f"TRUNCATE {table} CASCADE") == "append_only"
    if table != "opening":
        assert refused_by(owner, f"DELETE FROM {table}") == "append_only"


@pytest.mark.parametrize(("table", "change"), PERMANENT.items())
def test_nobody_changes_a_row(table: str, change: str, full: LedgerWorld, owner: Database) -> None:
    for role in (full.app, full.sequencer):
        with pytest.raises(ProgrammingError, match="permission denied"):
            execute(role, f"UPDATE {table} SET {change}")
    assert refused_by(owner, f"UPDATE {table} SET {change}") == "append_only"


@pytest.mark.parametrize(
    ("table", "rule"),
    [("balance", "balance_is_last_posting"), ("checkpoint", "checkpoint_completed"), ("tile", "tile_grows")],
)
def test_what_moves_on_moves_nowhere_else(table: str, rule: str, full: LedgerWorld, owner: Database) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"):
        execute(full.app, f"UPDATE {table} SET {COMPLETED[table]}")
    for role in (full.sequencer, owner):
        assert refused_by(role, f"UPDATE {table} SET {COMPLETED[table]}") in (rule, "ck_tile_hashes")


def under_leaf(*, version: int, leaf: int) -> str:
    """An opening put under a leaf: as many bytes more as sealing it takes, or another head where it is under one."""
    head = UNDER.format(version=version, leaf=leaf)
    return rf"""
        sealed = {head} || CASE WHEN substring(sealed, 1, 1) = '\x03'
            THEN substring(sealed, 14) ELSE substring(sha256('x'), 1, 28) || sealed END
    """


@pytest.mark.parametrize("change", OPENING_CHANGES.values(), ids=OPENING_CHANGES)
def test_an_opening_is_erased_and_never_replaced(change: str, full: LedgerWorld, owner: Database) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"):
        execute(full.sequencer, f"UPDATE opening SET {change}")
    if "entry_id" in change:
        with pytest.raises(ProgrammingError, match="permission denied"):
            execute(full.app, f"UPDATE opening SET {change}")
    else:
        assert refused_by(full.app, f"UPDATE opening SET {change}") == "append_only"
    assert refused_by(owner, f"UPDATE opening SET {change}") == "append_only"
    execute(full.app, "DELETE FROM opening")


def test_the_worker_alone_puts_an_opening_under_a_leaf_once(full: LedgerWorld, owner: Database) -> None:
    sealed = f"UPDATE opening SET {under_leaf(version=2, leaf=7)}, donation_id = 'don_a'"
    assert refused_by(owner, sealed) == "append_only"
    with pytest.raises(ProgrammingError, match="permission denied"):
        execute(full.sequencer, sealed)
    execute(full.app, sealed)
    for change in (
        under_leaf(version=2, leaf=7),
        under_leaf(version=2, leaf=8),
        under_leaf(version=1, leaf=8),
        f"{under_leaf(version=3, leaf=7)}, donation_id = 'don_b'",
        f"{under_leaf(version=3, leaf=7)}, donation_id = NULL",
        f"{under_leaf(version=3, leaf=7)} || '\\x00'",
        "sealed = substring(sealed, 42)",
        *(each for each in OPENING_CHANGES.values() if "entry_id" not in each),
    ):
        assert refused_by(full.app, f"UPDATE opening SET {change}") == "append_only"
    execute(full.app, f"UPDATE opening SET {under_leaf(version=3, leaf=7)}")


def test_from_a_leaf_that_is_closed_an_opening_goes_under_another_one(
    full: LedgerWorld, owner: Database
) -> None:
    execute(full.app, f"UPDATE opening SET {under_leaf(version=1, leaf=7)}")
    moved = f"UPDATE opening SET {under_leaf(version=1, leaf=8)}"
    for other in (r"'donors', 1, '\x0000000000000009'", r"'people', 1, '\x0000000000000007'"):
        execute(full.app, f"INSERT INTO closed_leaf VALUES ({other}, now())")
        assert refused_by(full.app, moved) == "append_only"
    execute(full.app, r"INSERT INTO closed_leaf VALUES ('donors', 1, '\x0000000000000007', now())")
    assert refused_by(owner, moved) == "append_only"
    with pytest.raises(KeyNotAtHand):
        execute(full.app, f"UPDATE opening SET {under_leaf(version=1, leaf=9)}")
    execute(full.app, moved)


@pytest.mark.parametrize("table", ["spendable", "trial_balance"])
def test_what_the_rules_keep_is_written_by_the_rules_alone(table: str, full: LedgerWorld) -> None:
    for role in (full.app, full.sequencer):
        with pytest.raises(ProgrammingError, match="permission denied"):
            execute(role, f"UPDATE {table} SET currency = 'USD'")
        with pytest.raises(ProgrammingError, match="permission denied"):
            execute(role, f"INSERT INTO {table} DEFAULT VALUES")
