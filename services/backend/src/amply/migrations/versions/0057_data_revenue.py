"""What buyers of released data owe for a month, whose shares it is, and what was paid of it (ADR 0143)."""

from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None

CHART = (
    ("data_fees", "credit"),
    ("data_receivable", "debit"),
    ("data_shares", "credit"),
    ("data_shares_due", "credit"),
    ("data_shares_receivable", "debit"),
)
INDEXES = {
    "ix_entry_data_settled": "entry (event_at) WHERE kind = 'data.settled'",
    "ix_entry_data_paid": "entry (event_at) WHERE kind IN ('data.paid', 'data.share_paid')",
}
"""Of what is asked after a restoration: entries that nothing names."""


def upgrade() -> None:
    _indexes()
    codes = ", ".join(f"('{code}', '{side}')" for code, side in CHART)
    op.execute(f"INSERT INTO chart (code, normal_side) VALUES {codes}")  # noqa: S608 -- the table above
    _settlements()
    _shares_and_payments()
    _grants()


def _indexes() -> None:
    # First, and what is repeated without harm where this is cut off: entries go on being booked meanwhile.
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '5min'")
        op.execute("SET statement_timeout = '2h'")
        for name, over in INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {over}")
        op.execute("SET lock_timeout = '5s'")
        op.execute("SET statement_timeout = '10min'")


def _settlements() -> None:
    # One settlement of a contract's month stands at a time; what was reversed stays beside it, with its numbers.
    op.execute("""
        CREATE TABLE data_settlement (
            id                text        CONSTRAINT pk_data_settlement PRIMARY KEY,
            contract_id       text        NOT NULL,
            buyer             text        NOT NULL,
            period            text        NOT NULL
                CONSTRAINT ck_data_settlement_period CHECK (period ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
            number            integer     NOT NULL CONSTRAINT ck_data_settlement_number CHECK (number > 0),
            currency          text        NOT NULL,
            owed_minor        bigint      NOT NULL CONSTRAINT ck_data_settlement_owed_minor CHECK (owed_minor >= 0),
            fee_minor         bigint      NOT NULL,
            price_minor       bigint      NOT NULL,
            per               text        NOT NULL CONSTRAINT ck_data_settlement_per CHECK (per IN ('month', 'gib')),
            seller_share_bp   integer     NOT NULL,
            used_bytes        bigint      NOT NULL,
            reason            text,
            entry_id          text,
            settled_at        timestamptz NOT NULL,
            reversal_reason   text,
            reversal_entry_id text,
            reversed_at       timestamptz,
            told_at           timestamptz,
            attempts          integer     NOT NULL DEFAULT 0,
            next_attempt_at   timestamptz NOT NULL,
            CONSTRAINT uq_data_settlement_number UNIQUE (contract_id, period, number),
            CONSTRAINT ck_data_settlement_fee_minor CHECK (fee_minor BETWEEN 0 AND owed_minor),
            CONSTRAINT ck_data_settlement_booked CHECK ((entry_id IS NULL) = (owed_minor = 0)),
            CONSTRAINT ck_data_settlement_reversed CHECK ((reversed_at IS NULL) = (reversal_reason IS NULL))
        );
        CREATE UNIQUE INDEX uq_data_settlement_standing ON data_settlement (contract_id, period) WHERE reversed_at IS NULL;
        CREATE INDEX ix_data_settlement_period ON data_settlement (period);
        CREATE INDEX ix_data_settlement_untold ON data_settlement (next_attempt_at) WHERE told_at IS NULL
    """)


def _shares_and_payments() -> None:
    op.execute("""
        CREATE TABLE data_share (
            settlement_id     text   NOT NULL
                CONSTRAINT fk_data_share_settlement_id REFERENCES data_settlement (id),
            dataset_id        text   NOT NULL,
            credited          text   NOT NULL,
            dataset_bytes     bigint NOT NULL,
            weight            bigint NOT NULL CONSTRAINT ck_data_share_weight CHECK (weight > 0),
            amount_minor      bigint NOT NULL CONSTRAINT ck_data_share_amount_minor CHECK (amount_minor >= 0),
            entry_id          text,
            reversal_entry_id text,
            CONSTRAINT pk_data_share PRIMARY KEY (settlement_id, dataset_id, credited),
            CONSTRAINT ck_data_share_booked CHECK ((entry_id IS NULL) = (amount_minor = 0))
        );
        CREATE TABLE data_payment (
            id           text        CONSTRAINT pk_data_payment PRIMARY KEY,
            way          text        NOT NULL CONSTRAINT ck_data_payment_way CHECK (way IN ('received', 'passed_on')),
            party        text        NOT NULL,
            currency     text        NOT NULL,
            amount_minor bigint      NOT NULL CONSTRAINT ck_data_payment_amount_minor CHECK (amount_minor > 0),
            reference    text        NOT NULL,
            happened_on  date        NOT NULL,
            entry_id     text        NOT NULL,
            noted_at     timestamptz NOT NULL,
            CONSTRAINT uq_data_payment_reference UNIQUE (way, party, reference)
        )
    """)


def _grants() -> None:
    # The worker's role alone books; operators look.
    op.execute("""
        GRANT SELECT, INSERT,
            UPDATE (reversal_reason, reversal_entry_id, reversed_at, told_at, attempts, next_attempt_at)
            ON data_settlement TO amply_app;
        GRANT SELECT, INSERT, UPDATE (reversal_entry_id) ON data_share TO amply_app;
        GRANT SELECT, INSERT ON data_payment TO amply_app;
        GRANT SELECT ON data_settlement, data_share, data_payment TO amply_operator, amply_read
    """)


def downgrade() -> None:
    op.execute("DROP TABLE data_payment, data_share, data_settlement")
    op.execute("ALTER TABLE chart DISABLE TRIGGER append_only")
    codes = ", ".join(f"'{code}'" for code, _ in CHART)
    op.execute(f"DELETE FROM chart WHERE code IN ({codes})")  # noqa: S608 -- the table above
    op.execute("ALTER TABLE chart ENABLE TRIGGER append_only")
    op.execute(f"DROP INDEX {', '.join(INDEXES)}")
