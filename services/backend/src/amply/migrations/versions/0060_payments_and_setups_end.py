"""What must end at the processor: payments that many cards were tried on or nobody pays, and SetupIntents (ADR 0151).

`payment_ending` lives as long as its payment, where `opened_gift` is deleted after two days. A decline may be of a SetupIntent,
whose owner is a gift to several organisations or a plan.
"""

from alembic import op

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _index()
    _endings()
    _setups()
    _declines()
    op.execute("""
        GRANT SELECT, INSERT, UPDATE, DELETE ON payment_ending, card_setup TO amply_app;
        GRANT SELECT, INSERT, UPDATE (ended_at) ON card_setup TO amply_api
    """)


def _index() -> None:
    # What is repeated without harm where this is cut off: gifts go on being taken meanwhile.
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '5min'")
        op.execute("SET statement_timeout = '2h'")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_payment_open")
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_payment_open ON payment (created_at) WHERE status IN ('pending', 'failed')"
        )
        op.execute("SET lock_timeout = '5s'")
        op.execute("SET statement_timeout = '10min'")


def _endings() -> None:
    op.execute("""
        CREATE TABLE payment_ending (
            payment_id      text        CONSTRAINT pk_payment_ending PRIMARY KEY
                                        CONSTRAINT fk_payment_ending_payment_id
                                        REFERENCES payment (id) ON UPDATE CASCADE,
            is_exhausted    boolean     NOT NULL,
            asked_at        timestamptz NOT NULL,
            ended_at        timestamptz,
            attempts        integer     NOT NULL DEFAULT 0,
            next_attempt_at timestamptz NOT NULL
        )
    """)
    op.execute(
        "CREATE INDEX ix_payment_ending_due ON payment_ending (next_attempt_at) WHERE ended_at IS NULL"
    )
    op.execute("""
        INSERT INTO payment_ending (payment_id, is_exhausted, asked_at, next_attempt_at)
            SELECT payment.id, true, opened_gift.exhausted_at, opened_gift.exhausted_at
            FROM opened_gift
            JOIN payment ON payment.donation_id = opened_gift.donation_id
            WHERE opened_gift.exhausted_at IS NOT NULL AND opened_gift.closed_at IS NULL
    """)


def _setups() -> None:
    op.execute("""
        CREATE TABLE card_setup (
            remote_id        text        CONSTRAINT pk_card_setup PRIMARY KEY,
            account_id       text,
            owner_id         text        NOT NULL,
            organization_ids text[]      NOT NULL,
            small_at         text[]      NOT NULL,
            address          bytea,
            network          bytea,
            device           bytea,
            mail             bytea,
            mail_domain      bytea,
            is_challenged    boolean     NOT NULL,
            opened_at        timestamptz NOT NULL,
            is_exhausted     boolean     NOT NULL DEFAULT false,
            ended_at         timestamptz,
            attempts         integer     NOT NULL DEFAULT 0,
            next_attempt_at  timestamptz NOT NULL
        )
    """)
    op.execute("CREATE INDEX ix_card_setup_owner_id ON card_setup (owner_id)")
    op.execute("CREATE INDEX ix_card_setup_opened_at ON card_setup (opened_at)")
    op.execute("CREATE INDEX ix_card_setup_due ON card_setup (next_attempt_at) WHERE ended_at IS NULL")


def _declines() -> None:
    # Gifts that an organisation's program took have no marks.
    op.execute("ALTER TABLE opened_gift ALTER COLUMN mail DROP NOT NULL")
    op.execute("""
        ALTER TABLE decline
            ALTER COLUMN donation_id DROP NOT NULL,
            ADD COLUMN owner_id text,
            ADD COLUMN split_id text,
            ADD COLUMN is_challenged boolean NOT NULL DEFAULT false,
            ADD COLUMN is_collected boolean NOT NULL DEFAULT false,
            ADD COLUMN is_repeat boolean NOT NULL DEFAULT false,
            ADD CONSTRAINT ck_decline_of_one CHECK (num_nonnulls(donation_id, owner_id) = 1)
    """)
    op.execute("CREATE INDEX ix_decline_owner_id ON decline (owner_id, declined_at)")
    op.execute("CREATE INDEX ix_decline_split_id ON decline (split_id) WHERE split_id IS NOT NULL")


def downgrade() -> None:
    op.execute("DELETE FROM decline WHERE donation_id IS NULL")
    op.execute("""
        ALTER TABLE decline
            DROP COLUMN owner_id, DROP COLUMN split_id, DROP COLUMN is_challenged, DROP COLUMN is_collected, DROP COLUMN is_repeat,
            ALTER COLUMN donation_id SET NOT NULL
    """)
    op.execute("UPDATE opened_gift SET mail = '' WHERE mail IS NULL")
    op.execute("ALTER TABLE opened_gift ALTER COLUMN mail SET NOT NULL")
    op.execute("DROP TABLE card_setup, payment_ending")
    op.execute("DROP INDEX ix_payment_open")
