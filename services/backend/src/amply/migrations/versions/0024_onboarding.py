"""How organisations come to the processor, what it says of their accounts, and what becomes of accounts that they leave."""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

LOOKED_AT = ("reason", "confirmed", "looks", "checked_at", "unreachable_since")


def upgrade() -> None:
    _accounts()
    _invitations()
    # Why the last attempt at an event failed: the name of an error, never its words.
    op.execute("ALTER TABLE provider_event ADD COLUMN last_failure text")
    _grants()


def _accounts() -> None:
    # `looks` counts what was learned of an account, so that an answer which was overtaken is noticed.
    op.execute("""
        ALTER TABLE processor_account
            DROP CONSTRAINT ck_processor_account_status,
            ADD CONSTRAINT ck_processor_account_status
                CHECK (status IN ('pending', 'active', 'restricted', 'rejected', 'unsupported',
                                  'disconnected', 'closed')),
            ADD COLUMN reason            text,
            ADD COLUMN confirmed         text,
            ADD COLUMN looks             integer     NOT NULL DEFAULT 0,
            ADD COLUMN checked_at        timestamptz NOT NULL DEFAULT 'epoch',
            ADD COLUMN unreachable_since timestamptz
    """)
    op.execute("CREATE INDEX ix_processor_account_checked_at ON processor_account (checked_at)")
    # What was paid on them keeps coming back: refunds, disputes, payouts.
    op.execute("""
        CREATE TABLE former_account (
            account_id      text        CONSTRAINT pk_former_account PRIMARY KEY,
            organization_id text        NOT NULL
                CONSTRAINT fk_former_account_organization_id REFERENCES organization (id),
            replaced_at     timestamptz NOT NULL
        )
    """)
    op.execute("CREATE INDEX ix_former_account_organization_id ON former_account (organization_id)")


def _invitations() -> None:
    # Deleted once the letter has left: who was invited is nobody's business afterwards.
    op.execute("""
        CREATE TABLE onboarding_invitation (
            id              text        CONSTRAINT pk_onboarding_invitation PRIMARY KEY,
            organization_id text        NOT NULL
                CONSTRAINT fk_onboarding_invitation_organization_id REFERENCES organization (id),
            email           text        NOT NULL,
            language        text        NOT NULL,
            confirmed       text,
            attempts        integer     NOT NULL DEFAULT 0,
            next_attempt_at timestamptz NOT NULL,
            created_at      timestamptz NOT NULL
        )
    """)


def _grants() -> None:
    columns = ", ".join(LOOKED_AT)
    op.execute(f"""
        GRANT UPDATE ({columns}) ON processor_account TO amply_operator;
        GRANT SELECT ON former_account TO amply_app, amply_api, amply_operator, amply_read;
        GRANT INSERT ON former_account TO amply_app;
        GRANT SELECT, UPDATE, DELETE ON onboarding_invitation TO amply_app;
        GRANT INSERT ON onboarding_invitation TO amply_operator, amply_app
    """)


def downgrade() -> None:
    op.execute("DROP TABLE onboarding_invitation, former_account")
    op.execute("ALTER TABLE provider_event DROP COLUMN last_failure")
    op.execute("""
        UPDATE processor_account SET status = 'restricted' WHERE status NOT IN ('pending', 'active', 'restricted')
    """)
    op.execute("""
        ALTER TABLE processor_account
            DROP COLUMN reason, DROP COLUMN confirmed, DROP COLUMN looks, DROP COLUMN checked_at,
            DROP COLUMN unreachable_since, DROP CONSTRAINT ck_processor_account_status,
            ADD CONSTRAINT ck_processor_account_status CHECK (status IN ('pending', 'active', 'restricted'))
    """)
