"""Envelope keys: wrapped by KMS, one for each scope and version; and who a gift is of, sealed (ADR 0121)."""

from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _keys()
    _donors()
    _people()
    _grants()


def _keys() -> None:
    # A version that is destroyed keeps its number and loses its bytes: what it sealed opens nowhere any more.
    op.execute("""
        CREATE TABLE data_key (
            scope        text        NOT NULL
                CONSTRAINT ck_data_key_scope CHECK (scope ~ '^[a-z-]+(:[a-z]+_[0-9A-Za-z]+)?$'),
            version      integer     NOT NULL CONSTRAINT ck_data_key_version CHECK (version > 0),
            wrapped      bytea,
            seals_from   timestamptz NOT NULL,
            created_at   timestamptz NOT NULL,
            destroyed_at timestamptz,
            CONSTRAINT pk_data_key PRIMARY KEY (scope, version),
            CONSTRAINT ck_data_key_destroyed CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
        )
    """)
    # Migrations run before processes are replaced, and those of the release before read nothing sealed: where there are
    # people or gifts already, sealing begins once they are gone. Deployments take less than an hour (docs/security.md).
    op.execute("""
        CREATE TABLE sealing (
            begins_at timestamptz NOT NULL,
            is_only   boolean     NOT NULL DEFAULT true CONSTRAINT pk_sealing PRIMARY KEY
                CONSTRAINT ck_sealing_is_only CHECK (is_only)
        )
    """)
    op.execute("""
        INSERT INTO sealing (begins_at)
        SELECT CASE
            WHEN EXISTS (SELECT FROM donation) OR EXISTS (SELECT FROM person) THEN now() + interval '3 hours'
            ELSE now()
        END
    """)


def _donors() -> None:
    # Beside the columns that hold the same in the clear, which are emptied row by row; a release later they can go.
    for table in ("donation", "plan"):
        op.execute(f"""
            ALTER TABLE {table}
                ADD COLUMN sealed bytea,
                ADD COLUMN donor_index bytea,
                ADD CONSTRAINT ck_{table}_erased_is_unsealed CHECK (
                    erased_at IS NULL OR (sealed IS NULL AND donor_index IS NULL)
                ),
                ADD CONSTRAINT ck_{table}_sealed_once CHECK (
                    sealed IS NULL OR (donor_name IS NULL AND donor_email IS NULL AND message IS NULL)
                )
        """)
        # What finds a donor's rows, what is not sealed yet, and what an older version of a key sealed or indexed.
        op.execute(f"""
            CREATE INDEX ix_{table}_donor_index ON {table} (donor_index, id) WHERE donor_index IS NOT NULL;
            CREATE INDEX ix_{table}_in_the_clear ON {table} (id) WHERE sealed IS NULL
                AND (donor_name IS NOT NULL OR donor_email IS NOT NULL OR message IS NOT NULL);
            CREATE INDEX ix_{table}_sealed_by ON {table} (substring(sealed, 1, 5)) WHERE sealed IS NOT NULL
        """)
    op.execute("""
        CREATE OR REPLACE VIEW organization_gift AS
            SELECT
                id, organization_id, minor_units, currency, status, donor_name, donor_email, message, entry_id,
                created_at, updated_at, erased_at, refunded_minor_units, dispute_state, fee_cover_minor_units,
                fee_cover_method, processor_fee_minor_units, method, reversed_at, fund_id, anonymity, sealed
            FROM donation
            WHERE organization_id = (SELECT acting_organization())
    """)
    # As the one with three arguments, which processes of the release before go on calling.
    op.execute("""
        CREATE FUNCTION resend_own_receipt(
            asked text, owner_sha256 text, owner_indexes bytea[], asked_at timestamptz
        ) RETURNS boolean
        LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
            WITH again AS (
                UPDATE receipt
                SET sent_at = NULL, withheld = NULL, attempts = 0, next_attempt_at = asked_at
                FROM donation
                WHERE receipt.donation_id = asked
                    AND donation.id = receipt.donation_id
                    AND (
                        donation.donor_index = ANY (owner_indexes)
                        OR address_digest(donation.donor_email) = owner_sha256
                    )
                RETURNING receipt.donation_id
            )
            SELECT EXISTS (SELECT FROM again)
        $$
    """)
    op.execute("""
        REVOKE ALL ON FUNCTION resend_own_receipt(text, text, bytea[], timestamptz) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION resend_own_receipt(text, text, bytea[], timestamptz) TO amply_api
    """)


