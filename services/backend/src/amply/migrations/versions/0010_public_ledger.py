"""What the public pages of the ledger read, which of it an organisation shows, and the traces an erasure removes."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _visibility()
    _days()
    _search()
    _erasure()
    _grants()


def _visibility() -> None:
    # No row: everything is shown. Each policy has its own number and no other.
    op.execute("""
        CREATE TABLE ledger_visibility (
            organization_id text        CONSTRAINT pk_ledger_visibility PRIMARY KEY,
            policy          text        NOT NULL
                CONSTRAINT ck_ledger_visibility_policy
                CHECK (policy IN ('full', 'aggregated', 'delayed', 'internal')),
            delay_days      integer,
            minimum         integer,
            changed_at      timestamptz NOT NULL,
            CONSTRAINT ck_ledger_visibility_delay_days CHECK (
                (policy = 'delayed') = (delay_days IS NOT NULL) AND coalesce(delay_days BETWEEN 1 AND 1096, true)
            ),
            CONSTRAINT ck_ledger_visibility_minimum CHECK (
                (policy = 'aggregated') = (minimum IS NOT NULL) AND coalesce(minimum BETWEEN 2 AND 1000, true)
            )
        )
    """)


def _days() -> None:
    # Derived from the leaves below `folded_to`, all of them published; can be emptied and folded again.
    op.execute("""
        CREATE TABLE ledger_day (
            org          text           NOT NULL,
            day          date           NOT NULL,
            kind         text           NOT NULL,
            currency     text           NOT NULL,
            entries      bigint         NOT NULL,
            amount_minor numeric(38, 0) NOT NULL,
            first_seq    bigint         NOT NULL,
            last_seq     bigint         NOT NULL,
            CONSTRAINT pk_ledger_day PRIMARY KEY (org, day, kind, currency)
        )
    """)
    op.execute("""
        CREATE TABLE ledger_day_fold (
            only_row  boolean DEFAULT true CONSTRAINT pk_ledger_day_fold PRIMARY KEY
                CONSTRAINT ck_ledger_day_fold_only_row CHECK (only_row),
            folded_to bigint  NOT NULL CONSTRAINT ck_ledger_day_fold_folded_to CHECK (folded_to >= 0)
        )
    """)
    op.execute("INSERT INTO ledger_day_fold (folded_to) VALUES (0)")


def _search() -> None:
    # Whoever holds a receipt can compute its leaf hash. Writers never touch this index, the sequencer alone does.
    op.execute("CREATE INDEX ix_leaf_leaf_hash ON leaf USING hash (leaf_hash)")


def _erasure() -> None:
    # An erased gift gets new names: its own id and its payment's were the donor's.
    for table in ("payment", "receipt"):
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_donation_id_fkey")
        op.execute(f"""
            ALTER TABLE {table} ADD CONSTRAINT fk_{table}_donation_id
            FOREIGN KEY (donation_id) REFERENCES donation (id) ON UPDATE CASCADE
        """)
    op.execute("""
        ALTER TABLE donation
            ADD COLUMN erased_at timestamptz,
            ADD CONSTRAINT ck_donation_erased_is_empty CHECK (
                erased_at IS NULL OR (donor_name IS NULL AND donor_email IS NULL AND message IS NULL)
            )
    """)
    # That it happened, when and how much; never whose.
    op.execute("""
        CREATE TABLE erasure (
            id        text        CONSTRAINT pk_erasure PRIMARY KEY,
            erased_at timestamptz NOT NULL,
            gifts     integer     NOT NULL,
            entries   integer     NOT NULL,
            events    integer     NOT NULL
        )
    """)


def _grants() -> None:
    op.execute(
        "GRANT SELECT ON ledger_visibility, ledger_day, ledger_day_fold TO amply_api, amply_app, amply_read"
    )
    op.execute("GRANT INSERT, UPDATE ON ledger_visibility, ledger_day TO amply_app")
    op.execute("GRANT UPDATE ON ledger_day_fold TO amply_app")
    op.execute("GRANT SELECT, INSERT ON erasure TO amply_app")
    op.execute("GRANT SELECT ON erasure TO amply_read")
    op.execute("GRANT DELETE ON provider_event, receipt TO amply_app")


def downgrade() -> None:
    op.execute("REVOKE DELETE ON provider_event, receipt FROM amply_app")
    op.execute("ALTER TABLE donation DROP CONSTRAINT ck_donation_erased_is_empty, DROP COLUMN erased_at")
    for table in ("payment", "receipt"):
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT fk_{table}_donation_id")
        op.execute(
            f"ALTER TABLE {table} ADD CONSTRAINT {table}_donation_id_fkey "
            "FOREIGN KEY (donation_id) REFERENCES donation (id)"
        )
    op.execute("DROP INDEX ix_leaf_leaf_hash")
    op.execute("DROP TABLE erasure, ledger_day_fold, ledger_day, ledger_visibility")
