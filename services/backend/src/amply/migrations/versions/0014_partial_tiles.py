"""How far the publisher has let go of partial tiles that full ones have replaced."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # In hashes of the level (256^level entries each). Can be set back to 0: what was let go of is let go of again.
    op.execute("""
        CREATE TABLE partial_sweep (
            level  smallint CONSTRAINT pk_partial_sweep PRIMARY KEY
                CONSTRAINT ck_partial_sweep_level CHECK (level BETWEEN 0 AND 7),
            hashes bigint   NOT NULL DEFAULT 0 CONSTRAINT ck_partial_sweep_hashes CHECK (hashes >= 0)
        )
    """)
    op.execute("INSERT INTO partial_sweep (level) SELECT generate_series(0, 7)")
    op.execute("GRANT SELECT, UPDATE ON partial_sweep TO amply_sequencer")
    op.execute("GRANT SELECT ON partial_sweep TO amply_read")


def downgrade() -> None:
    op.execute("DROP TABLE partial_sweep")
