"""The tables every module leans on: idempotency keys and the outbox."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE outbox (
            id           bigint      GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_outbox PRIMARY KEY,
            topic        text        NOT NULL,
            payload      jsonb       NOT NULL,
            created_at   timestamptz NOT NULL,
            available_at timestamptz NOT NULL,
            attempts     integer     NOT NULL DEFAULT 0,
            published_at timestamptz
        )
    """)
    op.execute("CREATE INDEX ix_outbox_due ON outbox (available_at) WHERE published_at IS NULL")
    op.execute("""
        CREATE TABLE idempotency_key (
            scope           text        NOT NULL,
            key             text        NOT NULL CONSTRAINT ck_idempotency_key_key_length CHECK (length(key) <= 255),
            request_hash    bytea       NOT NULL,
            resource_id     text        NOT NULL,
            response_status integer,
            response_body   jsonb,
            created_at      timestamptz NOT NULL,
            CONSTRAINT pk_idempotency_key PRIMARY KEY (scope, key),
            CONSTRAINT ck_idempotency_key_response_whole
                CHECK ((response_status IS NULL) = (response_body IS NULL))
        )
    """)
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON outbox, idempotency_key TO amply_app")
    op.execute("GRANT SELECT, INSERT ON outbox TO amply_sequencer")
    # What strangers can reach takes a gift and announces an event: it never reads what others announced.
    op.execute("GRANT SELECT, INSERT, UPDATE ON idempotency_key TO amply_api")
    op.execute("GRANT INSERT, SELECT (id) ON outbox TO amply_api")


def downgrade() -> None:
    op.execute("DROP TABLE idempotency_key")
    op.execute("DROP TABLE outbox")
