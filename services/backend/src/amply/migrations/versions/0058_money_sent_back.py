"""Money that is sent back to buyers of released data stands beside what they paid (ADR 0143)."""

from alembic import op

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None

OF_TWO = ("ix_entry_data_paid", "'data.paid', 'data.share_paid'")
OF_THREE = ("ix_entry_data_moved", "'data.paid', 'data.sent_back', 'data.share_paid'")


def upgrade() -> None:
    _index(*OF_THREE, instead_of=OF_TWO[0])
    _ways("'received', 'passed_on', 'sent_back'")


def downgrade() -> None:
    # Where something was sent back this is refused: the books have it.
    _ways("'received', 'passed_on'")
    _index(*OF_TWO, instead_of=OF_THREE[0])


def _index(name: str, kinds: str, *, instead_of: str) -> None:
    # What is repeated without harm where this is cut off: entries go on being booked meanwhile.
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '5min'")
        op.execute("SET statement_timeout = '2h'")
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        op.execute(f"CREATE INDEX CONCURRENTLY {name} ON entry (event_at) WHERE kind IN ({kinds})")
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {instead_of}")
        op.execute("SET lock_timeout = '5s'")
        op.execute("SET statement_timeout = '10min'")


def _ways(ways: str) -> None:
    op.execute(
        "ALTER TABLE data_payment DROP CONSTRAINT ck_data_payment_way, "
        f"ADD CONSTRAINT ck_data_payment_way CHECK (way IN ({ways}))"
    )
