"""Organisations, payments, donations and the inbox of provider events."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _organizations()
    _gifts()
    _receipts_and_inbox()
    _grants()


def _organizations() -> None:
    op.execute("""
        CREATE TABLE organization (
            id         text        CONSTRAINT pk_organization PRIMARY KEY,
            slug       text        NOT NULL CONSTRAINT uq_organization_slug UNIQUE,
            name       text        NOT NULL,
            country    text        NOT NULL CONSTRAINT ck_organization_country CHECK (country ~ '^[A-Z]{2}$'),
            created_at timestamptz NOT NULL
        )
    """)
    op.execute("""
        CREATE TABLE processor_account (
            organization_id text        CONSTRAINT pk_processor_account PRIMARY KEY
                                        REFERENCES organization (id),
            account_id      text        NOT NULL CONSTRAINT uq_processor_account_account_id UNIQUE,
            status          text        NOT NULL
                                        CONSTRAINT ck_processor_account_status
                                        CHECK (status IN ('pending', 'active', 'restricted')),
            updated_at      timestamptz NOT NULL
        )
    """)


def _gifts() -> None:
    op.execute("""
        CREATE TABLE donation (
            id              text        CONSTRAINT pk_donation PRIMARY KEY,
            organization_id text        NOT NULL REFERENCES organization (id),
            minor_units     bigint      NOT NULL CONSTRAINT ck_donation_minor_units CHECK (minor_units > 0),
            currency        text        NOT NULL CONSTRAINT ck_donation_currency CHECK (currency ~ '^[A-Z]{3}$'),
            status          text        NOT NULL
                                        CONSTRAINT ck_donation_status
                                        CHECK (status IN ('pending', 'processing', 'succeeded', 'failed', 'canceled')),
            donor_name      text,
            donor_email     text,
            message         text,
            entry_id        text        CONSTRAINT uq_donation_entry_id UNIQUE,
            created_at      timestamptz NOT NULL,
            updated_at      timestamptz NOT NULL,
            CONSTRAINT ck_donation_succeeded_is_booked CHECK ((status = 'succeeded') = (entry_id IS NOT NULL))
        )
    """)
    op.execute("CREATE INDEX ix_donation_organization_id ON donation (organization_id, id)")
    op.execute("""
        CREATE TABLE payment (
            id              text        CONSTRAINT pk_payment PRIMARY KEY,
            donation_id     text        NOT NULL CONSTRAINT uq_payment_donation_id UNIQUE REFERENCES donation (id),
            organization_id text        NOT NULL REFERENCES organization (id),
            account_id      text        NOT NULL,
            minor_units     bigint      NOT NULL CONSTRAINT ck_payment_minor_units CHECK (minor_units > 0),
            currency        text        NOT NULL CONSTRAINT ck_payment_currency CHECK (currency ~ '^[A-Z]{3}$'),
            status          text        NOT NULL
                                        CONSTRAINT ck_payment_status
                                        CHECK (status IN ('created', 'pending', 'processing',
                                                          'succeeded', 'failed', 'canceled')),
            remote_id       text        CONSTRAINT uq_payment_remote_id UNIQUE,
            attempts        integer     NOT NULL DEFAULT 0,
            next_attempt_at timestamptz,
            created_at      timestamptz NOT NULL,
            updated_at      timestamptz NOT NULL,
            CONSTRAINT ck_payment_remote_id_known CHECK (status IN ('created', 'failed') OR remote_id IS NOT NULL)
        )
    """)
    op.execute("CREATE INDEX ix_payment_stuck ON payment (created_at) WHERE status = 'created'")


def _receipts_and_inbox() -> None:
    op.execute("""
        CREATE TABLE receipt (
            donation_id     text        CONSTRAINT pk_receipt PRIMARY KEY REFERENCES donation (id),
            entry_id        text        NOT NULL,
            attempts        integer     NOT NULL DEFAULT 0,
            next_attempt_at timestamptz NOT NULL,
            sent_at         timestamptz
        )
    """)
    op.execute("CREATE INDEX ix_receipt_due ON receipt (next_attempt_at) WHERE sent_at IS NULL")
    op.execute("""
        CREATE TABLE provider_event (
            id              text        CONSTRAINT pk_provider_event PRIMARY KEY,
            type            text        NOT NULL,
            account_id      text,
            livemode        boolean     NOT NULL,
            payload         jsonb       NOT NULL,
            occurred_at     timestamptz NOT NULL,
            received_at     timestamptz NOT NULL,
            attempts        integer     NOT NULL DEFAULT 0,
            next_attempt_at timestamptz NOT NULL,
            handled_at      timestamptz,
            outcome         text,
            CONSTRAINT ck_provider_event_outcome_when_handled CHECK ((handled_at IS NULL) = (outcome IS NULL))
        )
    """)
    op.execute(
        "CREATE INDEX ix_provider_event_unhandled ON provider_event (next_attempt_at) WHERE handled_at IS NULL"
    )


def _grants() -> None:
    op.execute("""
        GRANT SELECT, INSERT, UPDATE
        ON organization, processor_account, donation, payment, receipt, provider_event
        TO amply_app
    """)
    op.execute("GRANT SELECT ON organization, processor_account TO amply_api")
    op.execute("GRANT SELECT, INSERT, UPDATE ON donation, payment TO amply_api")
    op.execute("GRANT SELECT, INSERT ON provider_event TO amply_api")
    op.execute("GRANT SELECT ON organization, processor_account, payment TO amply_read")


def downgrade() -> None:
    op.execute("DROP TABLE provider_event, receipt, payment, donation, processor_account, organization")
