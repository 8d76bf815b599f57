"""Where an organisation lets its donors be sent back to after giving."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A new column with a constant default rewrites nothing. The API reads it; only operators change it.
    op.execute("""
        ALTER TABLE organization
            ADD COLUMN return_origins text[] NOT NULL DEFAULT '{}'
                CONSTRAINT ck_organization_return_origins CHECK (
                    cardinality(return_origins) <= 10 AND array_position(return_origins, NULL) IS NULL
                )
    """)
    op.execute("GRANT UPDATE (return_origins) ON organization TO amply_operator")


def downgrade() -> None:
    op.execute("ALTER TABLE organization DROP COLUMN return_origins")
