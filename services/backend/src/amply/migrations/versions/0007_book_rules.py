"""The rules of the books: what a transfer, an entry, a reversal and a correction may be."""

import importlib

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _puts_back()
    _check_what_is_named()
    _check_phases()
    _check_transfers()
    _check_reversals()
    _check_links()
    _check_entries()


def _puts_back() -> None:
    # Whether we may ask for something is decided when we ask, by what was booked then; the log's order, that of
    # transactions, can be another. What is put back from the public log was decided, and is not asked again. Only the
    # tables' owner, whom no service acts as, can say that it puts back.
    op.execute("""
        CREATE FUNCTION puts_back_what_is_public() RETURNS boolean LANGUAGE sql STABLE AS $$
            SELECT current_user = 'amply_owner' AND coalesce(current_setting('amply.puts_back', true), '') = 'public'
        $$
    """)


def _check_what_is_named() -> None:
    # The log's order is (transaction, number): whatever an entry names must come before it there too. An older
    # transaction may see what a younger one committed; it is told to begin again, and is then the younger one.
    op.execute("""
        CREATE FUNCTION check_named(named text, by_entry text) RETURNS boolean LANGUAGE plpgsql AS $$
        BEGIN
            IF named = by_entry OR NOT EXISTS (SELECT FROM entry WHERE id = named) THEN
                RETURN false;
            END IF;
            IF NOT EXISTS (SELECT FROM leaf WHERE entry_id = named) AND NOT EXISTS (
                SELECT FROM entry earlier, entry later
                WHERE earlier.id = named AND later.id = by_entry
                  AND (earlier.xid, earlier.number) < (later.xid, later.number)
            ) THEN
                RAISE EXCEPTION 'the transaction is older than an entry it names; begin it again'
                    USING ERRCODE = 'serialization_failure', CONSTRAINT = 'entry_follows_what_it_names';
            END IF;
            RETURN true;
        END $$
    """)


def _check_phases() -> None:
    # docs/ledger-format.md §2.3. That a pending transfer is resolved once is the unique index's.
    op.execute("""
        CREATE FUNCTION check_phase(given transfer) RETURNS void LANGUAGE plpgsql AS $$
        DECLARE
            reserved transfer;
            broken text;
        BEGIN
            IF given.phase = 'pending' AND given.pending_entry_id IS NULL AND given.pending_line IS NULL THEN
                RETURN;
            END IF;
            IF given.phase IS NULL OR given.phase NOT IN ('post', 'void')
                OR given.pending_entry_id IS NULL OR given.pending_line IS NULL THEN
                broken := 'transfer_phase';
            ELSE
                SELECT * INTO reserved FROM transfer
                WHERE (entry_id, line, phase) = (given.pending_entry_id, given.pending_line, 'pending');
                IF NOT FOUND OR NOT check_named(given.pending_entry_id, given.entry_id) THEN
                    broken := 'transfer_pending_exists';
                ELSIF (reserved.debit, reserved.credit, reserved.currency)
                    <> (given.debit, given.credit, given.currency) THEN
                    broken := 'transfer_pending_accounts';
                ELSIF given.amount_minor > reserved.amount_minor
                    OR given.phase = 'void' AND given.amount_minor <> reserved.amount_minor THEN
                    broken := 'transfer_pending_amount';
                END IF;
            END IF;
            IF broken IS NOT NULL THEN
                RAISE EXCEPTION 'this is no step of a two-phase transfer: %', broken
                    USING ERRCODE = 'check_violation', CONSTRAINT = broken;
            END IF;
        END $$
    """)


def _check_transfers() -> None:
    # Apart, so that nobody pays for it before the first account is closed.
    op.execute("""
        CREATE FUNCTION check_open(debit text, credit text, in_currency text) RETURNS void LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (
                SELECT FROM unnest(ARRAY[debit, credit]) AS named (reference)
                CROSS JOIN LATERAL (
                    SELECT is_closed FROM account_closure
                    WHERE (account, currency) = (named.reference, in_currency)
                    ORDER BY number DESC LIMIT 1
                ) AS newest
                WHERE newest.is_closed
            ) THEN
                RAISE EXCEPTION 'a closed account takes nothing'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'account_open';
            END IF;
        END $$
    """)
    # As in 0002, and: the accounts of all the entry's lines are opened at once, in one order whoever opens them; a
    # closed account takes nothing; a step of a two-phase transfer fits the step before.
    op.execute("""
        CREATE OR REPLACE FUNCTION check_transfer() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (
                SELECT FROM entry, account debit, account credit
                WHERE (entry.id, entry.xid) = (NEW.entry_id, pg_current_xact_id())
                  AND (debit.reference, debit.currency) = (NEW.debit, NEW.currency)
                  AND (credit.reference, credit.currency) = (NEW.credit, NEW.currency)
            ) THEN
                IF NOT EXISTS (SELECT FROM entry WHERE (id, xid) = (NEW.entry_id, pg_current_xact_id())) THEN
                    RAISE EXCEPTION 'a transfer is written with its entry'
                        USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'transfer_with_its_entry';
                END IF;
                INSERT INTO account (owner, code, currency, opened_by)
                SELECT DISTINCT
                    left(named.reference, strpos(named.reference, '/') - 1),
                    substr(named.reference, strpos(named.reference, '/') + 1), transfer.currency, NEW.entry_id
                FROM transfer
                CROSS JOIN LATERAL (VALUES (transfer.debit), (transfer.credit)) AS named (reference)
                WHERE transfer.entry_id = NEW.entry_id
                ORDER BY 1, 2, 3
                ON CONFLICT (reference, currency) DO NOTHING;
            END IF;
            IF EXISTS (SELECT FROM account_closure) AND NOT puts_back_what_is_public() THEN
                PERFORM check_open(NEW.debit, NEW.credit, NEW.currency);
            END IF;
            IF NEW.phase IS NOT NULL OR NEW.pending_entry_id IS NOT NULL OR NEW.pending_line IS NOT NULL THEN
                PERFORM check_phase(NEW);
            END IF;
            RETURN NULL;
        END $$
    """)


