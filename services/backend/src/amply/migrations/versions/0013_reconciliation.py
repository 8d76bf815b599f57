"""How far rows and log were held against each other, and what was found."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE reconciliation (
            only_row     boolean     DEFAULT true CONSTRAINT pk_reconciliation PRIMARY KEY
                CONSTRAINT ck_reconciliation_only_row CHECK (only_row),
            checked_to   bigint      NOT NULL CONSTRAINT ck_reconciliation_checked_to CHECK (checked_to >= 0),
            began_at     timestamptz NOT NULL,
            completed_at timestamptz,
            difference   text
        )
    """)
    op.execute("INSERT INTO reconciliation (checked_to, began_at) VALUES (0, now())")
    op.execute("GRANT SELECT ON reconciliation TO amply_app, amply_read")
    op.execute("""
        GRANT UPDATE (checked_to, began_at, completed_at, difference) ON reconciliation TO amply_app
    """)


def downgrade() -> None:
    op.execute("DROP TABLE reconciliation")
