"""What donors see by their link beside their plans: their gifts, receipts and years, and the documents they ask for."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _whose()
    _links()
    _documents()
    _receipts()
    _grants()


def _whose() -> None:
    # As `mail.address_digest` makes it, with the lower case of Unicode whatever the database's locale: what is the same
    # address here is the same there. An index over it and no column: nothing to keep, and nothing to forget.
    op.execute(r"""
        CREATE FUNCTION address_digest(address text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
        RETURN encode(
            sha256(convert_to(lower(btrim(address, E' \t\n\r\f\v') COLLATE pg_unicode_fast), 'UTF8')), 'hex'
        )
    """)
    op.execute("""
        CREATE INDEX ix_donation_donor ON donation (address_digest(donor_email), id) WHERE donor_email IS NOT NULL
    """)


def _links() -> None:
    op.execute("""
        ALTER TABLE donor_link_request
            ADD COLUMN language text
                CONSTRAINT ck_donor_link_request_language CHECK (language IN ('en', 'de', 'fr'))
    """)


def _documents() -> None:
    # Made by the worker, which alone can open what the ledger keeps sealed; gone after an hour. `sealed` is encrypted with
    # a key that is not in the database.
    op.execute("""
        CREATE TABLE donor_document (
            id              text        CONSTRAINT pk_donor_document PRIMARY KEY,
            email_sha256    text        NOT NULL
                CONSTRAINT ck_donor_document_email_sha256 CHECK (email_sha256 ~ '^[0-9a-f]{64}$'),
            kind            text        NOT NULL
                CONSTRAINT ck_donor_document_kind CHECK (kind IN ('receipt', 'proof', 'statement')),
            donation_id     text,
            receipt_id      text,
            organization_id text,
            year            integer,
            language        text
                CONSTRAINT ck_donor_document_language CHECK (language IN ('en', 'de', 'fr')),
            state           text        NOT NULL DEFAULT 'waiting'
                CONSTRAINT ck_donor_document_state CHECK (state IN ('waiting', 'ready', 'failed')),
            attempts        integer     NOT NULL DEFAULT 0,
            next_attempt_at timestamptz NOT NULL,
            filename        text,
            sealed          bytea,
            created_at      timestamptz NOT NULL,
            expires_at      timestamptz NOT NULL,
            CONSTRAINT ck_donor_document_about CHECK (
                CASE kind
                    WHEN 'receipt' THEN donation_id IS NOT NULL AND receipt_id IS NOT NULL
                    WHEN 'proof' THEN donation_id IS NOT NULL
                    ELSE organization_id IS NOT NULL AND year IS NOT NULL
                END
            ),
            CONSTRAINT ck_donor_document_ready CHECK (
                (state = 'ready') = (sealed IS NOT NULL) AND (sealed IS NULL) = (filename IS NULL)
            )
        )
    """)
    op.execute("""
        CREATE INDEX ix_donor_document_waiting ON donor_document (next_attempt_at) WHERE state = 'waiting';
        CREATE INDEX ix_donor_document_expires_at ON donor_document (expires_at);
        CREATE INDEX ix_donor_document_email_sha256 ON donor_document (email_sha256)
    """)


def _receipts() -> None:
    # The API may not write to receipts. A donor may have their own sent again, and nobody else's.
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
        $$
    """)
    # Whether a gift may be kept from its organisation: until the end of the transaction no receipt of it is issued. What was
    # declared stays unseen.
    op.execute("""
        CREATE FUNCTION hold_receipt(asked text) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = public, pg_temp AS $$
        BEGIN
            PERFORM FROM receipt WHERE donation_id = asked FOR UPDATE;
            RETURN EXISTS (SELECT FROM receipt_facts WHERE donation_id = asked AND gift_aid IS NOT NULL);
        END $$
    """)


def _grants() -> None:
    op.execute("""
        GRANT SELECT, INSERT ON donor_document TO amply_api;
        GRANT SELECT, UPDATE, DELETE ON donor_document TO amply_app;
        GRANT SELECT (donation_id, received_at) ON receipt TO amply_api;
        GRANT SELECT (id, donation_id, jurisdiction, serial, kind, minor_units, currency, replaces, issued_at, voided_at)
            ON issued_receipt TO amply_api;
        GRANT SELECT (organization_id, time_zone, fiscal_year_starts) ON receipt_settings TO amply_api;
        GRANT SELECT (donation_id, description) ON offline_gift TO amply_api;
        GRANT SELECT (donation_id) ON payment_notice TO amply_api
    """)
    op.execute("""
        REVOKE ALL ON FUNCTION resend_own_receipt(text, text, timestamptz), hold_receipt(text) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION resend_own_receipt(text, text, timestamptz), hold_receipt(text) TO amply_api
    """)


def downgrade() -> None:
    op.execute("DROP FUNCTION hold_receipt(text), resend_own_receipt(text, text, timestamptz)")
    op.execute("""
        REVOKE SELECT (donation_id, received_at) ON receipt FROM amply_api;
        REVOKE SELECT (id, donation_id, jurisdiction, serial, kind, minor_units, currency, replaces, issued_at, voided_at)
            ON issued_receipt FROM amply_api;
        REVOKE SELECT (organization_id, time_zone, fiscal_year_starts) ON receipt_settings FROM amply_api;
        REVOKE SELECT (donation_id, description) ON offline_gift FROM amply_api;
        REVOKE SELECT (donation_id) ON payment_notice FROM amply_api
    """)
    op.execute("DROP TABLE donor_document")
    op.execute("ALTER TABLE donor_link_request DROP COLUMN language")
    op.execute("DROP INDEX ix_donation_donor")
    op.execute("DROP FUNCTION address_digest(text)")
