"""Who was forgotten is noted outside the database (ADR 0123), and filters of payouts have indexes of their own (ADR 0124)."""

from alembic import op

revision = "0050"
down_revision = "0045"
branch_labels = None
depends_on = None

ADDED = {
    "ix_payout_status": "payout (owner, status, created_at, id)",
    "ix_payout_currency": "payout (owner, currency, created_at, id)",
}


def upgrade() -> None:
    # First what is repeated without harm where this is cut off: payouts go on being written meanwhile.
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '5min'")
        op.execute("SET statement_timeout = '2h'")
        for name, rows in ADDED.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {rows}")
        op.execute("SET lock_timeout = '5s'")
        op.execute("SET statement_timeout = '10min'")
    # Empty for those who were forgotten before, too: the worker notes them.
    op.execute("""
        ALTER TABLE person ADD COLUMN erasure_noted_at timestamptz;
        CREATE INDEX ix_person_erasure_not_noted ON person (erased_at)
            WHERE erased_at IS NOT NULL AND erasure_noted_at IS NULL;
        GRANT UPDATE (erasure_noted_at) ON person TO amply_app
    """)


def downgrade() -> None:
    op.execute("ALTER TABLE person DROP COLUMN erasure_noted_at")
    with op.get_context().autocommit_block():
        for name in ADDED:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
