"""Documents of organisations wait for the worker as other rows do: one that cannot be taken away holds back no other."""

from alembic import op

revision = "0055"
down_revision = "0052"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # What is there is due at once. Processes of the release before name no time: what they add is due at once, too.
    op.execute("""
        ALTER TABLE organization_document
            ADD COLUMN attempts        integer     NOT NULL DEFAULT 0,
            ADD COLUMN next_attempt_at timestamptz NOT NULL DEFAULT now();
        GRANT INSERT (next_attempt_at) ON organization_document TO amply_api;
        GRANT UPDATE (attempts, next_attempt_at) ON organization_document TO amply_app
    """)


def downgrade() -> None:
    op.execute("ALTER TABLE organization_document DROP COLUMN attempts, DROP COLUMN next_attempt_at")
