"""Staff's refusal of official receipts binds the organisation, and exports say when they were begun (ADR 0160, 0125)."""

from alembic import op

revision = "0067"
down_revision = "0066"
branch_labels = None
depends_on = None

_OWN = "organization_id = (SELECT acting_organization())"


def upgrade() -> None:
    # The API reads the refusal and may not lift it, nor give the organisation a law meanwhile.
    op.execute("ALTER TABLE receipt_settings ADD COLUMN is_law_withheld boolean NOT NULL DEFAULT false")
    op.execute(f"""
        ALTER POLICY of_the_acting ON receipt_settings
            WITH CHECK ({_OWN} AND (jurisdiction = 'none' OR NOT is_law_withheld))
    """)
    # Of files from before nobody knows; they count from when they were asked for.
    op.execute("ALTER TABLE organization_export ADD COLUMN begun_at timestamptz")


def downgrade() -> None:
    op.execute("ALTER TABLE organization_export DROP COLUMN begun_at")
    op.execute(f"ALTER POLICY of_the_acting ON receipt_settings WITH CHECK ({_OWN})")
    op.execute("ALTER TABLE receipt_settings DROP COLUMN is_law_withheld")
