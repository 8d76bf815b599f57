"""Indexes for lists that stay flat however long they are, in the order they are shown in (ADR 0124)."""

from alembic import op

revision = "0040"
down_revision = "0038"
branch_labels = None
depends_on = None

ADDED = {
    "ix_organization_created_at": "organization (created_at, id)",
    "ix_organization_name": "organization (name, id)",
    "ix_organization_country": "organization (country, created_at, id)",
    "ix_organization_country_name": "organization (country, name, id)",
    "ix_donation_begun": "donation (organization_id, created_at, id)",
    "ix_donation_status": "donation (organization_id, status, created_at, id)",
    "ix_donation_currency": "donation (organization_id, currency, created_at, id)",
    "ix_donation_fund": "donation (organization_id, fund_id, created_at, id) WHERE fund_id IS NOT NULL",
    "ix_audit_record_of": "audit_record (organization_id, at, id)",
    "ix_audit_record_action_of": "audit_record (organization_id, action, at, id)",
    "ix_audit_record_actor_of": "audit_record (organization_id, actor, at, id)",
}
REPLACED = {
    "ix_donation_organization_id": "donation (organization_id, id)",
}
"""What nothing asks for any more: one index less that every gift is written to."""


def upgrade() -> None:
    # Gifts go on being written meanwhile. One that is cut off leaves an index that nothing uses: it is made anew.
    with op.get_context().autocommit_block():
        _wait_for_others()
        for name, rows in ADDED.items():
            _make(name, rows)
        for name in REPLACED:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        _hurry_again()


def downgrade() -> None:
    with op.get_context().autocommit_block():
        _wait_for_others()
        for name, rows in REPLACED.items():
            _make(name, rows)
        for name in ADDED:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        _hurry_again()


def _make(name: str, rows: str) -> None:
    op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
    op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {rows}")


def _wait_for_others() -> None:
    # For the transactions that were there before, which takes nothing from anybody; each lasts a minute at most.
    op.execute("SET lock_timeout = '5min'")
    op.execute("SET statement_timeout = '2h'")


def _hurry_again() -> None:
    op.execute("SET lock_timeout = '5s'")
    op.execute("SET statement_timeout = '10min'")
