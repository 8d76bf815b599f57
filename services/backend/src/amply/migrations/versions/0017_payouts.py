"""Payouts with the steps that were booked of them, what moved an account's balance at the processor, and how far we looked.

Nothing here leads to a donor: of what moved a balance its digest is kept, and the entry that books it.
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

OWNER = "'^(platform|(org|biz)_[0-9a-z]{26})$'"


def upgrade() -> None:
    _payouts()
    _movements()
    _balances()
    _watermarks()
    _grants()


def _payouts() -> None:
    # What the processor said of a payout when it was last asked. An entry's id stands where its step was booked.
    op.execute(f"""
        CREATE TABLE payout (
            id                text        CONSTRAINT pk_payout PRIMARY KEY
                CONSTRAINT ck_payout_id CHECK (id ~ '^po_[0-9A-Za-z_]+$' AND length(id) <= 100),
            owner             text        NOT NULL CONSTRAINT ck_payout_owner CHECK (owner ~ {OWNER}),
            account_id        text,
            minor_units       bigint      NOT NULL,
            currency          text        NOT NULL CONSTRAINT ck_payout_currency CHECK (currency ~ '^[A-Z]{{3}}$'),
            status            text        NOT NULL
                CONSTRAINT ck_payout_status CHECK (status IN ('pending', 'in_transit', 'paid', 'failed', 'canceled')),
            is_automatic      boolean     NOT NULL,
            created_at        timestamptz NOT NULL,
            arrives_on        date        NOT NULL,
            bank_reference    text,
            failure_code      text,
            created_entry_id  text,
            paid_entry_id     text,
            returned_entry_id text,
            failed_entry_id   text,
            asked_at          timestamptz NOT NULL,
            reconciled_at     timestamptz,
            items             bigint,
            items_minor_units bigint,
            CONSTRAINT ck_payout_reconciled CHECK (
                (reconciled_at IS NULL) = (items IS NULL) AND (items IS NULL) = (items_minor_units IS NULL)
            )
        )
    """)
    op.execute("CREATE INDEX ix_payout_owner ON payout (owner, created_at, id)")
    op.execute("CREATE INDEX ix_payout_unequal ON payout (id) WHERE items_minor_units <> minor_units")


def _movements() -> None:
    # One row for the amount and one for each fee of a balance transaction, as the processor signs it: positive is in.
    op.execute(f"""
        CREATE TABLE movement (
            id                 text        CONSTRAINT pk_movement PRIMARY KEY,
            owner              text        NOT NULL CONSTRAINT ck_movement_owner CHECK (owner ~ {OWNER}),
            transaction_digest text        NOT NULL
                CONSTRAINT ck_movement_transaction_digest CHECK (transaction_digest ~ '^sha256:[0-9a-f]{{64}}$'),
            part               text        NOT NULL
                CONSTRAINT ck_movement_part CHECK (part IN ('amount', 'fee', 'application_fee')),
            payout_id          text        CONSTRAINT fk_movement_payout_id REFERENCES payout (id),
            category           text        NOT NULL,
            kind               text,
            booked_as          text,
            minor_units        bigint      NOT NULL CONSTRAINT ck_movement_minor_units CHECK (minor_units <> 0),
            currency           text        NOT NULL CONSTRAINT ck_movement_currency CHECK (currency ~ '^[A-Z]{{3}}$'),
            occurred_at        timestamptz NOT NULL,
            state              text        NOT NULL
                CONSTRAINT ck_movement_state CHECK (state IN ('open', 'matched', 'outside', 'explained')),
            reason             text        CONSTRAINT ck_movement_reason CHECK (reason ~ '^[a-z][a-z0-9_]{{0,63}}$'),
            entry_id           text,
            seen_at            timestamptz NOT NULL,
            checked_at         timestamptz NOT NULL,
            CONSTRAINT uq_movement_transaction_digest UNIQUE (transaction_digest, part),
            CONSTRAINT ck_movement_entry_id CHECK ((state = 'matched') = (entry_id IS NOT NULL)),
            CONSTRAINT ck_movement_has_reason CHECK ((state = 'matched') = (reason IS NULL))
        )
    """)
    op.execute("CREATE INDEX ix_movement_open ON movement (checked_at, id) WHERE state = 'open'")
    op.execute("CREATE INDEX ix_movement_payout_id ON movement (payout_id, id) WHERE payout_id IS NOT NULL")
    op.execute("CREATE INDEX ix_movement_owner ON movement (owner, currency) INCLUDE (state, minor_units)")


def _balances() -> None:
    # What the two sides said when they were last held together, and since when they differ.
    op.execute(f"""
        CREATE TABLE processor_balance (
            owner                  text        NOT NULL
                CONSTRAINT ck_processor_balance_owner CHECK (owner ~ {OWNER}),
            currency               text        NOT NULL
                CONSTRAINT ck_processor_balance_currency CHECK (currency ~ '^[A-Z]{{3}}$'),
            processor_minor_units  bigint      NOT NULL,
            books_minor_units      bigint      NOT NULL,
            outside_minor_units    bigint      NOT NULL,
            open_minor_units       bigint      NOT NULL,
            difference_minor_units bigint      NOT NULL GENERATED ALWAYS AS (
                processor_minor_units - books_minor_units - outside_minor_units - open_minor_units
            ) STORED,
            measured_at            timestamptz NOT NULL,
            differs_since          timestamptz,
            CONSTRAINT pk_processor_balance PRIMARY KEY (owner, currency),
            CONSTRAINT ck_processor_balance_differs_since CHECK (
                (differs_since IS NULL) = (difference_minor_units = 0)
            )
        )
    """)


def _watermarks() -> None:
    # Everything before `seen_to` was looked at; a look that did not come to its end goes on below `walked_to`.
    for table in ("movement_watermark", "event_watermark"):
        op.execute(f"""
            CREATE TABLE {table} (
                account_id text        CONSTRAINT pk_{table} PRIMARY KEY,
                seen_to    timestamptz NOT NULL,
                began_at   timestamptz,
                walked_to  timestamptz,
                looked_at  timestamptz,
                CONSTRAINT ck_{table}_walk CHECK ((began_at IS NULL) = (walked_to IS NULL))
            )
        """)


def _grants() -> None:
    written = "payout, movement, processor_balance, movement_watermark, event_watermark"
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON {written} TO amply_app")
    op.execute(f"GRANT SELECT ON {written} TO amply_read, amply_operator")
    # `payouts resolve`: why a movement is in no books, never what moved.
    op.execute("GRANT UPDATE (state, reason, checked_at) ON movement TO amply_operator")
    # The public statement of a payout: nothing of a bank, nothing that is not in the log.
    op.execute("""
        GRANT SELECT (
            id, owner, minor_units, currency, status, is_automatic, created_at, arrives_on, created_entry_id,
            paid_entry_id, returned_entry_id, failed_entry_id, reconciled_at, items, items_minor_units
        ) ON payout TO amply_api;
        GRANT SELECT (
            id, owner, transaction_digest, part, payout_id, category, kind, minor_units, currency, occurred_at, state,
            entry_id
        ) ON movement TO amply_api
    """)


def downgrade() -> None:
    op.execute("DROP TABLE event_watermark, movement_watermark, processor_balance, movement, payout")
