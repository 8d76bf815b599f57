"""What an organisation's people want to give back waits for the worker, and what became of it is theirs to see (ADR 0159)."""

from alembic import op

revision = "0064"
down_revision = "0063"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # One of a gift waits at a time: the database holds that against two who ask at the same moment.
    op.execute("""
        CREATE TABLE refund_request (
            id              text        CONSTRAINT pk_refund_request PRIMARY KEY
                CONSTRAINT ck_refund_request_id CHECK (id ~ '^rfd_[0-9a-z]{26}$'),
            organization_id text        NOT NULL
                CONSTRAINT fk_refund_request_organization_id REFERENCES organization (id),
            donation_id     text        NOT NULL CONSTRAINT fk_refund_request_donation_id
                REFERENCES donation (id) ON UPDATE CASCADE,
            minor_units     bigint      NOT NULL CONSTRAINT ck_refund_request_minor_units CHECK (minor_units > 0),
            currency        text        NOT NULL CONSTRAINT ck_refund_request_currency CHECK (currency ~ '^[A-Z]{3}$'),
            reason          text        NOT NULL CONSTRAINT ck_refund_request_reason
                CHECK (reason IN ('duplicate', 'fraudulent', 'requested_by_donor')),
            state           text        NOT NULL DEFAULT 'waiting' CONSTRAINT ck_refund_request_state
                CHECK (state IN ('waiting', 'recorded', 'refused')),
            refusal         text        CONSTRAINT ck_refund_request_refusal
                CHECK ((refusal IS NOT NULL) = (state = 'refused')),
            attempts        integer     NOT NULL DEFAULT 0,
            next_attempt_at timestamptz NOT NULL,
            created_at      timestamptz NOT NULL
        );
        CREATE UNIQUE INDEX uq_refund_request_waiting ON refund_request (donation_id) WHERE state = 'waiting';
        CREATE INDEX ix_refund_request_due ON refund_request (next_attempt_at) WHERE state = 'waiting';
        CREATE INDEX ix_refund_request_donation_id ON refund_request (donation_id)
    """)
    op.execute("""
        ALTER TABLE refund_request ENABLE ROW LEVEL SECURITY;
        CREATE POLICY of_the_acting ON refund_request TO amply_api
            USING (organization_id = (SELECT acting_organization()))
            WITH CHECK (organization_id = (SELECT acting_organization()));
        CREATE POLICY of_everyone ON refund_request TO amply_app USING (true) WITH CHECK (true);
        GRANT SELECT, INSERT ON refund_request TO amply_api;
        GRANT SELECT, DELETE, UPDATE (state, refusal, attempts, next_attempt_at) ON refund_request TO amply_app
    """)
    # All refunds of the organisation's gifts, whoever made them; those that the processor has not heard of are `requested`.
    op.execute("""
        CREATE VIEW organization_refund AS
            SELECT
                refund.id, payment.organization_id, payment.donation_id, refund.minor_units, refund.currency,
                CASE refund.status WHEN 'created' THEN 'requested' ELSE refund.status END AS status,
                refund.reason,
                CASE WHEN refund.status = 'failed' AND refund.remote_id IS NULL THEN 'refund_refused' END AS failure_code,
                refund.created_at
            FROM refund JOIN payment ON payment.id = refund.payment_id
            WHERE payment.organization_id = (SELECT acting_organization())
            UNION ALL
            SELECT
                id, organization_id, donation_id, minor_units, currency,
                CASE state WHEN 'waiting' THEN 'requested' ELSE 'failed' END,
                reason, refusal, created_at
            FROM refund_request
            WHERE state <> 'recorded' AND organization_id = (SELECT acting_organization());
        GRANT SELECT ON organization_refund TO amply_api
    """)


def downgrade() -> None:
    op.execute("DROP VIEW organization_refund")
    op.execute("DROP TABLE refund_request")
