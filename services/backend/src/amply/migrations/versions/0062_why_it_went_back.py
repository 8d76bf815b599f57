"""Whether a gift was given back as fraud is asked where its donor lets a plan go on (ADR 0153)."""

from alembic import op

revision = "0062"
down_revision = "0061"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("GRANT SELECT (payment_id, reason, status) ON refund TO amply_api")


def downgrade() -> None:
    op.execute("REVOKE SELECT (payment_id, reason, status) ON refund FROM amply_api")
