"""Who lets facts of their gifts leave the platform, and which facts left (ADR 0137)."""

from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None

TABLES = ("sharing_fact", "sharing_batch", "sharing_tick", "sharing_consent", "sharing_span")


def upgrade() -> None:
    _spans()
    _consents()
    _facts()
    _grants()


def _spans() -> None:
    # From a consent until it is withdrawn. What a span has come to never goes back: from some gifts to all, from given to
    # withdrawn. Whoever consents again begins another one, under another name in the lake.
    op.execute("""
        CREATE TABLE sharing_span (
            id              text        CONSTRAINT pk_sharing_span PRIMARY KEY,
            purpose         text        NOT NULL CONSTRAINT ck_sharing_span_purpose CHECK (purpose IN ('analytics')),
            is_given        boolean     NOT NULL DEFAULT true,
            covers_all      boolean     NOT NULL,
            version         integer     NOT NULL DEFAULT 1 CONSTRAINT ck_sharing_span_version CHECK (version > 0),
            told_version    integer     NOT NULL DEFAULT 0
                CONSTRAINT ck_sharing_span_told_version CHECK (told_version BETWEEN 0 AND version),
            donor_sha256    text,
            sealed          bytea,
            donor_index     bytea,
            attempts        integer     NOT NULL DEFAULT 0,
            next_attempt_at timestamptz NOT NULL,
            changed_at      timestamptz NOT NULL
        );
        CREATE INDEX ix_sharing_span_donor_index ON sharing_span (donor_index) WHERE donor_index IS NOT NULL;
        CREATE INDEX ix_sharing_span_in_clear ON sharing_span (donor_sha256) WHERE donor_sha256 IS NOT NULL;
        CREATE INDEX ix_sharing_span_sealed_by ON sharing_span (substring(sealed, 1, 5)) WHERE sealed IS NOT NULL;
        CREATE INDEX ix_sharing_span_untold ON sharing_span (next_attempt_at) WHERE told_version < version
    """)
    # Whose consent it is stands under the donor's leaf (0048), which an erasure closes and cuts.
    op.execute("""
        CREATE TRIGGER leaf_is_open BEFORE INSERT OR UPDATE OF sealed ON sharing_span
            FOR EACH ROW WHEN (get_byte(NEW.sealed, 0) = 3) EXECUTE FUNCTION leaf_is_open('donors');
        CREATE INDEX ix_sharing_span_leaf ON sharing_span (substring(sealed, 1, 13)) WHERE sealed IS NOT NULL
    """)
    op.execute("""
        CREATE FUNCTION sharing_span_moves_on() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF (NEW.is_given AND NOT OLD.is_given) OR (OLD.covers_all AND NOT NEW.covers_all)
                OR NEW.version < OLD.version OR NEW.told_version < OLD.told_version OR NEW.purpose <> OLD.purpose
            THEN
                RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation',
                    CONSTRAINT = 'sharing_span_moves_on', MESSAGE = 'a span of consent never goes back';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER sharing_span_moves_on BEFORE UPDATE ON sharing_span
            FOR EACH ROW EXECUTE FUNCTION sharing_span_moves_on()
    """)


def _consents() -> None:
    op.execute("""
        CREATE TABLE sharing_consent (
            span_id    text        NOT NULL REFERENCES sharing_span (id),
            version    integer     NOT NULL,
            decision   text        NOT NULL
                CONSTRAINT ck_sharing_consent_decision CHECK (decision IN ('given', 'withdrawn')),
            way        text        NOT NULL
                CONSTRAINT ck_sharing_consent_way CHECK (way IN ('donation_page', 'own_page', 'erasure', 'consent_table')),
            wording    text,
            decided_at timestamptz NOT NULL,
            CONSTRAINT pk_sharing_consent PRIMARY KEY (span_id, version),
            CONSTRAINT ck_sharing_consent_wording CHECK ((decision = 'given') = (wording IS NOT NULL))
        )
    """)
    op.execute("""
        CREATE TABLE sharing_tick (
            donation_id text NOT NULL REFERENCES donation (id) ON UPDATE CASCADE,
            span_id     text NOT NULL REFERENCES sharing_span (id),
            CONSTRAINT pk_sharing_tick PRIMARY KEY (donation_id)
        );
        CREATE INDEX ix_sharing_tick_span_id ON sharing_tick (span_id)
    """)
    # Grants stop the roles that sign in, the trigger the owner too (0002).
    op.execute("""
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON sharing_consent
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """)


def _facts() -> None:
    # A batch is chosen once, and written as often as it takes: always under the same name, without whoever withdrew meanwhile.
    op.execute("""
        CREATE TABLE sharing_batch (
            id              text        CONSTRAINT pk_sharing_batch PRIMARY KEY,
            path            text        NOT NULL CONSTRAINT uq_sharing_batch_path UNIQUE,
            rows            integer,
            attempts        integer     NOT NULL DEFAULT 0,
            next_attempt_at timestamptz NOT NULL,
            written_at      timestamptz
        );
        CREATE INDEX ix_sharing_batch_waiting ON sharing_batch (next_attempt_at) WHERE written_at IS NULL
    """)
    op.execute("""
        CREATE TABLE sharing_fact (
            span_id          text    NOT NULL REFERENCES sharing_span (id),
            donation_id      text    NOT NULL REFERENCES donation (id) ON UPDATE CASCADE,
            number           integer NOT NULL,
            amount_minor     bigint  NOT NULL,
            kept_minor       bigint  NOT NULL,
            happened_on      date    NOT NULL,
            batch_id         text    NOT NULL REFERENCES sharing_batch (id),
            CONSTRAINT pk_sharing_fact PRIMARY KEY (span_id, donation_id, number)
        );
        CREATE INDEX ix_sharing_fact_batch_id ON sharing_fact (batch_id);
        CREATE INDEX ix_sharing_fact_donation_id ON sharing_fact (donation_id)
    """)


def _grants() -> None:
    # The API lets people decide, and sees nothing of what left.
    op.execute("""
        GRANT SELECT, INSERT, UPDATE (is_given, covers_all, version, attempts, next_attempt_at, changed_at)
            ON sharing_span TO amply_api;
        GRANT SELECT, INSERT ON sharing_consent TO amply_api;
        GRANT SELECT, INSERT ON sharing_tick TO amply_api;
        GRANT SELECT, INSERT, UPDATE ON sharing_span TO amply_app;
        GRANT SELECT, INSERT ON sharing_consent TO amply_app;
        GRANT SELECT, INSERT, DELETE ON sharing_tick TO amply_app;
        GRANT SELECT, INSERT, UPDATE (rows, attempts, next_attempt_at, written_at) ON sharing_batch TO amply_app;
        GRANT SELECT, INSERT, DELETE ON sharing_fact TO amply_app
    """)


def downgrade() -> None:
    op.execute(f"DROP TABLE {', '.join(TABLES)}")
    op.execute("DROP FUNCTION sharing_span_moves_on()")
