"""Events that nobody handles yet are stored: found by their type, without reading all that were handled."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE INDEX ix_provider_event_unsupported ON provider_event (type, occurred_at) WHERE outcome = 'unsupported'
    """)


def downgrade() -> None:
    op.execute("DROP INDEX ix_provider_event_unsupported")
