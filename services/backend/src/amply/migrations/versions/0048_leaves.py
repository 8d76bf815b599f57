"""Donors' values are sealed under leaves of a tree that is not in the database, and a leaf that is closed takes no more (ADR 0129)."""

from alembic import op

revision = "0048"
down_revision = "0046"
branch_labels = None
depends_on = None

SEALED = (
    *("donation", "plan"),
    *("dedication", "receipt_facts", "issued_receipt", "offline_gift", "donor_link_request"),
)
"""What is sealed for donors in this release. Another such table gets the trigger and the index of its own."""


def upgrade() -> None:
    _what_stands_under_a_leaf()
    _trees()
    _closed_leaves()
    for table in SEALED:
        op.execute(f"""
            CREATE TRIGGER leaf_is_open BEFORE INSERT OR UPDATE OF sealed ON {table}
                FOR EACH ROW WHEN (get_byte(NEW.sealed, 0) = 3) EXECUTE FUNCTION leaf_is_open('donors')
        """)


def _what_stands_under_a_leaf() -> None:
    # First what is repeated without harm where this is cut off: gifts go on being written meanwhile.
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '5min'")
        op.execute("SET statement_timeout = '2h'")
        for table in SEALED:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS ix_{table}_leaf")
            op.execute(
                f"CREATE INDEX CONCURRENTLY ix_{table}_leaf ON {table} (substring(sealed, 1, 13)) WHERE sealed IS NOT NULL"
            )
        op.execute("SET lock_timeout = '5s'")
        op.execute("SET statement_timeout = '10min'")


def _trees() -> None:
    op.execute("""
        ALTER TABLE data_key
            ADD COLUMN tree bytea CONSTRAINT ck_data_key_tree CHECK (octet_length(tree) = 16);
        GRANT UPDATE (tree) ON data_key TO amply_app
    """)
    # As sealing began (0038): processes of the release before open nothing that is sealed under a leaf.
    op.execute("""
        ALTER TABLE sealing ADD COLUMN leaves_begin_at timestamptz;
        UPDATE sealing SET leaves_begin_at = CASE
            WHEN EXISTS (SELECT FROM donation) OR EXISTS (SELECT FROM person) OR EXISTS (SELECT FROM organization)
                THEN now() + interval '3 hours'
            ELSE now()
        END;
        ALTER TABLE sealing ALTER COLUMN leaves_begin_at SET NOT NULL
    """)


def _closed_leaves() -> None:
    op.execute("""
        CREATE TABLE closed_leaf (
            scope     text        NOT NULL,
            version   integer     NOT NULL,
            leaf      bytea       NOT NULL CONSTRAINT ck_closed_leaf_leaf CHECK (octet_length(leaf) = 8),
            closed_at timestamptz NOT NULL,
            cut_at    timestamptz,
            CONSTRAINT pk_closed_leaf PRIMARY KEY (scope, version, leaf),
            CONSTRAINT fk_closed_leaf_version FOREIGN KEY (scope, version) REFERENCES data_key (scope, version)
        );
        CREATE INDEX ix_closed_leaf_left ON closed_leaf (closed_at) WHERE cut_at IS NULL;
        GRANT SELECT ON closed_leaf TO amply_api;
        GRANT SELECT, INSERT, UPDATE (cut_at) ON closed_leaf TO amply_app
    """)
    op.execute("""
        CREATE FUNCTION leaf_lock(scope text, version integer, leaf bytea) RETURNS bigint
        LANGUAGE sql IMMUTABLE SET search_path = public, pg_temp AS $$
            SELECT hashtextextended('leaf ' || scope || ' ' || version || ' ' || encode(leaf, 'hex'), 0)
        $$
    """)
    # Who closes a leaf holds the lock alone: whoever seals under it at that moment has ended before, or is refused here. Each
    # statement of the function sees what is committed when it begins.
    op.execute("""
        CREATE FUNCTION leaf_is_open() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
        DECLARE
            of_version integer := ('x' || encode(substring(NEW.sealed, 2, 4), 'hex'))::bit(32)::integer;
            under bytea := substring(NEW.sealed, 6, 8);
        BEGIN
            PERFORM pg_advisory_xact_lock_shared(leaf_lock(TG_ARGV[0], of_version, under));
            IF EXISTS (
                SELECT FROM closed_leaf WHERE scope = TG_ARGV[0] AND version = of_version AND leaf = under
            ) THEN
                RAISE EXCEPTION 'nothing is sealed under this leaf any more' USING ERRCODE = 'AM001';
            END IF;
            RETURN NEW;
        END $$;
        REVOKE ALL ON FUNCTION leaf_is_open() FROM PUBLIC
    """)


def downgrade() -> None:
    # Without the tree nobody could ever read what was sealed under its leaves, and the release before cannot.
    under = " OR ".join(f"EXISTS (SELECT FROM {table} WHERE get_byte(sealed, 0) = 3)" for table in SEALED)
    op.execute(f"""
        DO $$
        BEGIN
            IF {under} THEN
                RAISE EXCEPTION 'donors'' data is sealed under leaves: there is no way back';
            END IF;
        END $$
    """)
    for table in SEALED:
        op.execute(f"DROP TRIGGER leaf_is_open ON {table}; DROP INDEX ix_{table}_leaf")
    op.execute("""
        DROP FUNCTION leaf_is_open();
        DROP TABLE closed_leaf;
        DROP FUNCTION leaf_lock(text, integer, bytea);
        REVOKE UPDATE (tree) ON data_key FROM amply_app;
        ALTER TABLE sealing DROP COLUMN leaves_begin_at;
        ALTER TABLE data_key DROP COLUMN tree
    """)
