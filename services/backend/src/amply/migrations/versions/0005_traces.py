"""Rows remember the trace they came from, so that whoever takes them up later continues it.

A column that may be empty and has no default takes no rewrite. 55 characters is what W3C's `traceparent` has.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TABLES = ("outbox", "provider_event", "payment", "receipt")


def upgrade() -> None:
    for table in _TABLES:
        op.execute(f"ALTER TABLE {table} ADD COLUMN traceparent varchar(55)")


def downgrade() -> None:
    for table in _TABLES:
        op.execute(f"ALTER TABLE {table} DROP COLUMN traceparent")
