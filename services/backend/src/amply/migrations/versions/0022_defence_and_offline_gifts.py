"""Defence against card testing, and gifts that never passed the processor.

Who opened which gift, what was declined, which organisation is under attack; and what staff record of cash, cheques, bank
transfers and things.
"""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

MARKS = """
            address         bytea,
            network         bytea,
            device          bytea,
"""
"""HMACs under the day's key: nothing that names a person, and nothing at all once the key is deleted."""


CHART = (("gifts_in_kind", "credit"), ("in_kind", "debit"), ("offline_received", "debit"))


def upgrade() -> None:
    _defence()
    _offline()
    _grants()


def _defence() -> None:
    op.execute("""
        CREATE TABLE daily_key (
            day date  CONSTRAINT pk_daily_key PRIMARY KEY,
            key bytea NOT NULL CONSTRAINT ck_daily_key_key CHECK (octet_length(key) = 32)
        )
    """)
    op.execute(f"""
        CREATE TABLE opened_gift (
            donation_id     text        CONSTRAINT pk_opened_gift PRIMARY KEY
                                        CONSTRAINT fk_opened_gift_donation_id
                                        REFERENCES donation (id) ON UPDATE CASCADE,
            organization_id text        NOT NULL,
            {MARKS}
            mail            bytea       NOT NULL,
            is_small        boolean     NOT NULL,
            opened_at       timestamptz NOT NULL,
            exhausted_at    timestamptz,
            closed_at       timestamptz,
            attempts        integer     NOT NULL DEFAULT 0,
            next_attempt_at timestamptz
        )
    """)
    op.execute("CREATE INDEX ix_opened_gift_organization_id ON opened_gift (organization_id, opened_at)")
    op.execute("CREATE INDEX ix_opened_gift_opened_at ON opened_gift (opened_at)")
    op.execute("""
        CREATE INDEX ix_opened_gift_exhausted ON opened_gift (exhausted_at)
        WHERE exhausted_at IS NOT NULL AND closed_at IS NULL
    """)
    op.execute(f"""
        CREATE TABLE decline (
            id              bytea       CONSTRAINT pk_decline PRIMARY KEY,
            donation_id     text        NOT NULL
                                        CONSTRAINT fk_decline_donation_id
                                        REFERENCES donation (id) ON UPDATE CASCADE,
            organization_id text        NOT NULL,
            {MARKS}
            mail            bytea,
            card            bytea,
            is_small        boolean     NOT NULL,
            declined_at     timestamptz NOT NULL
        )
    """)
    for column in ("donation_id", "organization_id", "address", "network", "device", "mail", "card"):
        op.execute(f"CREATE INDEX ix_decline_{column} ON decline ({column}, declined_at)")
    op.execute("CREATE INDEX ix_decline_declined_at ON decline (declined_at)")
    op.execute("""
        CREATE TABLE attack (
            organization_id text        CONSTRAINT pk_attack PRIMARY KEY
                                        CONSTRAINT fk_attack_organization_id REFERENCES organization (id),
            began_at        timestamptz NOT NULL,
            until           timestamptz NOT NULL,
            declines        bigint      NOT NULL,
            CONSTRAINT ck_attack_ends CHECK (until > began_at)
        )
    """)


def _offline() -> None:
    codes = ", ".join(f"('{code}', '{side}')" for code, side in CHART)
    op.execute(f"INSERT INTO chart (code, normal_side) VALUES {codes}")  # noqa: S608 -- the table above
    op.execute("""
        ALTER TABLE donation
            ADD COLUMN method text CONSTRAINT ck_donation_method
                CHECK (method IN ('cash', 'cheque', 'bank_transfer', 'in_kind')),
            ADD COLUMN reversed_at timestamptz
                CONSTRAINT ck_donation_reversed_at CHECK (reversed_at IS NULL OR method IS NOT NULL)
    """)
    # Leads to the donor, and goes with them.
    op.execute("""
        CREATE TABLE offline_gift (
            donation_id     text NOT NULL CONSTRAINT pk_offline_gift PRIMARY KEY
                                 CONSTRAINT fk_offline_gift_donation_id REFERENCES donation (id) ON UPDATE CASCADE,
            organization_id text NOT NULL,
            method          text NOT NULL,
            reference       text NOT NULL,
            description     text,
            appraiser       text,
            is_reversed     boolean NOT NULL DEFAULT false,
            CONSTRAINT ck_offline_gift_described CHECK ((method = 'in_kind') = (description IS NOT NULL))
        )
    """)
    op.execute("""
        CREATE UNIQUE INDEX uq_offline_gift_reference ON offline_gift (organization_id, method, reference)
        WHERE NOT is_reversed
    """)
    op.execute("""
        ALTER TABLE receipt
            DROP CONSTRAINT ck_receipt_withheld,
            ADD CONSTRAINT ck_receipt_withheld CHECK (withheld IN ('suppressed', 'refunded', 'no_address'))
    """)


def _grants() -> None:
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON offline_gift TO amply_app")
    op.execute("""
        GRANT SELECT, INSERT ON daily_key TO amply_api, amply_app;
        GRANT INSERT ON opened_gift TO amply_api;
        GRANT SELECT ON decline, attack TO amply_api;
        GRANT DELETE ON daily_key TO amply_app;
        GRANT SELECT, INSERT, UPDATE, DELETE ON opened_gift, decline TO amply_app;
        GRANT SELECT, INSERT, UPDATE ON attack TO amply_app;
        GRANT SELECT ON attack TO amply_operator
    """)


def downgrade() -> None:
    op.execute("UPDATE receipt SET withheld = 'suppressed' WHERE withheld = 'no_address'")
    op.execute("""
        ALTER TABLE receipt
            DROP CONSTRAINT ck_receipt_withheld,
            ADD CONSTRAINT ck_receipt_withheld CHECK (withheld IN ('suppressed', 'refunded'))
    """)
    op.execute("DROP TABLE offline_gift")
    op.execute("ALTER TABLE donation DROP COLUMN reversed_at, DROP COLUMN method")
    op.execute("ALTER TABLE chart DISABLE TRIGGER append_only")
    codes = ", ".join(f"'{code}'" for code, _ in CHART)
    op.execute(f"DELETE FROM chart WHERE code IN ({codes})")  # noqa: S608 -- the table above
    op.execute("ALTER TABLE chart ENABLE TRIGGER append_only")
    op.execute("DROP TABLE attack, decline, opened_gift, daily_key")
