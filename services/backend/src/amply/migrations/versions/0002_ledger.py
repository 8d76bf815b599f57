"""The ledger: accounts, entries and transfers; the log built from them; the checkpoints that commit to the log.

What may never happen is refused here, not only in the code above: rows change under nobody, an entry balances by
construction, indexes and organisations' chains have no gaps, a tile only grows, checkpoints form one line.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

CHART = (
    ("bank", "debit"),
    ("contributions", "credit"),
    ("dispute_fees", "debit"),
    ("dispute_hold", "debit"),
    ("gifts", "credit"),
    ("payout_in_transit", "debit"),
    ("platform_contributions_due", "credit"),
    ("processor_balance", "debit"),
    ("processor_fees", "debit"),
)


def upgrade() -> None:
    _accounts()
    _entries()
    _balances()
    _check_transfers()
    _check_entries()
    _leaves()
    _tiles()
    _checkpoints()
    _clearance()
    _append_only()
    _grants()


def _accounts() -> None:
    op.execute("""
        CREATE TABLE chart (
            code        text CONSTRAINT pk_chart PRIMARY KEY
                CONSTRAINT ck_chart_code CHECK (code ~ '^[a-z][a-z_]*$' AND length(code) <= 32),
            normal_side text NOT NULL CONSTRAINT ck_chart_normal_side CHECK (normal_side IN ('debit', 'credit'))
        )
    """)
    codes = ", ".join(f"('{code}', '{side}')" for code, side in CHART)
    op.execute(f"INSERT INTO chart (code, normal_side) VALUES {codes}")  # noqa: S608 -- the table above
    # The reference is the name a leaf uses; one currency an account, so that a balance is one number.
    op.execute(r"""
        CREATE TABLE account (
            reference  text        GENERATED ALWAYS AS (owner || '/' || code) STORED,
            currency   text        NOT NULL CONSTRAINT ck_account_currency CHECK (currency ~ '^[A-Z]{3}$'),
            owner      text        NOT NULL
                CONSTRAINT ck_account_owner CHECK (owner = 'platform' OR owner ~ '^org_[0-9a-z]{26}$'),
            code       text        NOT NULL CONSTRAINT fk_account_code REFERENCES chart (code),
            opened_by  text        NOT NULL,
            CONSTRAINT pk_account PRIMARY KEY (reference, currency)
        )
    """)


def _entries() -> None:
    # xid says which transaction wrote the row: the sequencer takes only rows of transactions that can no longer be
    # joined by an older one. Within a transaction the number keeps the order of posting, since ids are random.
    # No role may write either, the defaults do.
    op.execute("""
        CREATE TABLE entry (
            id              text        CONSTRAINT pk_entry PRIMARY KEY,
            xid             xid8        NOT NULL DEFAULT pg_current_xact_id(),
            number          bigint      GENERATED ALWAYS AS IDENTITY,
            kind            text        NOT NULL,
            organization_id text        NOT NULL,
            idempotency_key text        NOT NULL CONSTRAINT uq_entry_idempotency_key UNIQUE,
            event_at        timestamptz NOT NULL,
            created_at      timestamptz NOT NULL,
            reference       text,
            reverses        text,
            commitments     jsonb       NOT NULL
        )
    """)
    op.execute("CREATE INDEX ix_entry_xid ON entry (xid)")
    # Balanced by construction: one amount leaves one account and enters another of the same currency.
    op.execute("""
        CREATE TABLE transfer (
            entry_id     text     NOT NULL,
            line         smallint NOT NULL,
            debit        text     NOT NULL,
            credit       text     NOT NULL,
            currency     text     NOT NULL,
            amount_minor bigint   NOT NULL,
            CONSTRAINT pk_transfer PRIMARY KEY (entry_id, line),
            CONSTRAINT ck_transfer_moves CHECK (amount_minor > 0 AND debit <> credit AND line >= 0)
        )
    """)
    # What erasure removes: salts and values of an entry's commitments, sealed with a key the database does not have.
    # Written by the statement that writes the entry, which nothing can delete: no foreign key, whose lock would cost.
    op.execute("""
        CREATE TABLE opening (
            entry_id text  CONSTRAINT pk_opening PRIMARY KEY,
            sealed   bytea NOT NULL
        )
    """)


def _balances() -> None:
    # Derived: the sequencer folds transfers into it as it takes them, so that no writer waits for a popular account.
    # Wider than any sum of bigints: a balance that overflows would stop the log.
    op.execute("""
        CREATE TABLE balance (
            account        text           NOT NULL,
            currency       text           NOT NULL,
            debits_posted  numeric(38, 0) NOT NULL CONSTRAINT ck_balance_debits CHECK (debits_posted >= 0),
            credits_posted numeric(38, 0) NOT NULL CONSTRAINT ck_balance_credits CHECK (credits_posted >= 0),
            CONSTRAINT pk_balance PRIMARY KEY (account, currency),
            CONSTRAINT fk_balance_account FOREIGN KEY (account, currency) REFERENCES account (reference, currency)
        )
    """)


def _check_transfers() -> None:
    # A trigger instead of foreign keys: accounts and entries can never be deleted, so existence is enough, and the
    # row lock a foreign key takes on a popular account would make all its writers queue.
    # The same transaction: a line added to an older entry would be missing from the leaf already built of it.
    # An account opens with its first transfer; the chart and the shape of its owner decide what may be opened.
    op.execute("""
        CREATE FUNCTION check_transfer() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (
                SELECT FROM entry, account debit, account credit
                WHERE (entry.id, entry.xid) = (NEW.entry_id, pg_current_xact_id())
                  AND (debit.reference, debit.currency) = (NEW.debit, NEW.currency)
                  AND (credit.reference, credit.currency) = (NEW.credit, NEW.currency)
            ) THEN
                RETURN NULL;
            END IF;
            IF NOT EXISTS (SELECT FROM entry WHERE (id, xid) = (NEW.entry_id, pg_current_xact_id())) THEN
                RAISE EXCEPTION 'a transfer is written with its entry'
                    USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'transfer_with_its_entry';
            END IF;
            INSERT INTO account (owner, code, currency, opened_by)
            SELECT
                left(reference, strpos(reference, '/') - 1), substr(reference, strpos(reference, '/') + 1),
                NEW.currency, NEW.entry_id
            FROM unnest(ARRAY[NEW.debit, NEW.credit]) AS named (reference)
            ORDER BY reference
            ON CONFLICT (reference, currency) DO NOTHING;
            RETURN NULL;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER check_transfer AFTER INSERT ON transfer FOR EACH ROW EXECUTE FUNCTION check_transfer()
    """)


def _check_entries() -> None:
    # Runs when the statement ends: an entry and its transfers are written by one statement.
    # What the log's format could not spell would stop the sequencer, and with it everyone's entries. One expression
    # here instead of a CHECK each: PostgreSQL reads a table's CHECKs anew for every statement, which costs more than
    # the row's indexes. (Bounded repetitions in a pattern cost five times as much as a length beside it.)
    # At most 256 transfers between accounts of at most 63 characters, and 32 commitments, stay below 65,535 bytes.
    op.execute(r"""
        CREATE FUNCTION check_entry() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            broken text := CASE
                WHEN length(NEW.id) <> 30 OR NEW.id !~ '^ent_[0-9a-z]+$' THEN 'entry_id'
                WHEN length(NEW.kind) > 64 OR NEW.kind !~ '^[a-z][a-z_]*\.[a-z][a-z_]*$' THEN 'entry_kind'
                WHEN length(NEW.organization_id) <> 30 OR NEW.organization_id !~ '^org_[0-9a-z]+$'
                    THEN 'entry_organization_id'
                WHEN length(NEW.reference) > 255 OR NEW.reference !~ '^[a-z][a-z0-9_]*(:[0-9A-Za-z._-]+)+$'
                    THEN 'entry_reference'
                WHEN length(NEW.idempotency_key) NOT BETWEEN 1 AND 255 THEN 'entry_idempotency_key'
                WHEN NEW.event_at NOT BETWEEN '0001-01-01T00:00Z' AND '9999-12-31T23:59:59Z' THEN 'entry_event_at'
                WHEN jsonb_typeof(NEW.commitments) <> 'object' THEN 'entry_commitments'
            END;
            lines bigint;
            last_line smallint;
        BEGIN
            IF NEW.reverses IS NOT NULL THEN
                IF NOT EXISTS (SELECT FROM entry WHERE id = NEW.reverses AND id <> NEW.id) THEN
                    broken := 'entry_reverses';
                END IF;
            END IF;
            SELECT count(*), max(line) INTO lines, last_line FROM transfer WHERE entry_id = NEW.id;
            IF lines = 0 THEN
                broken := 'entry_has_transfers';
            ELSIF last_line > 255 OR last_line <> lines - 1 THEN
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
            RETURN NULL;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER check_entry AFTER INSERT ON entry FOR EACH ROW EXECUTE FUNCTION check_entry()
    """)


def _leaves() -> None:
    # The bytes that were hashed are kept: they are served as they are, never made again. The hash is RFC 6962's.
    op.execute(r"""
        CREATE TABLE leaf (
            idx       bigint CONSTRAINT pk_leaf PRIMARY KEY CONSTRAINT ck_leaf_idx CHECK (idx >= 0),
            entry_id  text   NOT NULL CONSTRAINT uq_leaf_entry_id UNIQUE,
            org       text   NOT NULL,
            org_seq   bigint NOT NULL CONSTRAINT ck_leaf_org_seq CHECK (org_seq >= 0),
            org_prev  bytea,
            bytes     bytea  NOT NULL CONSTRAINT ck_leaf_bytes CHECK (octet_length(bytes) BETWEEN 1 AND 65535),
            leaf_hash bytea  GENERATED ALWAYS AS (sha256('\x00'::bytea || bytes)) STORED,
            CONSTRAINT uq_leaf_org_seq UNIQUE (org, org_seq),
            CONSTRAINT ck_leaf_org_prev CHECK ((org_seq = 0) = (org_prev IS NULL))
        )
    """)
    # No gap in the log, none in an organisation's chain, and nothing in it that is not an entry.
    op.execute("""
        CREATE FUNCTION check_leaves() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (
                SELECT FROM written
                LEFT JOIN leaf before ON before.idx = written.idx - 1
                WHERE written.idx > 0 AND before.idx IS NULL
            ) THEN
                RAISE EXCEPTION 'the log has no gaps'
                    USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'leaf_contiguous';
            END IF;
            IF EXISTS (
                SELECT FROM written
                LEFT JOIN leaf before ON (before.org, before.org_seq) = (written.org, written.org_seq - 1)
                WHERE written.org_prev IS DISTINCT FROM before.leaf_hash
            ) THEN
                RAISE EXCEPTION 'an organisation''s entries form one chain'
                    USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'leaf_org_chain';
            END IF;
            IF EXISTS (
                SELECT FROM written
                LEFT JOIN entry ON entry.id = written.entry_id
                WHERE entry.organization_id IS DISTINCT FROM written.org
            ) THEN
                RAISE EXCEPTION 'a leaf is made of an entry'
                    USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'leaf_of_entry';
            END IF;
            RETURN NULL;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER check_leaves AFTER INSERT ON leaf
        REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION check_leaves()
    """)


def _tiles() -> None:
    # Hash tiles as C2SP tlog-tiles has them: at most 256 hashes of 32 bytes. They can be built again from the leaves.
    op.execute("""
        CREATE TABLE tile (
            level  smallint NOT NULL CONSTRAINT ck_tile_level CHECK (level BETWEEN 0 AND 7),
            index  bigint   NOT NULL CONSTRAINT ck_tile_index CHECK (index >= 0),
            hashes bytea    NOT NULL CONSTRAINT ck_tile_hashes
                CHECK (octet_length(hashes) BETWEEN 32 AND 8192 AND octet_length(hashes) % 32 = 0),
            CONSTRAINT pk_tile PRIMARY KEY (level, index)
        )
    """)
    # Random bytes: compressing them costs time and saves nothing.
    op.execute("ALTER TABLE tile ALTER COLUMN hashes SET STORAGE EXTERNAL")
    op.execute("""
        CREATE FUNCTION check_tile_grows() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF (OLD.level, OLD.index) <> (NEW.level, NEW.index)
                OR substr(NEW.hashes, 1, octet_length(OLD.hashes)) <> OLD.hashes THEN
                RAISE EXCEPTION 'a tile only grows'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'tile_grows';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER check_tile_grows BEFORE UPDATE ON tile
        FOR EACH ROW EXECUTE FUNCTION check_tile_grows()
    """)


def _checkpoints() -> None:
    # Each checkpoint names the one it extends, and only one may extend it: of two publishers one wins, sizes grow.
    # It commits only to leaves that exist. The row comes first, then the signature, then the publication.
    op.execute("""
        CREATE TABLE checkpoint (
            size          bigint      CONSTRAINT pk_checkpoint PRIMARY KEY
                CONSTRAINT ck_checkpoint_size CHECK (size > 0),
            previous_size bigint      CONSTRAINT uq_checkpoint_previous_size UNIQUE NULLS NOT DISTINCT
                CONSTRAINT fk_checkpoint_previous_size REFERENCES checkpoint (size),
            last_index    bigint      GENERATED ALWAYS AS (size - 1) STORED
                CONSTRAINT fk_checkpoint_last_index REFERENCES leaf (idx),
            root          bytea       NOT NULL CONSTRAINT ck_checkpoint_root CHECK (octet_length(root) = 32),
            note          text,
            created_at    timestamptz NOT NULL,
            published_at  timestamptz,
            CONSTRAINT ck_checkpoint_grows CHECK (previous_size < size),
            CONSTRAINT ck_checkpoint_published_is_signed CHECK (published_at IS NULL OR note IS NOT NULL)
        )
    """)
    op.execute("""
        CREATE INDEX ix_checkpoint_unpublished ON checkpoint (size) WHERE published_at IS NULL
    """)
    op.execute("""
        CREATE FUNCTION check_checkpoint_completed() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF (OLD.size, OLD.root, OLD.created_at) <> (NEW.size, NEW.root, NEW.created_at)
                OR OLD.previous_size IS DISTINCT FROM NEW.previous_size
                OR (OLD.note IS NOT NULL AND OLD.note IS DISTINCT FROM NEW.note)
                OR (OLD.published_at IS NOT NULL AND OLD.published_at IS DISTINCT FROM NEW.published_at) THEN
                RAISE EXCEPTION 'a checkpoint is completed, never changed'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'checkpoint_completed';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER check_checkpoint_completed BEFORE UPDATE ON checkpoint
        FOR EACH ROW EXECUTE FUNCTION check_checkpoint_completed()
    """)


def _clearance() -> None:
    # A sequencer that begins to lead asks; the publisher answers after it compared this database with the public log.
    op.execute("""
        CREATE TABLE clearance (
            number          bigint      GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_clearance PRIMARY KEY,
            token           text        NOT NULL CONSTRAINT uq_clearance_token UNIQUE,
            asked_at        timestamptz NOT NULL,
            cleared_at      timestamptz,
            refused_because text
        )
    """)


def _append_only() -> None:
    # Grants stop the roles that sign in; the trigger also stops the owner, whose hand is the one that slips.
    op.execute("""
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
                USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only';
        END $$
    """)
    for table in ("chart", "account", "entry", "transfer", "leaf"):
        op.execute(f"""
            CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """)
    for table in ("balance", "tile", "checkpoint"):
        op.execute(f"""
            CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """)


def _grants() -> None:
    op.execute("GRANT SELECT ON chart, account, entry, transfer TO amply_app, amply_sequencer, amply_read")
    op.execute("GRANT SELECT ON balance, leaf, tile, checkpoint TO amply_app, amply_sequencer, amply_read")
    # The API says where an entry is. It cannot post, and never sees what a commitment hides.
    op.execute("GRANT SELECT ON leaf, checkpoint TO amply_api")
    # Writers post. They cannot choose the transaction a row claims to come from.
    op.execute("GRANT INSERT (currency, owner, code, opened_by) ON account TO amply_app")
    op.execute("""
        GRANT INSERT (id, kind, organization_id, idempotency_key, event_at, created_at, reference, reverses, commitments)
        ON entry TO amply_app
    """)
    op.execute("GRANT INSERT ON transfer TO amply_app")
    # Openings can be read to make a receipt, and erased.
    op.execute("GRANT SELECT, INSERT, DELETE ON opening TO amply_app")
    # The sequencer and the publisher build the log and never see what a commitment hides.
    op.execute("GRANT INSERT ON leaf TO amply_sequencer")
    op.execute("GRANT INSERT, UPDATE ON tile, balance TO amply_sequencer")
    op.execute("""
        GRANT INSERT (size, previous_size, root, created_at), UPDATE (note, published_at)
        ON checkpoint TO amply_sequencer
    """)
    op.execute("""
        GRANT SELECT, INSERT (token, asked_at), UPDATE (cleared_at, refused_because)
        ON clearance TO amply_sequencer
    """)
    op.execute("GRANT SELECT ON clearance TO amply_read")


def downgrade() -> None:
    op.execute(
        "DROP TABLE clearance, checkpoint, tile, leaf, balance, opening, transfer, entry, account, chart"
    )
    op.execute("""
        DROP FUNCTION refuse_change(), check_checkpoint_completed(), check_tile_grows(), check_leaves(),
            check_entry(), check_transfer()
    """)
