"""Money that goes back: refunds, disputes and warnings of fraud, and what a gift shows of them."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

LISTED_DISPUTE = (
    *("id", "organization_id", "remote_id", "minor_units", "currency", "reason", "status"),
    *("evidence_due_at", "created_at", "updated_at"),
)
LISTED_WARNING = ("id", "organization_id", "remote_id", "fraud_type", "warned_at", "created_at")
"""What operators list of them: nothing that leads to a gift here."""


def upgrade() -> None:
    _columns()
    _refunds()
    _disputes()
    _warnings()
    _grants()


def _columns() -> None:
    op.execute("""
        ALTER TABLE donation
            ADD COLUMN refunded_minor_units bigint NOT NULL DEFAULT 0
                CONSTRAINT ck_donation_refunded_minor_units CHECK (refunded_minor_units >= 0),
            ADD COLUMN dispute_state text
                CONSTRAINT ck_donation_dispute_state CHECK (dispute_state IN ('open', 'lost'))
    """)
    # How often news about money that went back has changed something: an answer of the processor's counts only while
    # nothing was applied since it was asked.
    op.execute("""
        ALTER TABLE payment
            ADD COLUMN returns_known integer NOT NULL DEFAULT 0
                CONSTRAINT ck_payment_returns_known CHECK (returns_known >= 0)
    """)


def _refunds() -> None:
    # `created`: ours, and whether the processor has it is not known. Its reserving entry stands before it is asked.
    op.execute("""
        CREATE TABLE refund (
            id                text        CONSTRAINT pk_refund PRIMARY KEY,
            payment_id        text        NOT NULL
                                          CONSTRAINT fk_refund_payment_id
                                          REFERENCES payment (id) ON UPDATE CASCADE,
            minor_units       bigint      NOT NULL CONSTRAINT ck_refund_minor_units CHECK (minor_units > 0),
            currency          text        NOT NULL CONSTRAINT ck_refund_currency CHECK (currency ~ '^[A-Z]{3}$'),
            status            text        NOT NULL
                                          CONSTRAINT ck_refund_status
                                          CHECK (status IN ('created', 'pending', 'succeeded', 'failed', 'canceled')),
            reason            text,
            remote_id         text        CONSTRAINT uq_refund_remote_id UNIQUE,
            reserved_entry_id text,
            entry_id          text,
            failed_entry_id   text,
            attempts          integer     NOT NULL DEFAULT 0,
            next_attempt_at   timestamptz,
            created_at        timestamptz NOT NULL,
            updated_at        timestamptz NOT NULL,
            CONSTRAINT ck_refund_created_is_reserved CHECK (status <> 'created' OR reserved_entry_id IS NOT NULL),
            CONSTRAINT ck_refund_remote_id_known CHECK (status IN ('created', 'failed') OR remote_id IS NOT NULL)
        )
    """)
    op.execute("CREATE INDEX ix_refund_payment_id ON refund (payment_id)")
    op.execute("CREATE INDEX ix_refund_stuck ON refund (created_at) WHERE status = 'created'")


def _disputes() -> None:
    # `booked` holds digests of the processor's balance transactions that are in the books.
    op.execute("""
        CREATE TABLE dispute (
            id               text        CONSTRAINT pk_dispute PRIMARY KEY,
            payment_id       text        NOT NULL
                                         CONSTRAINT fk_dispute_payment_id
                                         REFERENCES payment (id) ON UPDATE CASCADE,
            organization_id  text        NOT NULL REFERENCES organization (id),
            remote_id        text        NOT NULL CONSTRAINT uq_dispute_remote_id UNIQUE,
            minor_units      bigint      NOT NULL CONSTRAINT ck_dispute_minor_units CHECK (minor_units > 0),
            currency         text        NOT NULL CONSTRAINT ck_dispute_currency CHECK (currency ~ '^[A-Z]{3}$'),
            reason           text        NOT NULL,
            status           text        NOT NULL,
            evidence_due_at  timestamptz,
            booked           text[]      NOT NULL DEFAULT '{}',
            opened_entry_id  text,
            held_minor_units bigint      NOT NULL DEFAULT 0,
            lost_minor_units bigint      NOT NULL DEFAULT 0,
            created_at       timestamptz NOT NULL,
            updated_at       timestamptz NOT NULL
        )
    """)
    op.execute("CREATE INDEX ix_dispute_payment_id ON dispute (payment_id)")


def _warnings() -> None:
    op.execute("""
        CREATE TABLE fraud_warning (
            id              text        CONSTRAINT pk_fraud_warning PRIMARY KEY,
            payment_id      text        NOT NULL
                                        CONSTRAINT fk_fraud_warning_payment_id
                                        REFERENCES payment (id) ON UPDATE CASCADE,
            organization_id text        NOT NULL REFERENCES organization (id),
            remote_id       text        NOT NULL CONSTRAINT uq_fraud_warning_remote_id UNIQUE,
            fraud_type      text        NOT NULL,
            warned_at       timestamptz NOT NULL,
            created_at      timestamptz NOT NULL
        )
    """)
    op.execute("CREATE INDEX ix_fraud_warning_payment_id ON fraud_warning (payment_id)")


def _grants() -> None:
    op.execute("GRANT SELECT, INSERT, UPDATE ON refund, dispute, fraud_warning TO amply_app")
    op.execute("GRANT SELECT ON refund, dispute, fraud_warning TO amply_read")
    op.execute(f"GRANT SELECT ({', '.join(LISTED_DISPUTE)}) ON dispute TO amply_operator")
    op.execute(f"GRANT SELECT ({', '.join(LISTED_WARNING)}) ON fraud_warning TO amply_operator")


def downgrade() -> None:
    op.execute("DROP TABLE fraud_warning, dispute, refund")
    op.execute("ALTER TABLE payment DROP COLUMN returns_known")
    op.execute("ALTER TABLE donation DROP COLUMN dispute_state, DROP COLUMN refunded_minor_units")
