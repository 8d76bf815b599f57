"""What staff record, and what letters and journals say.

Things for funds, what a plan's charge was tried with and never answered, and which entry an exchange is of.
"""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

LISTED = ("due_on", "minor_units", "fee_cover_minor_units", "currency", "unanswered", "unanswered_at")
"""What operators list of a charge beside how it stands: nothing that leads to its donor."""


def upgrade() -> None:
    # A thing may be given for a fund: `gifts_in_kind` has parts, as `gifts` has (ADR 0099).
    _parts("^gifts(_in_kind)?/fund_[0-9a-z]{26}$")
    # The digest of the key of the entry whose money was exchanged; filled as transactions are listed (again).
    op.execute("ALTER TABLE movement ADD COLUMN exchanges text")
    op.execute("ALTER TABLE plan_letter ADD COLUMN method_kind text, ADD COLUMN method_last4 text")
    op.execute("""
        ALTER TABLE plan_charge
            ADD COLUMN unanswered    text
                CONSTRAINT ck_plan_charge_unanswered CHECK (unanswered IN ('charge', 'outcome')),
            ADD COLUMN unanswered_at timestamptz,
            ADD CONSTRAINT ck_plan_charge_unanswered_at CHECK ((unanswered IS NULL) = (unanswered_at IS NULL))
    """)
    op.execute("""
        CREATE INDEX ix_plan_charge_unanswered ON plan_charge (unanswered_at) WHERE unanswered_at IS NOT NULL
    """)
    op.execute(f"GRANT SELECT ({', '.join(LISTED)}) ON plan_charge TO amply_operator")


def downgrade() -> None:
    """Refused by the table of accounts itself where one holds things for a fund: what is booked stays."""
    op.execute("ALTER TABLE plan_charge DROP COLUMN unanswered_at, DROP COLUMN unanswered")
    op.execute(
        "REVOKE SELECT (due_on, minor_units, fee_cover_minor_units, currency) ON plan_charge FROM amply_operator"
    )
    op.execute("ALTER TABLE plan_letter DROP COLUMN method_last4, DROP COLUMN method_kind")
    op.execute("ALTER TABLE movement DROP COLUMN exchanges")
    _parts("^gifts/fund_[0-9a-z]{26}$")


def _parts(accounts: str) -> None:
    op.execute(f"""
        ALTER TABLE account
            DROP CONSTRAINT ck_account_part,
            ADD CONSTRAINT ck_account_part CHECK (strpos(code, '/') = 0 OR code ~ '{accounts}')
    """)
