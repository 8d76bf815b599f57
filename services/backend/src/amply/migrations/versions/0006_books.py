"""The books: two-phase transfers, what entries name, statements of accounts, and what is refused.

What we ask for is reserved first (`pending`) and may be refused: a refund above its gift, a payout above the balance.
What the processor verifiably did is posted, whatever it does to a balance: a ledger that refuses the truth is wrong.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

CHART = (
    ("exchange_fees", "debit"),
    ("fee_cover", "credit"),
    ("liquidity", "credit"),
    ("match_available", "credit"),
    ("match_paid", "credit"),
    ("match_pledged", "debit"),
)


def upgrade() -> None:
    _columns()
    _postings()
    _trial_balance()
    _standing_balance()
    _spendable()
    _closures()
    _append_only()
    _grants()


def _columns() -> None:
    codes = ", ".join(f"('{code}', '{side}')" for code, side in CHART)
    op.execute(f"INSERT INTO chart (code, normal_side) VALUES {codes}")  # noqa: S608 -- the table above
    # Books have an organisation, a business (its memo accounts) or the platform. A number is narrower than a name
    # where every transfer writes two.
    op.execute("""
        ALTER TABLE account
            DROP CONSTRAINT ck_account_owner,
            ADD CONSTRAINT ck_account_owner CHECK (owner = 'platform' OR owner ~ '^(org|biz)_[0-9a-z]{26}$'),
            ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT uq_account_number UNIQUE
    """)
    op.execute("CREATE INDEX ix_account_owner ON account (owner)")
    op.execute(
        "ALTER TABLE entry ADD COLUMN supersedes text, ADD COLUMN matches text, ADD COLUMN reason text"
    )
    # One correction an entry: what was corrected wrongly is corrected where it stands, in the correction.
    op.execute("CREATE UNIQUE INDEX uq_entry_supersedes ON entry (supersedes) WHERE supersedes IS NOT NULL")
    op.execute("CREATE INDEX ix_entry_reverses ON entry (reverses) WHERE reverses IS NOT NULL")
    # A payout is created, paid, failed and returned once each, by its name at the processor.
    op.execute("CREATE UNIQUE INDEX uq_entry_payout ON entry (kind, reference) WHERE kind LIKE 'payout.%'")
    op.execute("""
        ALTER TABLE transfer
            ADD COLUMN phase text, ADD COLUMN pending_entry_id text, ADD COLUMN pending_line smallint
    """)
    op.execute("""
        CREATE UNIQUE INDEX uq_transfer_pending ON transfer (pending_entry_id, pending_line)
        WHERE pending_entry_id IS NOT NULL
    """)


def _postings() -> None:
    # Each side of a transfer, in the order of the log, with the account's balance after it: a statement is a range of
    # rows, and a balance as it was is the last row before. The sequencer writes them; no writer waits.
    op.execute("""
        CREATE TABLE posting (
            account         bigint         NOT NULL,
            idx             bigint         NOT NULL,
            line            smallint       NOT NULL,
            debits_posted   numeric(38, 0) NOT NULL,
            credits_posted  numeric(38, 0) NOT NULL,
            debits_pending  numeric(38, 0) NOT NULL,
            credits_pending numeric(38, 0) NOT NULL,
            CONSTRAINT pk_posting PRIMARY KEY (account, idx, line)
        )
    """)
    op.execute("""
        INSERT INTO posting (account, idx, line, debits_posted, credits_posted, debits_pending, credits_pending)
        SELECT
            account.number, leaf.idx, transfer.line,
            sum(CASE WHEN transfer.debit = account.reference THEN amount_minor ELSE 0 END) OVER so_far,
            sum(CASE WHEN transfer.credit = account.reference THEN amount_minor ELSE 0 END) OVER so_far,
            0, 0
        FROM leaf
        JOIN transfer USING (entry_id)
        JOIN account ON account.reference IN (transfer.debit, transfer.credit)
            AND account.currency = transfer.currency
        WINDOW so_far AS (PARTITION BY account.number ORDER BY leaf.idx, transfer.line)
    """)
    op.execute(
        "CREATE INDEX ix_checkpoint_published_at ON checkpoint (published_at) WHERE published_at IS NOT NULL"
    )
    op.execute("""
        ALTER TABLE balance
            ADD COLUMN debits_pending numeric(38, 0) NOT NULL DEFAULT 0
                CONSTRAINT ck_balance_debits_pending CHECK (debits_pending >= 0),
            ADD COLUMN credits_pending numeric(38, 0) NOT NULL DEFAULT 0
                CONSTRAINT ck_balance_credits_pending CHECK (credits_pending >= 0)
    """)


def _trial_balance() -> None:
    # All debits and all credits of a currency, kept from the accounts' balances as they change. Looked at when the
    # sequencer commits: a batch that does not balance never becomes part of the log, nor of a checkpoint.
    op.execute("""
        CREATE TABLE trial_balance (
            currency        text           CONSTRAINT pk_trial_balance PRIMARY KEY,
            debits_posted   numeric(58, 0) NOT NULL,
            credits_posted  numeric(58, 0) NOT NULL,
            debits_pending  numeric(58, 0) NOT NULL,
            credits_pending numeric(58, 0) NOT NULL
        )
    """)
    op.execute("""
        INSERT INTO trial_balance
        SELECT currency, sum(debits_posted), sum(credits_posted), 0, 0 FROM balance GROUP BY currency
    """)
    _keep_trial_balance()
    _check_trial_balance()


def _keep_trial_balance() -> None:
    changed = """
        IF EXISTS (
            SELECT FROM written
            JOIN account ON (account.reference, account.currency) = (written.account, written.currency)
            LEFT JOIN LATERAL (
                SELECT * FROM posting WHERE posting.account = account.number ORDER BY idx DESC, line DESC LIMIT 1
            ) AS last ON true
            WHERE (written.debits_posted, written.credits_posted, written.debits_pending, written.credits_pending)
                IS DISTINCT FROM
                (last.debits_posted, last.credits_posted, last.debits_pending, last.credits_pending)
        ) THEN
            RAISE EXCEPTION 'a balance is what the account''s last posting says'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'balance_is_last_posting';
        END IF;
        INSERT INTO trial_balance AS kept
        SELECT currency, sum(debits_posted), sum(credits_posted), sum(debits_pending), sum(credits_pending)
        FROM ({}) AS moved (currency, debits_posted, credits_posted, debits_pending, credits_pending)
        GROUP BY currency
        ORDER BY currency
        ON CONFLICT (currency) DO UPDATE SET
            debits_posted = kept.debits_posted + excluded.debits_posted,
            credits_posted = kept.credits_posted + excluded.credits_posted,
            debits_pending = kept.debits_pending + excluded.debits_pending,
            credits_pending = kept.credits_pending + excluded.credits_pending;
        RETURN NULL;
    """
    new = "SELECT currency, debits_posted, credits_posted, debits_pending, credits_pending FROM written"
    old = "SELECT currency, -debits_posted, -credits_posted, -debits_pending, -credits_pending FROM replaced"
    for name, event, tables, moved in (
        ("check_balances_opened", "INSERT", "NEW TABLE AS written", new),
        (
            "check_balances_moved",
            "UPDATE",
            "NEW TABLE AS written OLD TABLE AS replaced",
            f"{new} UNION ALL {old}",
        ),
    ):
        op.execute(f"""
            CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
            SET search_path = public, pg_temp AS $$ BEGIN {changed.format(moved)} END $$
        """)
        op.execute(f"""
            CREATE TRIGGER {name} AFTER {event} ON balance
            REFERENCING {tables} FOR EACH STATEMENT EXECUTE FUNCTION {name}()
        """)


def _check_trial_balance() -> None:
    op.execute("""
        CREATE FUNCTION check_trial_balance() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = public, pg_temp AS $$
        BEGIN
            IF EXISTS (
                SELECT FROM trial_balance
                WHERE currency = NEW.currency
                  AND (debits_posted, debits_pending) <> (credits_posted, credits_pending)
            ) THEN
                RAISE EXCEPTION 'debits and credits in % differ', NEW.currency
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'trial_balance';
            END IF;
            RETURN NULL;
        END $$
    """)
    op.execute("""
        CREATE CONSTRAINT TRIGGER check_trial_balance AFTER INSERT OR UPDATE ON trial_balance
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_trial_balance()
    """)


def _standing_balance() -> None:
    # What the sequencer has folded and what was posted since, this transaction's own lines included: one snapshot.
    # Few entries ever wait; the planner takes them for a third of the ledger and would read all of it.
    op.execute("""
        CREATE FUNCTION standing_balance(
            of_account text, in_currency text,
            OUT debits_posted numeric, OUT credits_posted numeric,
            OUT debits_pending numeric, OUT credits_pending numeric
        ) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
        SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
            WITH waiting AS (
                SELECT entry.id
                FROM entry
                WHERE entry.xid >= coalesce((
                    SELECT last.xid
                    FROM (SELECT entry_id FROM leaf ORDER BY idx DESC LIMIT 1) AS newest
                    JOIN entry last ON last.id = newest.entry_id
                    WHERE last.xid < pg_snapshot_xmax(pg_current_snapshot())
                ), CAST('0' AS xid8))
                  AND (SELECT true FROM leaf WHERE leaf.entry_id = entry.id) IS NULL
            ), moved AS (
                SELECT
                    transfer.debit = of_account AS is_debit,
                    CASE WHEN transfer.phase IS NULL OR transfer.phase = 'post' THEN transfer.amount_minor END AS posted,
                    CASE transfer.phase WHEN 'pending' THEN transfer.amount_minor ELSE -reserved.amount_minor END AS pending
                FROM waiting
                JOIN transfer ON transfer.entry_id = waiting.id
                LEFT JOIN transfer reserved
                    ON (reserved.entry_id, reserved.line) = (transfer.pending_entry_id, transfer.pending_line)
                WHERE of_account IN (transfer.debit, transfer.credit) AND transfer.currency = in_currency
                UNION ALL
                SELECT side.is_debit, side.posted, side.pending
                FROM balance
                CROSS JOIN LATERAL (VALUES
                    (true, balance.debits_posted, balance.debits_pending),
                    (false, balance.credits_posted, balance.credits_pending)
                ) AS side (is_debit, posted, pending)
                WHERE (balance.account, balance.currency) = (of_account, in_currency)
            )
            SELECT
                coalesce(sum(posted) FILTER (WHERE is_debit), 0),
                coalesce(sum(posted) FILTER (WHERE NOT is_debit), 0),
                coalesce(sum(pending) FILTER (WHERE is_debit), 0),
                coalesce(sum(pending) FILTER (WHERE NOT is_debit), 0)
            FROM moved
        $$
    """)


def _spendable() -> None:
    # What a payout of ours may still take, as of the last one: written in the transaction that reserves it, and the
    # row's lock makes two payouts of one account follow each other. Nothing else has to write here: gifts only add,
    # and what the processor takes is a fact, whatever it leaves.
    op.execute("""
        CREATE TABLE spendable (
            account         text           NOT NULL,
            currency        text           NOT NULL,
            available_minor numeric(38, 0) NOT NULL CONSTRAINT ck_spendable_available CHECK (available_minor >= 0),
            CONSTRAINT pk_spendable PRIMARY KEY (account, currency)
        )
    """)
    op.execute("""
        CREATE FUNCTION reserve_payout(by_entry text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = public, pg_temp AS $$
        DECLARE
            source record;
        BEGIN
            FOR source IN
                SELECT DISTINCT credit AS account, currency
                FROM transfer
                WHERE entry_id = by_entry AND phase = 'pending' AND debit LIKE '%/payout_in_transit'
                ORDER BY account, currency
            LOOP
                INSERT INTO spendable (account, currency, available_minor)
                VALUES (source.account, source.currency, 0)
                ON CONFLICT (account, currency) DO UPDATE SET available_minor = spendable.available_minor;
                -- A statement of its own: it sees what the payout before, which held the row, has committed.
                UPDATE spendable SET available_minor = (
                    SELECT debits_posted - credits_posted - credits_pending
                    FROM standing_balance(source.account, source.currency)
                )
                WHERE (account, currency) = (source.account, source.currency);
            END LOOP;
        END $$
    """)


def _closures() -> None:
    op.execute("""
        CREATE TABLE account_closure (
            number     bigint      GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_account_closure PRIMARY KEY,
            account    text        NOT NULL,
            currency   text        NOT NULL,
            is_closed  boolean     NOT NULL,
            reason     text        NOT NULL CONSTRAINT ck_account_closure_reason CHECK (reason ~ '^[a-z][a-z0-9_]{0,63}$'),
            decided_at timestamptz NOT NULL,
            CONSTRAINT fk_account_closure_account
                FOREIGN KEY (account, currency) REFERENCES account (reference, currency)
        )
    """)
    op.execute("CREATE INDEX ix_account_closure_account ON account_closure (account, currency, number DESC)")
    # Writers look for a closure and lock nothing. So the rare closing waits until all that began before it have
    # ended, and lets none begin: for two seconds at most, then it gives up.
    op.execute("""
        CREATE FUNCTION check_closure() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = public, pg_temp SET lock_timeout = '2s' AS $$
        BEGIN
            LOCK TABLE transfer IN SHARE ROW EXCLUSIVE MODE;
            IF NEW.is_closed AND EXISTS (
                SELECT FROM standing_balance(NEW.account, NEW.currency)
                WHERE debits_pending > 0 OR credits_pending > 0
            ) THEN
                RAISE EXCEPTION 'money is still reserved on this account'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'account_settled';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER check_closure BEFORE INSERT ON account_closure
        FOR EACH ROW EXECUTE FUNCTION check_closure()
    """)


def _append_only() -> None:
    for table in ("posting", "account_closure"):
        op.execute(f"""
            CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """)
    # An opening is erased row by row, and never replaced.
    op.execute("""
        CREATE TRIGGER append_only BEFORE UPDATE OR TRUNCATE ON opening
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """)
    for table in ("trial_balance", "spendable", "clearance"):
        op.execute(f"""
            CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """)


def _grants() -> None:
    op.execute("GRANT INSERT (supersedes, matches, reason) ON entry TO amply_app")
    op.execute(
        "GRANT INSERT (account, currency, is_closed, reason, decided_at) ON account_closure TO amply_app"
    )
    op.execute("GRANT INSERT ON posting TO amply_sequencer")
    op.execute("""
        GRANT SELECT ON posting, trial_balance, spendable, account_closure TO amply_app, amply_sequencer, amply_read
    """)
    # Nobody may look behind row-level security through a function that runs as the owner, unless it is named here.
    op.execute("""
        REVOKE EXECUTE ON FUNCTION standing_balance(text, text), reserve_payout(text) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION standing_balance(text, text) TO amply_app, amply_read;
        GRANT EXECUTE ON FUNCTION reserve_payout(text) TO amply_app
    """)


def downgrade() -> None:
    op.execute("DROP TRIGGER append_only ON clearance")
    op.execute("DROP TRIGGER append_only ON opening")
    op.execute("DROP TRIGGER check_balances_opened ON balance")
    op.execute("DROP TRIGGER check_balances_moved ON balance")
    op.execute("DROP TABLE account_closure, spendable, trial_balance, posting")
    op.execute("""
        DROP FUNCTION check_closure(), reserve_payout(text), standing_balance(text, text), check_trial_balance(),
            check_balances_opened(), check_balances_moved()
    """)
    op.execute(
        "DROP INDEX ix_checkpoint_published_at, uq_transfer_pending, uq_entry_payout, ix_entry_reverses"
    )
    op.execute("DROP INDEX uq_entry_supersedes, ix_account_owner")
    op.execute("ALTER TABLE balance DROP COLUMN debits_pending, DROP COLUMN credits_pending")
    op.execute(
        "ALTER TABLE transfer DROP COLUMN phase, DROP COLUMN pending_entry_id, DROP COLUMN pending_line"
    )
    op.execute("ALTER TABLE entry DROP COLUMN supersedes, DROP COLUMN matches, DROP COLUMN reason")
    op.execute("ALTER TABLE account DROP COLUMN number, DROP CONSTRAINT ck_account_owner")
    op.execute("""
        ALTER TABLE account ADD CONSTRAINT ck_account_owner
        CHECK (owner = 'platform' OR owner ~ '^org_[0-9a-z]{26}$')
    """)
    op.execute("ALTER TABLE chart DISABLE TRIGGER append_only")
    codes = ", ".join(f"'{code}'" for code, _ in CHART)
    op.execute(f"DELETE FROM chart WHERE code IN ({codes})")  # noqa: S608 -- the table above
    op.execute("ALTER TABLE chart ENABLE TRIGGER append_only")
