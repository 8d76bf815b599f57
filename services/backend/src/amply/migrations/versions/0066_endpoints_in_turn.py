"""Endpoints are served in turn, expired keys go, and a gift says which plan it belongs to (ADR 0155).

Gifts that plans have collected get theirs here. Those of a plan that was forgotten are not told apart from others any more.
"""

from alembic import op

revision = "0066"
down_revision = "0065"
branch_labels = None
depends_on = None

_VIEW = """
    CREATE {replaces} VIEW organization_gift AS
        SELECT
            id, organization_id, minor_units, currency, status, donor_name, donor_email, message, entry_id,
            created_at, updated_at, erased_at, refunded_minor_units, dispute_state, fee_cover_minor_units,
            fee_cover_method, processor_fee_minor_units, method, reversed_at, fund_id, anonymity, sealed{more}
        FROM donation
        WHERE organization_id = (SELECT acting_organization())
"""


FILL_IN = """
    DO $$
    DECLARE
        filled integer;
    BEGIN
        LOOP
            WITH batch AS (
                SELECT donation.id, plan_charge.plan_id AS belongs_to
                FROM donation JOIN plan_charge ON plan_charge.donation_id = donation.id
                WHERE donation.plan_id IS NULL AND donation.erased_at IS NULL
                LIMIT 1000
                FOR UPDATE OF donation SKIP LOCKED
            )
            UPDATE donation SET plan_id = batch.belongs_to FROM batch WHERE donation.id = batch.id;
            GET DIAGNOSTICS filled = ROW_COUNT;
            COMMIT;
            EXIT WHEN filled = 0;
        END LOOP;
    END $$
"""
"""A thousand at a time: nobody waits for longer than those take. 0053 fills in what a worker of before has opened since."""


def upgrade() -> None:
    op.execute("""
        ALTER TABLE webhook_endpoint ADD COLUMN IF NOT EXISTS next_attempt_at timestamptz;
        CREATE INDEX IF NOT EXISTS ix_webhook_delivery_pending ON webhook_delivery (endpoint_id, next_attempt_at) WHERE state = 'pending';
        GRANT UPDATE (next_attempt_at) ON webhook_endpoint TO amply_api, amply_app;
        GRANT DELETE ON webhook_signing_key TO amply_app
    """)
    op.execute("""
        ALTER TABLE donation
        ADD COLUMN IF NOT EXISTS plan_id text CONSTRAINT fk_donation_plan_id REFERENCES plan (id)
    """)
    op.execute(_VIEW.format(replaces="OR REPLACE", more=", plan_id"))
    _fill_in()


def _fill_in() -> None:
    # What is repeated without harm where this is cut off: gifts go on being taken meanwhile.
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = '2h'")
        op.execute(FILL_IN)
        op.execute("SET statement_timeout = '10min'")


def downgrade() -> None:
    op.execute("DROP VIEW organization_gift")
    op.execute(_VIEW.format(replaces="", more=""))
    op.execute("""
        GRANT SELECT ON organization_gift TO amply_api;
        ALTER TABLE donation DROP COLUMN plan_id;
        REVOKE DELETE ON webhook_signing_key FROM amply_app;
        REVOKE UPDATE (next_attempt_at) ON webhook_endpoint FROM amply_api, amply_app;
        DROP INDEX ix_webhook_delivery_pending;
        ALTER TABLE webhook_endpoint DROP COLUMN next_attempt_at
    """)
