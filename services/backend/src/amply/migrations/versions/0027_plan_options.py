"""What every gift of a plan says and adds for the fee, what a notice told, and what a late plan waits for."""

from alembic import op

revision = "0027"
down_revision = "0023"
branch_labels = None
depends_on = None

LISTED = ("fund_id", "waits_for", "due_since")
"""What operators list of a plan beside what they do: nothing that leads to its donor."""


def upgrade() -> None:
    op.execute("""
        ALTER TABLE plan
            ADD COLUMN fund_id           text,
            ADD COLUMN anonymity         text NOT NULL DEFAULT 'public'
                CONSTRAINT ck_plan_anonymity CHECK (anonymity IN ('none', 'public', 'organization')),
            ADD COLUMN message           text,
            ADD COLUMN gift_aid_since    timestamptz,
            ADD COLUMN gift_aid_ended_at timestamptz,
            -- What the donor agreed to add to each gift for the fee, at most.
            ADD COLUMN fee_cover_minor_units bigint NOT NULL DEFAULT 0
                CONSTRAINT ck_plan_fee_cover CHECK (fee_cover_minor_units >= 0),
            -- What the notice of the next gift said will be charged in all.
            ADD COLUMN announced_minor_units bigint,
            ADD COLUMN waits_for         text
                CONSTRAINT ck_plan_waits_for CHECK (waits_for IN ('organization', 'notice')),
            ADD COLUMN due_since         timestamptz,
            ADD CONSTRAINT ck_plan_gift_aid CHECK (gift_aid_ended_at IS NULL OR gift_aid_since IS NOT NULL),
            ADD CONSTRAINT fk_plan_fund
                FOREIGN KEY (organization_id, fund_id) REFERENCES fund (organization_id, id)
    """)
    op.execute("CREATE INDEX ix_plan_due_since ON plan (due_since) WHERE due_since IS NOT NULL")
    op.execute("""
        ALTER TABLE plan_charge
            ADD COLUMN fee_cover_minor_units bigint NOT NULL DEFAULT 0
                CONSTRAINT ck_plan_charge_fee_cover CHECK (fee_cover_minor_units >= 0)
    """)
    op.execute("""
        ALTER TABLE plan_letter
            ADD COLUMN minor_units           bigint,
            ADD COLUMN fee_cover_minor_units bigint NOT NULL DEFAULT 0
    """)
    # Until now the message was the first gift's alone; plans that run keep it that way.
    op.execute(f"GRANT SELECT ({', '.join(LISTED)}) ON plan TO amply_operator")
    op.execute("GRANT SELECT (plan_id, period, state, declines, opened_at) ON plan_charge TO amply_operator")
    # A donor who cancels a declaration takes it from gifts that have not arrived.
    op.execute("GRANT SELECT (donation_id), UPDATE (gift_aid) ON receipt_facts TO amply_api")


def downgrade() -> None:
    op.execute("REVOKE SELECT (donation_id), UPDATE (gift_aid) ON receipt_facts FROM amply_api")
    op.execute(
        "REVOKE SELECT (plan_id, period, state, declines, opened_at) ON plan_charge FROM amply_operator"
    )
    op.execute("ALTER TABLE plan_letter DROP COLUMN minor_units, DROP COLUMN fee_cover_minor_units")
    op.execute("ALTER TABLE plan_charge DROP COLUMN fee_cover_minor_units")
    op.execute("""
        ALTER TABLE plan
            DROP CONSTRAINT fk_plan_fund,
            DROP COLUMN fund_id, DROP COLUMN anonymity, DROP COLUMN message,
            DROP COLUMN gift_aid_since, DROP COLUMN gift_aid_ended_at,
            DROP COLUMN fee_cover_minor_units, DROP COLUMN announced_minor_units,
            DROP COLUMN waits_for, DROP COLUMN due_since
    """)
