"""Forms that are closed for a while, because cards are tried on them and the challenge does not hold (ADR 0102)."""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE opened_gift ADD COLUMN is_challenged boolean NOT NULL DEFAULT false")
    # Rows stay: how often a form was closed, by what, and whether its organisation was told.
    op.execute("""
        CREATE TABLE form_closing (
            id              text        CONSTRAINT pk_form_closing PRIMARY KEY,
            organization_id text        NOT NULL
                CONSTRAINT fk_form_closing_organization_id REFERENCES organization (id),
            began_at        timestamptz NOT NULL,
            until           timestamptz NOT NULL,
            declines        bigint      NOT NULL,
            cards           bigint      NOT NULL,
            networks        bigint      NOT NULL,
            reopened_at     timestamptz,
            reason          text,
            attempts        integer     NOT NULL DEFAULT 0,
            next_attempt_at timestamptz NOT NULL,
            told_at         timestamptz,
            withheld        text,
            CONSTRAINT ck_form_closing_ends CHECK (until BETWEEN began_at AND began_at + interval '6 hours'),
            CONSTRAINT ck_form_closing_reason CHECK ((reopened_at IS NULL) = (reason IS NULL))
        )
    """)
    op.execute("CREATE INDEX ix_form_closing_organization_id ON form_closing (organization_id, until)")
    op.execute("CREATE INDEX ix_form_closing_until ON form_closing (until)")
    op.execute("""
        CREATE INDEX ix_form_closing_untold ON form_closing (next_attempt_at)
        WHERE told_at IS NULL AND withheld IS NULL
    """)
    op.execute("""
        CREATE TABLE form_exemption (
            organization_id text        CONSTRAINT pk_form_exemption PRIMARY KEY
                CONSTRAINT fk_form_exemption_organization_id REFERENCES organization (id),
            since           timestamptz NOT NULL,
            until           timestamptz NOT NULL,
            reason          text        NOT NULL
        )
    """)
    op.execute("""
        CREATE TABLE organization_contact (
            organization_id text        CONSTRAINT pk_organization_contact PRIMARY KEY
                CONSTRAINT fk_organization_contact_organization_id REFERENCES organization (id),
            email           text        NOT NULL,
            language        text        NOT NULL
                CONSTRAINT ck_organization_contact_language CHECK (language IN ('en', 'de', 'fr')),
            updated_at      timestamptz NOT NULL
        )
    """)
    op.execute("""
        GRANT SELECT (organization_id, until) ON form_closing TO amply_api;
        GRANT SELECT, INSERT, UPDATE ON form_closing TO amply_app;
        GRANT SELECT, UPDATE (until, reopened_at, reason) ON form_closing TO amply_operator;
        GRANT SELECT ON form_exemption TO amply_app;
        GRANT SELECT, INSERT, UPDATE ON form_exemption TO amply_operator;
        GRANT SELECT, INSERT, UPDATE ON organization_contact TO amply_app;
        GRANT SELECT (organization_id), INSERT, UPDATE ON organization_contact TO amply_operator
    """)


def downgrade() -> None:
    op.execute("DROP TABLE organization_contact, form_exemption, form_closing")
    op.execute("ALTER TABLE opened_gift DROP COLUMN is_challenged")
