"""Files that are handed in wait from when they came, and organisations take turns (ADR 0154)."""

from alembic import op

revision = "0063"
down_revision = "0062"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Where the worker asks of each file that is due how many of its organisation's own are before it, and when the last one was read.
    op.execute("""
        GRANT UPDATE (next_attempt_at) ON ingest_job TO amply_api;
        CREATE INDEX ix_ingest_job_own_waiting ON ingest_job (organization_id, received_at, id)
            WHERE received_at IS NOT NULL AND finished_at IS NULL AND removed_at IS NULL;
        CREATE INDEX ix_ingest_job_last_read ON ingest_job (organization_id, finished_at)
            WHERE finished_at IS NOT NULL
    """)


def downgrade() -> None:
    op.execute("""
        DROP INDEX ix_ingest_job_own_waiting, ix_ingest_job_last_read;
        REVOKE UPDATE (next_attempt_at) ON ingest_job FROM amply_api
    """)
