"""When an organisation outgrows its tier, who was told (ADR 0120), and what it says of itself in public."""

from alembic import op

revision = "0043"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _notices()
    _profile()
    _projects()


def _projects() -> None:
    own = "organization_id = (SELECT acting_organization())"
    op.execute("""
        CREATE TABLE project (
            id               text        CONSTRAINT pk_project PRIMARY KEY
                CONSTRAINT ck_project_id CHECK (id ~ '^proj_[0-9a-z]{26}$'),
            organization_id  text        NOT NULL
                CONSTRAINT fk_project_organization_id REFERENCES organization (id),
            fund_id          text        NOT NULL CONSTRAINT uq_project_fund_id UNIQUE
                CONSTRAINT fk_project_fund_id REFERENCES fund (id),
            goal_minor_units bigint      NOT NULL CONSTRAINT ck_project_goal CHECK (goal_minor_units > 0),
            currency         text        NOT NULL,
            state            text        NOT NULL
                CONSTRAINT ck_project_state CHECK (state IN ('planned', 'active', 'completed', 'given_up')),
            texts            jsonb       NOT NULL DEFAULT '{}'
                CONSTRAINT ck_project_texts CHECK (jsonb_typeof(texts) = 'object'),
            created_at       timestamptz NOT NULL
        )
    """)
    op.execute("CREATE INDEX ix_project_organization_id ON project (organization_id, id)")
    op.execute(f"""
        ALTER TABLE project ENABLE ROW LEVEL SECURITY;
        CREATE POLICY of_anybody ON project FOR SELECT TO amply_api USING (true);
        CREATE POLICY by_the_acting ON project FOR INSERT TO amply_api WITH CHECK ({own});
        CREATE POLICY of_the_acting ON project FOR UPDATE TO amply_api USING ({own}) WITH CHECK ({own});
        GRANT SELECT, INSERT, UPDATE (goal_minor_units, currency, state, texts) ON project TO amply_api
    """)


def _profile() -> None:
    op.execute("""
        ALTER TABLE organization
            ADD COLUMN website text,
            ADD COLUMN sdgs smallint[] NOT NULL DEFAULT '{}'
                CONSTRAINT ck_organization_sdgs CHECK (1 <= ALL (sdgs) AND 17 >= ALL (sdgs)),
            ADD COLUMN texts jsonb NOT NULL DEFAULT '{}'
                CONSTRAINT ck_organization_texts CHECK (jsonb_typeof(texts) = 'object')
    """)
    op.execute("""
        GRANT UPDATE (website, sdgs, texts) ON organization TO amply_api;
        GRANT UPDATE (website, sdgs) ON organization TO amply_operator
    """)


def _notices() -> None:
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
    op.execute("""
        REVOKE UPDATE (website, sdgs, texts) ON organization FROM amply_api;
        REVOKE UPDATE (website, sdgs) ON organization FROM amply_operator;
        ALTER TABLE organization DROP COLUMN website, DROP COLUMN sdgs, DROP COLUMN texts
    """)
    op.execute("REVOKE UPDATE (tier) ON organization_application FROM amply_operator")
    op.execute("DROP TABLE project, tier_notice")
