"""What each role that signs in may do: the API least, because strangers reach it."""

from collections import defaultdict

from sqlalchemy import text

from amply.infra.database import Database

READ = "SELECT"
ADD = "INSERT SELECT"
WRITE = "INSERT SELECT UPDATE"
ALL = "DELETE INSERT SELECT UPDATE"
API = {
    "account": READ,
    "api_key": " ".join(
        (
            *(
                f"INSERT({column})"
                for column in (
                    *("created_at", "created_by", "digest", "expires_at", "id", "is_live", "last_four"),
                    *("name", "organization_id", "scopes"),
                )
            ),
            *(
                f"SELECT({column})"
                for column in (
                    *("created_at", "created_by", "expires_at", "id", "is_live", "last_four"),
                    *("last_used_at", "name", "organization_id", "revoked_at", "scopes"),
                )
            ),
            "UPDATE(revoked_at)",
        )
    ),
    "address_claim": "DELETE INSERT SELECT",
    "attack": READ,
    "audit_record": "INSERT(content) SELECT",
    "balance": READ,
    "booking_gate": READ,
    "checkpoint": READ,
    "card_setup": "INSERT SELECT UPDATE(ended_at)",
    "closed_leaf": READ,
    "daily_key": ADD,
    "data_key": ADD,
    "decline": READ,
    "dedication": "INSERT",
    "donation": WRITE,
    "donor_document": ADD,
    "donor_link_request": "INSERT",
    "entry": " ".join(
        f"SELECT({column})"
        for column in (
            "created_at",
            "event_at",
            "id",
            "idempotency_key",
            "kind",
            "matches",
            "organization_id",
            "reason",
            "reference",
            "reverses",
            "supersedes",
            "xid",
        )
    ),
    "form_closing": "SELECT(organization_id) SELECT(until)",
    "former_account": READ,
    "fund": "INSERT SELECT UPDATE(closed_at) UPDATE(name)",
    "idempotency_key": WRITE,
    "issued_receipt": " ".join(
        f"SELECT({column})"
        for column in (
            *("currency", "donation_id", "id", "issued_at", "jurisdiction", "kind", "minor_units"),
            *("replaces", "serial", "voided_at"),
        )
    ),
    "leaf": READ,
    "ledger_day": READ,
    "ledger_day_fold": READ,
    "ledger_visibility": WRITE,
    "member": "DELETE SELECT UPDATE(role)",
    "member_invitation": " ".join(
        (
            "DELETE",
            *(
                f"INSERT({column})"
                for column in (
                    *("created_at", "email", "email_index", "email_sha256", "expires_at", "id", "invited_by"),
                    *("language", "next_attempt_at", "organization_id", "role", "sealed"),
                )
            ),
            "SELECT",
        )
    ),
    "movement": " ".join(
        f"SELECT({column})"
        for column in (
            *(
                "category",
                "currency",
                "entry_id",
                "exchanges",
                "id",
                "kind",
                "minor_units",
                "occurred_at",
                "owner",
                "part",
            ),
            *("payout_id", "state", "transaction_digest"),
        )
    ),
    "offline_gift": "SELECT(description) SELECT(donation_id) SELECT(sealed)",
    "opened_gift": "INSERT",
    "organization": " ".join(
        (
            "SELECT",
            *(
                f"UPDATE({column})"
                for column in (
                    *("name", "pictures", "return_origins", "sdgs", "state", "takes_anonymous_gifts"),
                    *("texts", "website"),
                )
            ),
        )
    ),
    "organization_application": " ".join(
        (
            "SELECT",
            *(
                f"UPDATE({column})"
                for column in (
                    *("city", "kind", "legal_name", "postal_code", "purpose", "sdgs", "sealed", "street"),
                    *("submitted_at", "tax_id", "tier", "updated_at", "website"),
                )
            ),
        )
    ),
    "organization_document": " ".join(
        (
            *(
                f"INSERT({column})"
                for column in (
                    *("added_by", "created_at", "expires_at", "id", "kind", "media_type"),
                    *("next_attempt_at", "object_key", "organization_id"),
                )
            ),
            "SELECT",
            *(
                f"UPDATE({column})"
                for column in ("object_version", "received_at", "removed_at", "size_bytes")
            ),
        )
    ),
    "organization_image": " ".join(
        (
            *(
                f"INSERT({column})"
                for column in (
                    *("added_by", "alt", "created_at", "expires_at", "id", "kind", "media_type"),
                    *("next_attempt_at", "object_key", "organization_id"),
                )
            ),
            "SELECT",
            *(
                f"UPDATE({column})"
                for column in ("alt", "object_version", "received_at", "removed_at", "size_bytes")
            ),
        )
    ),
    "data_source": ADD,
    "dataset": " ".join(
        (
            ADD,
            *(
                f"UPDATE({column})"
                for column in (
                    *("attempts", "changed_at", "is_open", "next_attempt_at", "release_every_days"),
                    *("retention_days", "schema_version", "title", "version"),
                )
            ),
        )
    ),
    "dataset_schema": ADD,
    "ingest_job": " ".join(
        (
            *(
                f"INSERT({column})"
                for column in (
                    *("added_by", "compression", "created_at", "dataset_id", "expires_at", "format", "id"),
                    *("media_type", "next_attempt_at", "object_key", "organization_id", "schema_version"),
                )
            ),
            "SELECT",
            *(
                f"UPDATE({column})"
                for column in (
                    *("next_attempt_at", "object_version", "received_at", "removed_at", "size_bytes"),
                )
            ),
        )
    ),
    "organization_step": " ".join(
        (
            *(
                f"INSERT({column})"
                for column in (
                    *("at", "from_state", "id", "next_attempt_at", "organization_id", "said", "sealed"),
                    "to_state",
                )
            ),
            "SELECT",
        )
    ),
    "register_lookup": " ".join(
        (
            *(
                f"INSERT({column})"
                for column in (
                    *("asked_at", "country", "id", "next_attempt_at", "organization_id", "sealed", "tax_id"),
                )
            ),
            "SELECT",
        )
    ),
    "project": "INSERT SELECT UPDATE(currency) UPDATE(goal_minor_units) UPDATE(state) UPDATE(texts)",
    "organization_export": ADD,
    "organization_gift": READ,
    "organization_refund": READ,
    "outbox": "INSERT SELECT(id)",
    "ownership_offer": "DELETE INSERT SELECT",
    "public_event": ADD,
    "webhook_attempt": READ,
    "webhook_delivery": " ".join(
        (ADD, *(f"UPDATE({each})" for each in ("attempts", "finished_at", "next_attempt_at", "state")))
    ),
    "webhook_endpoint": " ".join(
        (
            "DELETE INSERT SELECT",
            *(
                f"UPDATE({each})"
                for each in (
                    *("changed_at", "description", "disabled_reason", "event_types", "exhausted"),
                    *("failing_since", "next_attempt_at", "state", "url"),
                )
            ),
        )
    ),
    "webhook_signing_key": " ".join(
        (
            "INSERT",
            *(
                f"SELECT({each})"
                for each in ("created_at", "endpoint_id", "expires_at", "id", "organization_id", "public_key")
            ),
            "UPDATE(expires_at)",
        )
    ),
    "payment": WRITE,
    "payment_notice": "SELECT(donation_id)",
    "person": WRITE,
    "person_device": ALL,
    "person_identity": "DELETE INSERT SELECT UPDATE(last_used_at)",
    "person_letter": "DELETE INSERT SELECT(address_index) SELECT(id) SELECT(person_id)",
    "person_passkey": ALL,
    "person_recovery_code": ALL,
    "person_totp": ALL,
    "refund": "SELECT(payment_id) SELECT(reason) SELECT(status)",
    "refund_request": ADD,
    "scim_resource": ALL,
    "scim_value": "DELETE INSERT SELECT",
    "scim_token": " ".join(
        (
            *(
                f"INSERT({each})"
                for each in ("created_at", "created_by", "digest", "id", "last_four", "organization_id")
            ),
            *(
                f"SELECT({each})"
                for each in (
                    *("created_at", "created_by", "id", "last_four", "last_used_at", "organization_id"),
                    "revoked_at",
                )
            ),
            "UPDATE(revoked_at)",
        )
    ),
    "sign_in_connection": ALL,
    "sign_in_domain": ALL,
    "sign_in_grant": ALL,
    "plan": WRITE,
    "plan_charge": WRITE,
    "plan_letter": "INSERT",
    "payout": " ".join(
        f"SELECT({column})"
        for column in (
            *(
                "arrives_on",
                "created_at",
                "created_entry_id",
                "currency",
                "failed_entry_id",
                "id",
                "is_automatic",
            ),
            *("items", "items_minor_units", "minor_units", "owner", "paid_entry_id", "reconciled_at"),
            *("returned_entry_id", "status"),
        )
    ),
    "posting": READ,
    "processor_account": READ,
    "provider_event": ADD,
    "receipt": "SELECT(donation_id) SELECT(received_at)",
    "receipt_facts": (
        "INSERT SELECT(declares_gift_aid) SELECT(donation_id) "
        "UPDATE(declares_gift_aid) UPDATE(forgets_gift_aid) UPDATE(gift_aid)"
    ),
    "receipt_settings": " ".join(
        (
            "INSERT SELECT",
            *(
                f"UPDATE({column})"
                for column in (
                    *("address", "brand_colour", "fiscal_year_starts", "jurisdiction", "language", "place"),
                    *("signatory", "time_zone", "updated_at"),
                )
            ),
        )
    ),
    "sealing": READ,
    "sharing_consent": ADD,
    "sharing_span": " ".join(
        (
            "INSERT SELECT",
            *(
                f"UPDATE({column})"
                for column in (
                    *("attempts", "changed_at", "covers_all", "is_given", "next_attempt_at", "version"),
                )
            ),
        )
    ),
    "sharing_tick": ADD,
    "split_gift": WRITE,
    "split_part": ADD,
    "transfer": READ,
}
GRANTED = text("""
    SELECT class.relname AS name, granted.privilege_type AS privilege
    FROM pg_class class, aclexplode(class.relacl) granted
    WHERE class.relkind IN ('r', 'S', 'v') AND granted.grantee = CAST(:role AS regrole)
    UNION ALL
    SELECT class.relname, granted.privilege_type || '(' || attribute.attname || ')'
    FROM pg_class class
    JOIN pg_attribute attribute ON attribute.attrelid = class.oid,
        aclexplode(attribute.attacl) granted
    WHERE granted.grantee = CAST(:role AS regrole)
    ORDER BY 1, 2
""")


def granted(database: Database, role: str) -> dict[str, str]:
    found = defaultdict(list)
    with database.transaction() as session:
        for row in session.execute(GRANTED, {"role": role}):
            found[row.name].append(row.privilege)
    return {name: " ".join(privileges) for name, privileges in found.items()}


def test_the_api_may_do_this_and_nothing_else(database: Database) -> None:
    assert granted(database, "amply_api") == API
