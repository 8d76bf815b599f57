"""When an organisation outgrows the tier that it was verified for, and who was told (ADR 0120)."""

from alembic import op

revision = "0043"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE tier_notice (
            id              text        CONSTRAINT pk_tier_notice PRIMARY KEY
                CONSTRAINT ck_tier_notice_id CHECK (id ~ '^tier_[0-9a-z]{26}$'),
            organization_id text        NOT NULL
                CONSTRAINT fk_tier_notice_organization_id REFERENCES organization (id),
            tier            text        NOT NULL,
            growth          text        NOT NULL CONSTRAINT ck_tier_notice_growth CHECK (growth IN ('nearing', 'passed')),
            minor_units     bigint      NOT NULL,
            currency        text        NOT NULL,
            noticed_at      timestamptz NOT NULL,
            attempts        integer     NOT NULL DEFAULT 0,
            next_attempt_at timestamptz NOT NULL,
            told_at         timestamptz,
            withheld        text,
            CONSTRAINT uq_tier_notice_once UNIQUE (organization_id, tier, growth)
        )
    """)
    op.execute("CREATE INDEX ix_tier_notice_due ON tier_notice (next_attempt_at) WHERE told_at IS NULL")
    op.execute("""
        GRANT SELECT, INSERT, UPDATE (attempts, next_attempt_at, told_at, withheld) ON tier_notice TO amply_app;
        GRANT SELECT ON tier_notice TO amply_operator;
        GRANT UPDATE (tier) ON organization_application TO amply_operator
    """)


def downgrade() -> None:
    op.execute("REVOKE UPDATE (tier) ON organization_application FROM amply_operator")
    op.execute("DROP TABLE tier_notice")
