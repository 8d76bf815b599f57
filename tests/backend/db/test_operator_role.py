"""What the people who administer may do in the database: any command may stand in their task, so the role holds them."""

from collections.abc import Iterator
from typing import Final

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from amply.infra.database import Database
from amply.modules import ledger, payments
from tests.backend.conftest import Databases
from tests.backend.ledger_world import LedgerWorld
from tests.backend.world import FakeProcessor, ready_organization

OF_A_DONOR: Final = (
    *("donation", "opening", "payment", "receipt", "refund", "refund_request", "erasure", "idempotency_key"),
    *("daily_key", "decline", "offline_gift", "opened_gift", "card_setup", "payment_ending"),
    *("receipt_facts", "issued_receipt", "payment_notice", "mail_feedback", "mail_suppression"),
    *("plan", "plan_charge", "plan_letter", "donor_link_request", "donor_document"),
    *("dedication", "split_gift", "split_part", "organization_export"),
    *("sharing_batch", "sharing_consent", "sharing_fact", "sharing_span", "sharing_tick"),
    *("data_source", "dataset", "dataset_schema", "ingest_job"),
    *("webhook_attempt", "webhook_delivery", "webhook_endpoint", "webhook_signing_key"),
    *("person", "person_device", "person_letter", "person_passkey", "person_recovery_code", "person_totp"),
    *("address_claim", "closed_leaf", "person_identity", "sign_in_grant", "scim_resource"),
    "scim_value",
)
MAY: Final = {
    "account": {"SELECT"},
    "account_closure": {
        "SELECT",
        *(f"INSERT ({column})" for column in ("account", "currency", "decided_at", "is_closed", "reason")),
    },
    "attack": {"SELECT"},
    "audit_link": {"SELECT"},
    "audit_record": {"SELECT", "INSERT (content)"},
    "audit_seal": {"SELECT"},
    "balance": {"SELECT"},
    "checkpoint": {"SELECT"},
    "data_payment": {"SELECT"},
    "data_settlement": {"SELECT"},
    "data_share": {"SELECT"},
    "dispute": {
        f"SELECT ({column})"
        for column in (
            *("created_at", "currency", "evidence_due_at", "id", "minor_units", "organization_id"),
            *("reason", "remote_id", "status", "updated_at"),
        )
    },
    "entry": {"SELECT"},
    "issued_receipt": {f"SELECT ({column})" for column in ("organization_id", "reasons", "voided_at")},
    "event_watermark": {"SELECT"},
    "fraud_warning": {
        f"SELECT ({column})"
        for column in ("created_at", "fraud_type", "id", "organization_id", "remote_id", "warned_at")
    },
    "form_closing": {"SELECT", *(f"UPDATE ({column})" for column in ("reason", "reopened_at", "until"))},
    "form_exemption": {"SELECT", "INSERT", "UPDATE"},
    "former_account": {"SELECT"},
    "fund": {"SELECT", "INSERT", "UPDATE (closed_at)"},
    "leaf": {"SELECT"},
    "ledger_visibility": {"SELECT", "INSERT", "UPDATE"},
    "member_invitation": {
        f"INSERT ({column})"
        for column in (
            *("created_at", "email", "email_index", "email_sha256", "expires_at", "id", "invited_by"),
            *("language", "next_attempt_at", "organization_id", "role", "sealed"),
        )
    },
    "movement": {"SELECT", *(f"UPDATE ({column})" for column in ("checked_at", "reason", "state"))},
    "movement_watermark": {"SELECT"},
    "onboarding_invitation": {"INSERT"},
    "organization": {
        *("SELECT", "INSERT"),
        *(
            f"UPDATE ({column})"
            for column in (
                *("return_origins", "sdgs", "slug", "state", "takes_anonymous_gifts", "tier", "website"),
            )
        ),
    },
    "organization_application": {
        "SELECT",
        *(f"UPDATE ({column})" for column in ("slug", "tier", "updated_at")),
    },
    "organization_contact": {"SELECT (organization_id)", "INSERT", "UPDATE"},
    "organization_document": {"SELECT"},
    "organization_step": {
        "SELECT",
        *(
            f"INSERT ({column})"
            for column in (
                *(
                    "at",
                    "from_state",
                    "id",
                    "next_attempt_at",
                    "organization_id",
                    "said",
                    "sealed",
                    "to_state",
                ),
            )
        ),
    },
    "outbox": {"INSERT", "SELECT (id)"},
    "public_event": {"INSERT"},
    "payout": {"SELECT"},
    "plan": {
        f"SELECT ({column})"
        for column in (
            *("created_at", "currency", "due_since", "every", "fund_id", "id", "method_kind", "minor_units"),
            *("next_due_at", "next_period", "organization_id", "reason", "status", "time_zone", "updated_at"),
            "waits_for",
        )
    },
    "plan_charge": {
        f"SELECT ({column})"
        for column in (
            *("currency", "declines", "due_on", "fee_cover_minor_units", "minor_units", "opened_at"),
            *("period", "plan_id", "state", "unanswered", "unanswered_at"),
        )
    },
    "posting": {"SELECT"},
    "processor_account": {
        *("SELECT", "INSERT", "UPDATE (status)", "UPDATE (updated_at)"),
        *(
            f"UPDATE ({column})"
            for column in ("checked_at", "confirmed", "looks", "reason", "unreachable_since")
        ),
    },
    "processor_balance": {"SELECT"},
    "provider_event": {
        "SELECT",
        *(f"UPDATE ({column})" for column in ("attempts", "handled_at", "next_attempt_at", "outcome")),
    },
    "receipt_settings": {"SELECT", "INSERT", "UPDATE"},
    "data_key": {"SELECT"},
    "register_lookup": {"SELECT"},
    "sealing": {"SELECT"},
    "tier_notice": {"SELECT"},
    "transfer": {"SELECT"},
}