def _check_reversals() -> None:
    # What we ask to take back is reserved, and with all that was taken back before never exceeds what the original
    # gave an account. What was given back since, as when a refund failed, can be taken again. The original's row lock
    # makes two of us wait for each other.
    op.execute("""
        CREATE FUNCTION check_reversal(original text, by_entry text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = public, pg_temp AS $$
        BEGIN
            PERFORM FROM entry WHERE id = original FOR UPDATE;
            IF EXISTS (
                WITH taking AS (
                    SELECT transfer.debit AS account, transfer.currency, CASE
                        WHEN transfer.phase IS NULL OR step.phase IS NULL THEN transfer.amount_minor
                        WHEN step.phase = 'post' THEN step.amount_minor
                        ELSE 0
                    END AS amount_minor
                    FROM entry
                    JOIN transfer ON transfer.entry_id = entry.id
                    LEFT JOIN transfer step
                        ON (step.pending_entry_id, step.pending_line) = (transfer.entry_id, transfer.line)
                    WHERE entry.reverses = original AND (transfer.phase IS NULL OR transfer.phase = 'pending')
                    UNION ALL
                    SELECT transfer.credit, transfer.currency, -transfer.amount_minor
                    FROM entry
                    JOIN entry back ON back.reverses = entry.id
                    JOIN transfer ON transfer.entry_id = back.id
                    WHERE entry.reverses = original AND (transfer.phase IS NULL OR transfer.phase = 'post')
                ), taken AS (
                    SELECT account, currency, sum(amount_minor) AS amount_minor
                    FROM taking
                    GROUP BY account, currency
                ), given AS (
                    SELECT credit AS account, currency, sum(amount_minor) AS amount_minor
                    FROM transfer
                    WHERE entry_id = original AND (phase IS NULL OR phase = 'post')
                    GROUP BY credit, currency
                )
                SELECT FROM taken
                LEFT JOIN given USING (account, currency)
                WHERE taken.amount_minor > coalesce(given.amount_minor, 0)
                  AND (account, currency) IN (
                    SELECT debit, currency FROM transfer WHERE entry_id = by_entry AND phase = 'pending'
                  )
            ) THEN
                RAISE EXCEPTION 'more would be taken back than was given'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'reversal_within_original';
            END IF;
        END $$
    """)
    op.execute("""
        REVOKE EXECUTE ON FUNCTION check_reversal(text, text) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION check_reversal(text, text) TO amply_app
    """)


def _check_links() -> None:
    # What few entries have, apart from what every entry pays for.
    op.execute("""
        CREATE FUNCTION check_links(given entry) RETURNS text LANGUAGE plpgsql AS $$
        BEGIN
            RETURN CASE
                WHEN given.reverses IS NOT NULL AND NOT check_named(given.reverses, given.id) THEN 'entry_reverses'
                WHEN given.supersedes IS NOT NULL AND NOT check_named(given.supersedes, given.id) THEN 'entry_supersedes'
                WHEN given.matches IS NOT NULL AND NOT check_named(given.matches, given.id) THEN 'entry_matches'
                WHEN given.reason !~ '^[a-z][a-z0-9_]*$' OR length(given.reason) > 64
                    OR given.supersedes IS NOT NULL AND given.reason IS NULL THEN 'entry_reason'
            END;
        END $$
    """)


def _check_entries() -> None:
    # As in 0002, and: any owner of books; a payout has a name; what is named exists; what we ask for is allowed.
    # At most 200 transfers between accounts of at most 63 characters, each with a phase and what it resolves, and 32
    # commitments, stay below 65,535 bytes.
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
    op.execute("DROP TRIGGER check_entry ON entry")
    op.execute("DROP TRIGGER check_transfer ON transfer")
    op.execute("DROP FUNCTION check_entry(), check_transfer()")
    op.execute("""
        DROP FUNCTION check_links(entry), check_reversal(text, text), check_phase(transfer), check_named(text, text),
            check_open(text, text, text), puts_back_what_is_public()
    """)
    before = importlib.import_module("amply.migrations.versions.0002_ledger")
    before._check_transfers()  # noqa: SLF001 -- the revision that this one replaced
    before._check_entries()  # noqa: SLF001 -- likewise
