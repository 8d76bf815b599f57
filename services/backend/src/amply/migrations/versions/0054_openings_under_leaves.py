"""Openings go under the leaves of their gifts' donors, and say whose gift they are of; who is told of a gift has a leaf (ADR 0138)."""

from alembic import op

revision = "0054"
down_revision = "0052"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_opening_leaf": "opening (substring(sealed, 1, 13))",
    "ix_opening_donation_id": "opening (donation_id) WHERE donation_id IS NOT NULL",
    "ix_opening_unlinked": "opening (entry_id) WHERE donation_id IS NULL",
    "ix_dedication_recipient_leaf": "dedication (substring(recipient_sealed, 1, 13)) WHERE recipient_sealed IS NOT NULL",
    "ix_dedication_recipient_with_others": "dedication (donation_id) WHERE recipient_index IS NOT NULL AND recipient_sealed IS NULL",
}
"""The first one also finds what is to be sealed anew: whatever begins with less than the newest version's leaves do."""


def upgrade() -> None:
    # No foreign key, as none leads to the entry (0002). Processes of the release before write none, and the worker does.
    op.execute("ALTER TABLE opening ADD COLUMN IF NOT EXISTS donation_id text")
    op.execute("ALTER TABLE dedication ADD COLUMN IF NOT EXISTS recipient_sealed bytea")
    _indexes()
    _what_may_change()
    op.execute("""
        CREATE TRIGGER leaf_is_open BEFORE INSERT OR UPDATE OF sealed ON opening
            FOR EACH ROW WHEN (substring(NEW.sealed, 1, 1) = '\\x03') EXECUTE FUNCTION leaf_is_open('donors');
        GRANT UPDATE (sealed, donation_id) ON opening TO amply_app
    """)
    _recipients()


def _indexes() -> None:
    # What is repeated without harm where this is cut off: gifts go on being booked meanwhile.
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '5min'")
        op.execute("SET statement_timeout = '2h'")
        for name, over in INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {over}")
        op.execute("SET lock_timeout = '5s'")
        op.execute("SET statement_timeout = '10min'")


def _what_may_change() -> None:
    # An opening is erased, and never replaced. It may be put under a leaf, under one of a later version of the key, or from one
    # that is closed under another: by the worker's role alone, with as many bytes inside as before. Whose it is is said once.
    op.execute("""
        CREATE FUNCTION keep_opening() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
        DECLARE
            was_under_a_leaf boolean := substring(OLD.sealed, 1, 1) = '\\x03';
        BEGIN
            IF current_user = 'amply_app'
                AND NEW.entry_id = OLD.entry_id
                AND (OLD.donation_id IS NULL OR NEW.donation_id IS NOT DISTINCT FROM OLD.donation_id)
                AND substring(NEW.sealed, 1, 1) = '\\x03'
                AND octet_length(NEW.sealed) = octet_length(OLD.sealed) + (CASE WHEN was_under_a_leaf THEN 0 ELSE 41 END)
                AND (
                    NOT was_under_a_leaf
                    OR substring(NEW.sealed, 2, 4) > substring(OLD.sealed, 2, 4)
                    OR EXISTS (
                        SELECT FROM closed_leaf
                        WHERE scope = 'donors' AND leaf = substring(OLD.sealed, 6, 8)
                            AND int4send(version) = substring(OLD.sealed, 2, 4)
                    )
                )
            THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'opening is append-only: UPDATE is refused'
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only';
        END $$;
        DROP TRIGGER append_only ON opening;
        CREATE TRIGGER append_only BEFORE TRUNCATE ON opening
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
        CREATE TRIGGER keep_opening BEFORE UPDATE ON opening
            FOR EACH ROW EXECUTE FUNCTION keep_opening()
    """)


def _recipients() -> None:
    # As `leaf_is_open` (0048), which looks at `sealed`: a row goes under two people's leaves.
    op.execute("""
        CREATE FUNCTION recipient_leaf_is_open() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
        DECLARE
            of_version integer := ('x' || encode(substring(NEW.recipient_sealed, 2, 4), 'hex'))::bit(32)::integer;
            under bytea := substring(NEW.recipient_sealed, 6, 8);
        BEGIN
            PERFORM pg_advisory_xact_lock_shared(leaf_lock('donors', of_version, under));
            IF EXISTS (SELECT FROM closed_leaf WHERE scope = 'donors' AND version = of_version AND leaf = under) THEN
                RAISE EXCEPTION 'nothing is sealed under this leaf any more' USING ERRCODE = 'AM001';
            END IF;
            RETURN NEW;
        END $$;
        REVOKE ALL ON FUNCTION recipient_leaf_is_open() FROM PUBLIC;
        CREATE TRIGGER recipient_leaf_is_open BEFORE INSERT OR UPDATE OF recipient_sealed ON dedication
            FOR EACH ROW WHEN (NEW.recipient_sealed IS NOT NULL) EXECUTE FUNCTION recipient_leaf_is_open()
    """)


def downgrade() -> None:
    # The release before opens nothing that is sealed under a leaf.
    op.execute("""
        DO $$
        BEGIN
            IF EXISTS (SELECT FROM opening WHERE substring(sealed, 1, 1) = '\\x03') THEN
                RAISE EXCEPTION 'openings are sealed under leaves: there is no way back';
            ELSIF EXISTS (SELECT FROM dedication WHERE recipient_sealed IS NOT NULL) THEN
                RAISE EXCEPTION 'who is told of gifts is sealed under leaves: there is no way back';
            END IF;
        END $$
    """)
    op.execute("""
        REVOKE UPDATE (sealed, donation_id) ON opening FROM amply_app;
        DROP TRIGGER leaf_is_open ON opening;
        DROP TRIGGER keep_opening ON opening;
        DROP FUNCTION keep_opening();
        DROP TRIGGER append_only ON opening;
        CREATE TRIGGER append_only BEFORE UPDATE OR TRUNCATE ON opening
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
        ALTER TABLE opening DROP COLUMN donation_id;
        DROP INDEX ix_opening_leaf;
        DROP TRIGGER recipient_leaf_is_open ON dedication;
        DROP FUNCTION recipient_leaf_is_open();
        ALTER TABLE dedication DROP COLUMN recipient_sealed
    """)
