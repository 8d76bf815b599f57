"""The API may say how old the oldest unpublished entry is: when entries were booked, and nothing of what they say."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("GRANT SELECT (id, xid, created_at) ON entry TO amply_api")


def downgrade() -> None:
    op.execute("REVOKE SELECT (id, xid, created_at) ON entry FROM amply_api")