def _people() -> None:
    op.execute("""
        CREATE INDEX ix_person_sealed_by ON person (substring(sealed_address, 1, 5)) WHERE sealed_address IS NOT NULL;
        CREATE INDEX ix_person_totp_sealed_by ON person_totp (substring(sealed_secret, 1, 5))
    """)
    # The worker seals anew what an older key sealed.
    op.execute("""
        GRANT UPDATE (sealed_address) ON person TO amply_app;
        GRANT SELECT (person_id, sealed_secret), UPDATE (sealed_secret) ON person_totp TO amply_app
    """)


def _grants() -> None:
    op.execute("""
        GRANT SELECT, INSERT ON data_key TO amply_api;
        GRANT SELECT, INSERT, UPDATE (wrapped, destroyed_at) ON data_key TO amply_app;
        GRANT SELECT ON sealing TO amply_api, amply_app
    """)


def downgrade() -> None:
    # Without the keys nobody could ever read what they sealed.
    op.execute(r"""
        DO $$
        BEGIN
            IF EXISTS (SELECT FROM person WHERE get_byte(sealed_address, 0) <> 1)
                OR EXISTS (SELECT FROM address_claim WHERE get_byte(sealed_address, 0) <> 1)
                OR EXISTS (SELECT FROM person_letter WHERE get_byte(sealed_address, 0) <> 1)
                OR EXISTS (SELECT FROM person_totp WHERE get_byte(sealed_secret, 0) <> 1)
                OR EXISTS (SELECT FROM sign_in_connection WHERE get_byte(sealed_secret, 0) <> 1)
                OR EXISTS (SELECT FROM sign_in_grant WHERE get_byte(sealed_refresh, 0) <> 1)
                OR EXISTS (SELECT FROM scim_resource WHERE get_byte(sealed, 0) <> 1)
                OR EXISTS (SELECT FROM donation WHERE sealed IS NOT NULL)
                OR EXISTS (SELECT FROM plan WHERE sealed IS NOT NULL)
            THEN
                RAISE EXCEPTION 'personal data is sealed by these keys: there is no way back';
            END IF;
        END $$
    """)
    op.execute("DROP FUNCTION resend_own_receipt(text, text, bytea[], timestamptz)")
    op.execute("DROP VIEW organization_gift")
    op.execute("""
        CREATE VIEW organization_gift AS
            SELECT
                id, organization_id, minor_units, currency, status, donor_name, donor_email, message, entry_id,
                created_at, updated_at, erased_at, refunded_minor_units, dispute_state, fee_cover_minor_units,
                fee_cover_method, processor_fee_minor_units, method, reversed_at, fund_id, anonymity
            FROM donation
            WHERE organization_id = (SELECT acting_organization());
        GRANT SELECT ON organization_gift TO amply_api
    """)
    for table in ("donation", "plan"):
        op.execute(f"ALTER TABLE {table} DROP COLUMN sealed, DROP COLUMN donor_index")
    op.execute("""
        REVOKE UPDATE (sealed_address) ON person FROM amply_app;
        REVOKE SELECT (person_id, sealed_secret), UPDATE (sealed_secret) ON person_totp FROM amply_app;
        DROP INDEX ix_person_sealed_by, ix_person_totp_sealed_by;
        DROP TABLE sealing, data_key
    """)
