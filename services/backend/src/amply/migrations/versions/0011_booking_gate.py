"""Nothing is booked in a database that was not compared with the public log since its server started.

A database restored from a backup has forgotten entries that are public, and has events that it would book once more. Its
own rows cannot tell: they say what was true in its earlier life. So what opens the gate is the start of the very server
that was compared; whatever brings an older state back (a backup, a promoted replica) is a server that started at another
time. The publisher compares and opens, and closes when it refuses.
"""

import importlib

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _gate()
    _check_entries()


def _gate() -> None:
    # The table's own number differs once a dump has been read back: then the server may be the same, the rows are not.
    op.execute("""
        CREATE TABLE booking_gate (
            only_row       boolean     DEFAULT true CONSTRAINT pk_booking_gate PRIMARY KEY
                CONSTRAINT ck_booking_gate_only_row CHECK (only_row),
            server_started timestamptz,
            of_table       oid,
            changed_at     timestamptz,
            closed_because text,
            CONSTRAINT ck_booking_gate_open_or_closed CHECK (
                (server_started IS NULL) = (of_table IS NULL)
                AND (server_started IS NULL OR closed_because IS NULL)
            )
        )
    """)
    op.execute("INSERT INTO booking_gate DEFAULT VALUES")
    op.execute("""
        CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON booking_gate
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """)
    op.execute("GRANT SELECT ON booking_gate TO amply_api, amply_app, amply_read")
    op.execute("""
        GRANT SELECT, UPDATE (server_started, of_table, changed_at, closed_because) ON booking_gate TO amply_sequencer
    """)


def _check_entries() -> None:
    # As in 0007, and: the gate is open. Read without a lock, which all writers would queue for: whoever closes it has
    # found out about an entry that was booked before, and one more that commits meanwhile is no other case.
    op.execute(r"""
        CREATE OR REPLACE FUNCTION check_entry() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            broken text := CASE
                WHEN length(NEW.id) <> 30 OR NEW.id !~ '^ent_[0-9a-z]+$' THEN 'entry_id'
                WHEN length(NEW.kind) > 64 OR NEW.kind !~ '^[a-z][a-z_]*\.[a-z][a-z_]*$' THEN 'entry_kind'
                WHEN NEW.organization_id <> 'platform'
                    AND (length(NEW.organization_id) <> 30 OR NEW.organization_id !~ '^(org|biz)_[0-9a-z]+$')
                    THEN 'entry_organization_id'
                WHEN length(NEW.reference) > 255 OR NEW.reference !~ '^[a-z][a-z0-9_]*(:[0-9A-Za-z._-]+)+$'
                    THEN 'entry_reference'
                WHEN NEW.reference IS NULL AND NEW.kind LIKE 'payout.%' THEN 'entry_payout_reference'
                WHEN length(NEW.idempotency_key) NOT BETWEEN 1 AND 255 THEN 'entry_idempotency_key'
                WHEN NEW.event_at NOT BETWEEN '0001-01-01T00:00Z' AND '9999-12-31T23:59:59Z' THEN 'entry_event_at'
                WHEN jsonb_typeof(NEW.commitments) <> 'object' THEN 'entry_commitments'
            END;
            lines bigint;
            last_line smallint;
            reserves boolean;
        BEGIN
            IF NOT EXISTS (
                SELECT FROM booking_gate
                WHERE (server_started, of_table) = (pg_postmaster_start_time(), booking_gate.tableoid)
            ) AND NOT puts_back_what_is_public() THEN
                RAISE EXCEPTION 'nothing is booked before this database was compared with the public log'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'bookings_open';
            END IF;
            IF NEW.reverses IS NOT NULL OR NEW.supersedes IS NOT NULL OR NEW.matches IS NOT NULL
                OR NEW.reason IS NOT NULL THEN
                broken := coalesce(broken, check_links(NEW));
            END IF;
            SELECT count(*), max(line), bool_or(phase IS NOT NULL AND phase = 'pending')
                INTO lines, last_line, reserves FROM transfer WHERE entry_id = NEW.id;
            IF lines = 0 THEN
                broken := 'entry_has_transfers';
            ELSIF last_line > 199 OR last_line <> lines - 1 THEN
                broken := 'entry_lines';
            END IF;
            IF broken IS NULL AND NEW.commitments <> '{}' THEN
                IF (SELECT count(*) > 32 OR NOT bool_and(
                        length(key) <= 64 AND key ~ '^[a-z][a-z0-9_]*$' AND jsonb_typeof(value) = 'string'
                        AND length(value #>> '{}') = 64 AND value #>> '{}' ~ '^[0-9a-f]+$')
                    FROM jsonb_each(NEW.commitments)) THEN
                    broken := 'entry_commitments';
                END IF;
            END IF;
            IF broken IS NOT NULL THEN
                RAISE EXCEPTION 'this is no entry: %', broken
                    USING ERRCODE = 'check_violation', CONSTRAINT = broken;
            END IF;
            IF reserves AND NOT puts_back_what_is_public() THEN
                IF NEW.reverses IS NOT NULL THEN
                    PERFORM check_reversal(NEW.reverses, NEW.id);
                END IF;
                PERFORM reserve_payout(NEW.id);
            END IF;
            RETURN NULL;
        END $$
    """)


def downgrade() -> None:
    importlib.import_module("amply.migrations.versions.0007_book_rules")._check_entries()  # noqa: SLF001 -- the revision that this one replaced
    op.execute("DROP TABLE booking_gate")
