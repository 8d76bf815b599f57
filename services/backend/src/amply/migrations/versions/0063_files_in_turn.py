"""Files that are handed in wait from when they came, and organisations take turns (ADR 0154). Facts of hidden gifts have an index."""

from alembic import op

revision = "0063"
down_revision = "0062"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _index()
    # Where the worker asks of each file that is due how many of its organisation's own are before it, and when the last one was read.
    op.execute("""
        GRANT UPDATE (next_attempt_at) ON ingest_job TO amply_api;
        CREATE INDEX ix_ingest_job_own_waiting ON ingest_job (organization_id, received_at, id)
            WHERE received_at IS NOT NULL AND finished_at IS NULL AND removed_at IS NULL;
        CREATE INDEX ix_ingest_job_last_read ON ingest_job (organization_id, finished_at)
            WHERE finished_at IS NOT NULL
    """)


def _index() -> None:
    # What is repeated without harm where this is cut off: gifts go on being taken meanwhile.
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '5min'")
        op.execute("SET statement_timeout = '2h'")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_outbox_gift_hidden")
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_outbox_gift_hidden ON outbox (created_at) WHERE topic = 'donations.gift_hidden'"
        )
        op.execute("SET lock_timeout = '5s'")
        op.execute("SET statement_timeout = '10min'")


def downgrade() -> None:
    op.execute("""
        DROP INDEX ix_outbox_gift_hidden;
        DROP INDEX ix_ingest_job_own_waiting, ix_ingest_job_last_read;
        REVOKE UPDATE (next_attempt_at) ON ingest_job FROM amply_api
    """)