@pytest.fixture
def operator(databases: Databases) -> Iterator[Database]:
    opened = databases.as_role("amply_operator")
    yield opened
    opened.close()


def test_the_role_has_what_the_commands_need_and_nothing_else(databases: Databases) -> None:
    owner = databases.as_role("master")
    with owner.transaction() as session:
        given = session.execute(
            text("""
                SELECT relname, privilege_type, NULL AS attname
                FROM pg_class, aclexplode(relacl) WHERE grantee = 'amply_operator'::regrole
                UNION ALL
                SELECT relname, privilege_type, attname
                FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid, aclexplode(attacl)
                WHERE grantee = 'amply_operator'::regrole
            """)
        ).all()
        functions = session.scalars(
            text("SELECT proname FROM pg_proc, aclexplode(proacl) WHERE grantee = 'amply_operator'::regrole")
        ).all()
    owner.close()
    found: dict[str, set[str]] = {}
    for table, privilege, column in given:
        found.setdefault(table, set()).add(f"{privilege} ({column})" if column else privilege)
    assert found == MAY
    assert functions == ["resend_receipt"]


@pytest.mark.parametrize("table", OF_A_DONOR)
def test_what_belongs_to_a_donor_is_neither_read_nor_removed(table: str, operator: Database) -> None:
    for statement in (f"SELECT * FROM {table}", f"DELETE FROM {table}"):  # noqa: S608 -- this file's own words
        with pytest.raises(ProgrammingError, match="permission denied"), operator.transaction() as session:
            session.execute(text(statement))


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM provider_event",
        "DELETE FROM data_key",
        "INSERT INTO data_key (scope) VALUES ('donors')",
        "UPDATE data_key SET wrapped = NULL",
        "UPDATE sealing SET later_begins_at = now()",
        "SELECT payment_id FROM dispute",
        "UPDATE dispute SET status = 'won'",
        "SELECT payment_id FROM fraud_warning",
        "UPDATE provider_event SET payload = '{}'",
        "UPDATE processor_account SET account_id = 'acct_mine'",
        "INSERT INTO former_account (account_id) VALUES ('acct_mine')",
        "SELECT email FROM onboarding_invitation",
        "SELECT email FROM organization_contact",
        "UPDATE form_closing SET told_at = now()",
        "SELECT email FROM member_invitation",
        "INSERT INTO member (organization_id) VALUES ('org_mine')",
        "SELECT id FROM api_key",
        "SELECT payload FROM outbox",
        "INSERT INTO entry (id) VALUES ('ent_mine')",
        "SELECT reserve_payout('ent_mine')",
        "UPDATE payout SET status = 'paid'",
        "UPDATE movement SET minor_units = 1",
    ],
)
def test_money_is_not_led_elsewhere(statement: str, operator: Database) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), operator.transaction() as session:
        session.execute(text(statement))


def test_an_opening_stays_hidden_even_if_somebody_grants_it(books: LedgerWorld, databases: Databases) -> None:
    books.post(personal={"donor_name": "Zoë"})
    owner = databases.as_role("master")
    with owner.transaction() as session:
        session.execute(text("GRANT SELECT ON opening, entry TO amply_operator"))
    owner.close()
    operator = databases.as_role("amply_operator")
    with operator.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM entry")) == 1
        assert session.scalar(text("SELECT count(*) FROM opening")) == 0
    operator.close()


def test_an_organisation_is_made_and_its_account_refreshed(operator: Database) -> None:
    processor = FakeProcessor()
    made = ready_organization(operator, processor)
    assert ready_organization(operator, processor) == made, "again, and nothing is made twice"
    with operator.transaction() as session:
        assert payments.find_account(session, organization_id=made) is not None
        assert ledger.visibility_of(session, organization_id=made) == ledger.EVERYTHING
