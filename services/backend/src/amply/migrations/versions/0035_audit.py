"""The audit log: who did what to whom, append-only and hash-chained (ADR 0112)."""

from alembic import op

revision = "0035"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The content is what is hashed; what is searched for is taken from it, so that the two can never disagree.
    op.execute("""
        CREATE TABLE audit_record (
            content         text NOT NULL
                CONSTRAINT ck_audit_record_content CHECK (octet_length(content) = length(content) AND length(content) <= 8192),
            id              text GENERATED ALWAYS AS (CAST(content AS jsonb) ->> 'id') STORED
                CONSTRAINT pk_audit_record PRIMARY KEY,
            at              text GENERATED ALWAYS AS (CAST(content AS jsonb) ->> 'at') STORED NOT NULL,
            action          text GENERATED ALWAYS AS (CAST(content AS jsonb) ->> 'action') STORED NOT NULL,
            actor           text GENERATED ALWAYS AS (
                (CAST(content AS jsonb) -> 'actor' ->> 'kind') || ':' || (CAST(content AS jsonb) -> 'actor' ->> 'id')
            ) STORED NOT NULL,
            organization_id text GENERATED ALWAYS AS (CAST(content AS jsonb) ->> 'organization') STORED
        )
    """)
    # The chain stands beside the records, and is written as the last thing of a transaction: see below.
    op.execute("""
        CREATE TABLE audit_link (
            position  bigint CONSTRAINT pk_audit_link PRIMARY KEY CONSTRAINT ck_audit_link_position CHECK (position > 0),
            record_id text   NOT NULL CONSTRAINT uq_audit_link_record_id UNIQUE
                CONSTRAINT fk_audit_link_record_id REFERENCES audit_record (id),
            hash      bytea  NOT NULL CONSTRAINT ck_audit_link_hash CHECK (octet_length(hash) = 32)
        )
    """)
    op.execute("""
        CREATE TABLE audit_seal (
            day            date        NOT NULL,
            part           bigint      NOT NULL,
            first_position bigint      NOT NULL,
            last_position  bigint      NOT NULL,
            previous_hash  bytea       NOT NULL,
            hash           bytea       NOT NULL,
            sealed_at      timestamptz NOT NULL,
            archived_at    timestamptz,
            CONSTRAINT pk_audit_seal PRIMARY KEY (day, part),
            CONSTRAINT ck_audit_seal_range CHECK (part >= 0 AND first_position > 0 AND last_position >= first_position - 1),
            CONSTRAINT ck_audit_seal_hashes CHECK (octet_length(hash) = 32 AND octet_length(previous_hash) = 32)
        )
    """)
    for column in ("at", "action", "actor", "organization_id"):
        op.execute(f"CREATE INDEX ix_audit_record_{column} ON audit_record ({column}, id)")
    op.execute("CREATE INDEX ix_audit_seal_waiting ON audit_seal (day, part) WHERE archived_at IS NULL")
    _chain()
    _append_only()
    _grants()


def _chain() -> None:
    # Deferred: whoever appends waits for others at its commit alone, when it has all its other locks, so that records can
    # neither hold anybody up for the length of a transaction nor wait in a circle with what is recorded.
    op.execute("""
        CREATE FUNCTION chain_audit_record() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = public, pg_temp AS $$
        DECLARE
            head audit_link;
        BEGIN
            PERFORM pg_advisory_xact_lock(107122665486595);  -- "amply" and a number, as in modules/ledger/locks.py
            SELECT * INTO head FROM audit_link ORDER BY position DESC LIMIT 1;
            INSERT INTO audit_link (position, record_id, hash)
            VALUES (
                coalesce(head.position, 0) + 1,
                NEW.id,
                sha256(coalesce(head.hash, decode(repeat('00', 32), 'hex')) || convert_to(NEW.content, 'UTF8'))
            );
            RETURN NULL;
        END $$
    """)
    op.execute("REVOKE EXECUTE ON FUNCTION chain_audit_record() FROM PUBLIC")
    op.execute("""
        CREATE CONSTRAINT TRIGGER chain_audit_record AFTER INSERT ON audit_record
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION chain_audit_record()
    """)


def _append_only() -> None:
    for table in ("audit_record", "audit_link"):
        op.execute(f"""
            CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """)
    op.execute("""
        CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON audit_seal
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """)
    op.execute("""
        CREATE TRIGGER archived_once BEFORE UPDATE ON audit_seal FOR EACH ROW
        WHEN (
            OLD.archived_at IS NOT NULL OR NEW.archived_at IS NULL
            OR (OLD.day, OLD.part, OLD.first_position, OLD.last_position, OLD.previous_hash, OLD.hash, OLD.sealed_at)
               IS DISTINCT FROM
               (NEW.day, NEW.part, NEW.first_position, NEW.last_position, NEW.previous_hash, NEW.hash, NEW.sealed_at)
        )
        EXECUTE FUNCTION refuse_change()
    """)


def _grants() -> None:
    # Whoever acts appends, and cannot say where. The API sees what was done in the organisation it is bound to.
    op.execute("ALTER TABLE audit_record ENABLE ROW LEVEL SECURITY")
    op.execute("""
        CREATE POLICY of_the_bound ON audit_record FOR SELECT TO amply_api
        USING (organization_id = bound_organization())
    """)
    op.execute("CREATE POLICY appended ON audit_record FOR INSERT TO amply_api WITH CHECK (true)")
    op.execute("""
        CREATE POLICY of_everyone ON audit_record TO amply_app, amply_operator, amply_read
        USING (true) WITH CHECK (true)
    """)
    op.execute("""
        GRANT SELECT, INSERT (content) ON audit_record TO amply_api, amply_app, amply_operator;
        GRANT SELECT ON audit_record TO amply_read;
        GRANT SELECT ON audit_link, audit_seal TO amply_app, amply_operator, amply_read;
        GRANT INSERT, UPDATE (archived_at) ON audit_seal TO amply_app
    """)


def downgrade() -> None:
    op.execute("DROP TABLE audit_seal, audit_link, audit_record")
    op.execute("DROP FUNCTION chain_audit_record")
