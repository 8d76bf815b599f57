"""What a picture shows may be said anew without sending the picture again (ADR 0150)."""

from alembic import op

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("GRANT UPDATE (alt) ON organization_image TO amply_api")


def downgrade() -> None:
    op.execute("REVOKE UPDATE (alt) ON organization_image FROM amply_api")
