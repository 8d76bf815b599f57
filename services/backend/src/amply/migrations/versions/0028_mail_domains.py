"""Declines of one mail domain are counted together, within one organisation (ADR 0090)."""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A mark under the day's key, as the others are. Rows of the last two days have none; then they go.
    op.execute("ALTER TABLE opened_gift ADD COLUMN mail_domain bytea")
    op.execute("ALTER TABLE decline ADD COLUMN mail_domain bytea")
    op.execute("CREATE INDEX ix_decline_mail_domain ON decline (mail_domain, declined_at)")


def downgrade() -> None:
    op.execute("ALTER TABLE decline DROP COLUMN mail_domain")
    op.execute("ALTER TABLE opened_gift DROP COLUMN mail_domain")
