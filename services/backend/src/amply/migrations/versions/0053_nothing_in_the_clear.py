"""The columns that held donors of gifts and plans in the clear go: every row is sealed (ADR 0122, 0128).

Processes of the release before name these columns. So that none of them fails, this is left to the next migration after the
deployment that brings it (`infra/migrate.py`), and stands behind all other revisions of its release.
"""

from alembic import op

revision = "0053"
down_revision = "0067"
branch_labels = None
depends_on = None

TAKES_AWAY = True

PLAIN = {
    "donation": ("donor_name", "donor_email", "message"),
    "plan": ("donor_name", "donor_email", "message", "email_sha256"),
}
VIEWED = """
    CREATE VIEW organization_gift AS
        SELECT
            id, organization_id, minor_units, currency, status, {plain}entry_id,
            created_at, updated_at, erased_at, refunded_minor_units, dispute_state, fee_cover_minor_units,
            fee_cover_method, processor_fee_minor_units, method, reversed_at, fund_id, anonymity, sealed, plan_id
        FROM donation
        WHERE organization_id = (SELECT acting_organization());
    GRANT SELECT ON organization_gift TO amply_api
"""
RESEND = """
    CREATE OR REPLACE FUNCTION resend_own_receipt(
        asked text, owner_sha256 text, owner_indexes bytea[], asked_at timestamptz
    ) RETURNS boolean
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
        WITH again AS (
            UPDATE receipt
            SET sent_at = NULL, withheld = NULL, attempts = 0, next_attempt_at = asked_at
            FROM donation
            WHERE receipt.donation_id = asked
                AND donation.id = receipt.donation_id
                AND {own}
            RETURNING receipt.donation_id
        )
        SELECT EXISTS (SELECT FROM again)
    $$
"""


def upgrade() -> None:
    # Nothing is in them: 0046 asked, and has kept it so since.
    op.execute("DROP VIEW organization_gift")
    op.execute(VIEWED.format(plain=""))
    op.execute(RESEND.format(own="donation.donor_index = ANY (owner_indexes)"))
    op.execute("DROP FUNCTION resend_own_receipt(text, text, timestamptz)")
    for table, columns in PLAIN.items():
        op.execute(f"ALTER TABLE {table} {', '.join(f'DROP COLUMN {column}' for column in columns)}")
    op.execute("DROP FUNCTION address_digest(text)")
    # Gifts that a worker from before 0066 has opened after it.
    op.execute("""
        UPDATE donation SET plan_id = plan_charge.plan_id
        FROM plan_charge
        WHERE plan_charge.donation_id = donation.id AND donation.plan_id IS NULL AND donation.erased_at IS NULL
    """)


def downgrade() -> None:
    for table, columns in PLAIN.items():
        op.execute(f"ALTER TABLE {table} {', '.join(f'ADD COLUMN {column} text' for column in columns)}")
        # The digest was no part of what these rules ask.
        names = [column for column in columns if column != "email_sha256"]
        nothing = " AND ".join(f"{column} IS NULL" for column in names)
        none_of_them = " AND ".join(f"{column} IS NULL" for column in columns)
        op.execute(f"""
            ALTER TABLE {table}
                ADD CONSTRAINT ck_{table}_sealed_once CHECK (sealed IS NULL OR ({nothing})),
                ADD CONSTRAINT ck_{table}_nothing_in_the_clear CHECK ({none_of_them});
            CREATE INDEX ix_{table}_in_the_clear ON {table} (id) WHERE sealed IS NULL
                AND ({" OR ".join(f"{column} IS NOT NULL" for column in names)})
        """)
    op.execute("""
        ALTER TABLE donation ADD CONSTRAINT ck_donation_erased_is_empty CHECK (
            erased_at IS NULL OR (donor_name IS NULL AND donor_email IS NULL AND message IS NULL)
        )
    """)
    _functions_before()
    op.execute("DROP VIEW organization_gift")
    op.execute(VIEWED.format(plain="donor_name, donor_email, message, "))


def _functions_before() -> None:
    op.execute(r"""
        CREATE FUNCTION address_digest(address text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
        RETURN encode(
            sha256(convert_to(lower(btrim(address, E' \t\n\r\f\v') COLLATE pg_unicode_fast), 'UTF8')), 'hex'
        )
    """)
    op.execute("""
        CREATE INDEX ix_donation_donor ON donation (address_digest(donor_email), id) WHERE donor_email IS NOT NULL;
        CREATE INDEX ix_plan_email_sha256 ON plan (email_sha256)
    """)
    either = (
        "(donation.donor_index = ANY (owner_indexes) OR address_digest(donation.donor_email) = owner_sha256)"
    )
    op.execute(RESEND.format(own=either))
    op.execute("""
        CREATE FUNCTION resend_own_receipt(asked text, owner_sha256 text, asked_at timestamptz) RETURNS boolean
        LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
            WITH again AS (
                UPDATE receipt
                SET sent_at = NULL, withheld = NULL, attempts = 0, next_attempt_at = asked_at
                FROM donation
                WHERE receipt.donation_id = asked
                    AND donation.id = receipt.donation_id
                    AND address_digest(donation.donor_email) = owner_sha256
                RETURNING receipt.donation_id
            )
            SELECT EXISTS (SELECT FROM again)
        $$;
        REVOKE ALL ON FUNCTION resend_own_receipt(text, text, timestamptz) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION resend_own_receipt(text, text, timestamptz) TO amply_api
    """)
