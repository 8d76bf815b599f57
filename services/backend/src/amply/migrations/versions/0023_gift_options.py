"""What a gift may say and to whom it goes: funds, dedications, companies, anonymity; one gift to several organisations."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _funds()
    _accounts()
    _gifts()
    _dedications()
    _split_gifts()
    _grants()


def _funds() -> None:
    op.execute("""
        CREATE TABLE fund (
            id              text        CONSTRAINT pk_fund PRIMARY KEY
                                        CONSTRAINT ck_fund_id CHECK (id ~ '^fund_[0-9a-z]{26}$'),
            organization_id text        NOT NULL
                CONSTRAINT fk_fund_organization_id REFERENCES organization (id),
            name            text        NOT NULL,
            kind            text        NOT NULL
                CONSTRAINT ck_fund_kind CHECK (kind IN ('fund', 'project', 'campaign')),
            created_at      timestamptz NOT NULL,
            closed_at       timestamptz,
            CONSTRAINT uq_fund_name UNIQUE (organization_id, name),
            CONSTRAINT uq_fund_organization_id UNIQUE (organization_id, id)
        )
    """)
    # Whether the organisation takes gifts from people whom it is not told.
    op.execute("ALTER TABLE organization ADD COLUMN takes_anonymous_gifts boolean NOT NULL DEFAULT false")


def _accounts() -> None:
    # docs/ledger-format.md §2.2: `owner/code/part`. Gifts alone have parts, one a fund.
    op.execute("""
        ALTER TABLE account
            DROP CONSTRAINT fk_account_code,
            ADD COLUMN chart_code text GENERATED ALWAYS AS (split_part(code, '/', 1)) STORED
                CONSTRAINT fk_account_code REFERENCES chart (code),
            ADD CONSTRAINT ck_account_part
                CHECK (strpos(code, '/') = 0 OR code ~ '^gifts/fund_[0-9a-z]{26}$')
    """)


def _gifts() -> None:
    op.execute("""
        ALTER TABLE donation
            ADD COLUMN fund_id   text,
            ADD COLUMN anonymity text NOT NULL DEFAULT 'public'
                CONSTRAINT ck_donation_anonymity CHECK (anonymity IN ('none', 'public', 'organization')),
            ADD CONSTRAINT fk_donation_fund
                FOREIGN KEY (organization_id, fund_id) REFERENCES fund (organization_id, id)
    """)
    op.execute("ALTER TABLE receipt_facts ADD COLUMN company jsonb")


def _dedications() -> None:
    # Personal of two more people than the donor. Deleted when the donor is erased; the recipient can be forgotten alone, and
    # is, but for a digest, once the letter has left.
    op.execute("""
        CREATE TABLE dedication (
            donation_id     text        CONSTRAINT pk_dedication PRIMARY KEY
                CONSTRAINT fk_dedication_donation_id REFERENCES donation (id) ON UPDATE CASCADE,
            kind            text        NOT NULL
                CONSTRAINT ck_dedication_kind CHECK (kind IN ('in_honour_of', 'in_memory_of')),
            honouree        text        NOT NULL,
            recipient_name  text,
            recipient_email text,
            recipient_sha256 text
                CONSTRAINT ck_dedication_recipient_sha256 CHECK (recipient_sha256 ~ '^[0-9a-f]{64}$'),
            attempts        integer     NOT NULL DEFAULT 0,
            next_attempt_at timestamptz,
            handed_over_at  timestamptz,
            withheld        text
                CONSTRAINT ck_dedication_withheld CHECK (withheld IN ('suppressed', 'too_many', 'given_back')),
            message_id      text,
            CONSTRAINT ck_dedication_recipient CHECK (
                (recipient_name IS NULL) = (recipient_email IS NULL)
                AND (recipient_email IS NULL OR recipient_sha256 IS NOT NULL)
            )
        )
    """)
    op.execute("""
        CREATE INDEX ix_dedication_waiting ON dedication (donation_id)
            WHERE recipient_email IS NOT NULL AND handed_over_at IS NULL AND withheld IS NULL;
        CREATE INDEX ix_dedication_recipient ON dedication (recipient_sha256) WHERE recipient_sha256 IS NOT NULL;
        ALTER TABLE erasure ADD COLUMN dedications integer NOT NULL DEFAULT 0
    """)


def _split_gifts() -> None:
    # One gift of several donations: what they share is the payment method, which is kept at the processor.
    op.execute("""
        CREATE TABLE split_gift (
            id              text        CONSTRAINT pk_split_gift PRIMARY KEY,
            customer_id     text,
            setup_id        text,
            setups          integer     NOT NULL DEFAULT 0,
            attempts        integer     NOT NULL DEFAULT 0,
            next_attempt_at timestamptz,
            released_at     timestamptz,
            created_at      timestamptz NOT NULL,
            updated_at      timestamptz NOT NULL
        )
    """)
    op.execute("""
        CREATE TABLE split_part (
            split_id    text     NOT NULL
                CONSTRAINT fk_split_part_split_id REFERENCES split_gift (id) ON DELETE CASCADE,
            position    smallint NOT NULL CONSTRAINT ck_split_part_position CHECK (position BETWEEN 0 AND 9),
            donation_id text     NOT NULL CONSTRAINT uq_split_part_donation_id UNIQUE
                CONSTRAINT fk_split_part_donation_id REFERENCES donation (id) ON UPDATE CASCADE,
            CONSTRAINT pk_split_part PRIMARY KEY (split_id, position)
        )
    """)
    op.execute("""
        CREATE INDEX ix_split_gift_due ON split_gift (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
        CREATE INDEX ix_split_gift_kept ON split_gift (created_at) WHERE customer_id IS NOT NULL
    """)


def _grants() -> None:
    op.execute("""
        GRANT SELECT ON fund TO amply_app, amply_api, amply_read;
        GRANT INSERT, UPDATE (closed_at) ON fund TO amply_app, amply_operator;
        GRANT SELECT ON fund TO amply_operator;
        GRANT UPDATE (takes_anonymous_gifts) ON organization TO amply_app, amply_operator;
        GRANT SELECT, INSERT, UPDATE, DELETE ON dedication TO amply_app;
        GRANT INSERT ON dedication TO amply_api;
        GRANT SELECT, INSERT, UPDATE, DELETE ON split_gift, split_part TO amply_app;
        GRANT SELECT, INSERT, UPDATE ON split_gift TO amply_api;
        GRANT SELECT, INSERT ON split_part TO amply_api
    """)


def downgrade() -> None:
    op.execute("DROP TABLE split_part, split_gift, dedication")
    op.execute("ALTER TABLE erasure DROP COLUMN dedications")
    op.execute("ALTER TABLE receipt_facts DROP COLUMN company")
    op.execute("""
        ALTER TABLE donation
            DROP CONSTRAINT fk_donation_fund, DROP COLUMN fund_id, DROP COLUMN anonymity
    """)
    op.execute("""
        ALTER TABLE account
            DROP CONSTRAINT ck_account_part,
            DROP COLUMN chart_code,
            ADD CONSTRAINT fk_account_code FOREIGN KEY (code) REFERENCES chart (code)
    """)
    op.execute("ALTER TABLE organization DROP COLUMN takes_anonymous_gifts")
    op.execute("DROP TABLE fund")
