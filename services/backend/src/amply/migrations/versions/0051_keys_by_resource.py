"""An answer finds its idempotency key by what the key stands for, however many keys there are."""

from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

_NAME = "ix_idempotency_key_resource_id"


def upgrade() -> None:
    # Gifts go on being written meanwhile. One that is cut off leaves an index that nothing uses: it is made anew.
    with op.get_context().autocommit_block():
        # For the transactions that were there before, which takes nothing from anybody; each lasts a minute at most.
        op.execute("SET lock_timeout = '5min'")
        op.execute("SET statement_timeout = '2h'")
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {_NAME}")
        op.execute(f"CREATE INDEX CONCURRENTLY {_NAME} ON idempotency_key (resource_id)")
        _hurry_again()


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '5min'")
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {_NAME}")
        _hurry_again()


def _hurry_again() -> None:
    op.execute("SET lock_timeout = '5s'")
    op.execute("SET statement_timeout = '10min'")
