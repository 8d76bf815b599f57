"""Receipts: how organisations issue them, their numbers, what donors tell for them; and who gets no letters any more."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

JURISDICTIONS = "('US', 'CA', 'GB', 'AU', 'none')"
LANGUAGES = "('en', 'de', 'fr')"


def upgrade() -> None:
    _settings()
    _facts()
    _numbered()
    _rules()
    _sending()
    _mail()
    _grants()


def _settings() -> None:
    op.execute(f"""
        CREATE TABLE receipt_settings (
            organization_id     text        CONSTRAINT pk_receipt_settings PRIMARY KEY
                                            CONSTRAINT fk_receipt_settings_organization_id REFERENCES organization (id),
            jurisdiction        text        NOT NULL
                CONSTRAINT ck_receipt_settings_jurisdiction CHECK (jurisdiction IN {JURISDICTIONS}),
            legal_name          text        NOT NULL,
            registration_number text        NOT NULL,
            address             text[]      NOT NULL,
            place               text        NOT NULL,
            signatory           text        NOT NULL,
            language            text        NOT NULL
                CONSTRAINT ck_receipt_settings_language CHECK (language IN {LANGUAGES}),
            time_zone           text        NOT NULL,
            fiscal_year_starts  smallint    NOT NULL
                CONSTRAINT ck_receipt_settings_fiscal_year_starts CHECK (fiscal_year_starts BETWEEN 1 AND 12),
            brand_colour        text        NOT NULL,
            logo                bytea
                CONSTRAINT ck_receipt_settings_logo CHECK (octet_length(logo) <= 65536),
            updated_at          timestamptz NOT NULL
        )
    """)


def _facts() -> None:
    # Personal, and nothing but: deleted when the donor is erased.
    op.execute(f"""
        CREATE TABLE receipt_facts (
            donation_id text  CONSTRAINT pk_receipt_facts PRIMARY KEY
                              CONSTRAINT fk_receipt_facts_donation_id REFERENCES donation (id) ON UPDATE CASCADE,
            language    text  CONSTRAINT ck_receipt_facts_language CHECK (language IN {LANGUAGES}),
            address     jsonb,
            gift_aid    jsonb,
            advantage   jsonb
        )
    """)


def _numbered() -> None:
    op.execute(f"""
        CREATE TABLE receipt_series (
            organization_id text   NOT NULL
                CONSTRAINT fk_receipt_series_organization_id REFERENCES organization (id),
            jurisdiction    text   NOT NULL
                CONSTRAINT ck_receipt_series_jurisdiction CHECK (jurisdiction IN {JURISDICTIONS}),
            last_serial     bigint NOT NULL CONSTRAINT ck_receipt_series_last_serial CHECK (last_serial > 0),
            CONSTRAINT pk_receipt_series PRIMARY KEY (organization_id, jurisdiction)
        )
    """)
    # `document` is what the receipt says, and NULL once its donor was erased. The number stays taken.
    op.execute(f"""
        CREATE TABLE issued_receipt (
            id                   text        CONSTRAINT pk_issued_receipt PRIMARY KEY,
            organization_id      text        NOT NULL,
            jurisdiction         text        NOT NULL,
            serial               bigint      NOT NULL,
            donation_id          text        NOT NULL
                CONSTRAINT fk_issued_receipt_donation_id REFERENCES donation (id) ON UPDATE CASCADE,
            kind                 text        NOT NULL
                CONSTRAINT ck_issued_receipt_kind CHECK (kind IN ('official', 'acknowledgement')),
            reasons              text[]      NOT NULL,
            minor_units          bigint      NOT NULL
                CONSTRAINT ck_issued_receipt_minor_units CHECK (minor_units > 0),
            eligible_minor_units bigint      NOT NULL
                CONSTRAINT ck_issued_receipt_eligible CHECK (eligible_minor_units BETWEEN 0 AND minor_units),
            currency             text        NOT NULL
                CONSTRAINT ck_issued_receipt_currency CHECK (currency ~ '^[A-Z]{{3}}$'),
            language             text        NOT NULL
                CONSTRAINT ck_issued_receipt_language CHECK (language IN {LANGUAGES}),
            document             jsonb,
            replaces             text
                CONSTRAINT uq_issued_receipt_replaces UNIQUE
                CONSTRAINT fk_issued_receipt_replaces REFERENCES issued_receipt (id),
            issued_at            timestamptz NOT NULL,
            voided_at            timestamptz,
            void_reason          text,
            CONSTRAINT fk_issued_receipt_series
                FOREIGN KEY (organization_id, jurisdiction) REFERENCES receipt_series (organization_id, jurisdiction),
            CONSTRAINT uq_issued_receipt_serial UNIQUE (organization_id, jurisdiction, serial),
            CONSTRAINT ck_issued_receipt_void_has_reason CHECK ((voided_at IS NULL) = (void_reason IS NULL))
        )
    """)
    op.execute("""
        CREATE UNIQUE INDEX uq_issued_receipt_valid ON issued_receipt (donation_id) WHERE voided_at IS NULL;
        CREATE INDEX ix_issued_receipt_donation_id ON issued_receipt (donation_id)
    """)


def _rules() -> None:
    # As the tables' owner: whoever issues receipts cannot move a counter. The series' row is locked until the end of the
    # transaction, and rolled back with it: no gap, and no number twice.
    op.execute("""
        CREATE FUNCTION number_receipt() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = public, pg_temp AS $$
        BEGIN
            INSERT INTO receipt_series AS series (organization_id, jurisdiction, last_serial)
            VALUES (NEW.organization_id, NEW.jurisdiction, 1)
            ON CONFLICT (organization_id, jurisdiction) DO UPDATE SET last_serial = series.last_serial + 1
            RETURNING last_serial INTO NEW.serial;
            RETURN NEW;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER number_receipt BEFORE INSERT ON issued_receipt
        FOR EACH ROW EXECUTE FUNCTION number_receipt()
    """)
    # Made void once, forgotten once; the gift's id changes when its donor is erased. Nothing else of it ever changes.
    op.execute("""
        CREATE FUNCTION keep_receipt() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF to_jsonb(NEW) - '{donation_id,document,voided_at,void_reason}'::text[]
               IS DISTINCT FROM to_jsonb(OLD) - '{donation_id,document,voided_at,void_reason}'::text[]
               OR (OLD.voided_at IS NOT NULL
                   AND (NEW.voided_at, NEW.void_reason) IS DISTINCT FROM (OLD.voided_at, OLD.void_reason))
               OR (NEW.document IS NOT NULL AND NEW.document IS DISTINCT FROM OLD.document)
            THEN
                RAISE EXCEPTION 'an issued receipt is not changed'
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'receipt_kept';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER receipt_kept BEFORE UPDATE ON issued_receipt
        FOR EACH ROW EXECUTE FUNCTION keep_receipt()
    """)
    for table in ("issued_receipt", "receipt_series"):
        op.execute(f"""
            CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """)


def _sending() -> None:
    # `received_at`: when the money arrived, NULL for gifts before this revision. `left_minor_units`: what is left after
    # refunds, NULL for all of it.
    op.execute("""
        ALTER TABLE receipt
            ADD COLUMN received_at      timestamptz,
            ADD COLUMN left_minor_units bigint
                CONSTRAINT ck_receipt_left_minor_units CHECK (left_minor_units >= 0),
            ADD COLUMN withheld         text
                CONSTRAINT ck_receipt_withheld CHECK (withheld IN ('suppressed', 'refunded')),
            ADD COLUMN message_id       text
    """)
    # Operators may have a receipt sent again and still see nothing of whose it is.
    op.execute("""
        CREATE FUNCTION resend_receipt(asked text, asked_at timestamptz) RETURNS boolean LANGUAGE sql SECURITY DEFINER
        SET search_path = public, pg_temp AS $$
            WITH again AS (
                UPDATE receipt
                SET sent_at = NULL, withheld = NULL, attempts = 0, next_attempt_at = asked_at
                WHERE donation_id = asked
                RETURNING donation_id
            )
            SELECT EXISTS (SELECT FROM again)
        $$
    """)


def _mail() -> None:
    # An address is its digest alone.
    digest = "CHECK (address_sha256 ~ '^[0-9a-f]{64}$')"
    op.execute(f"""
        CREATE TABLE mail_feedback (
            event_id       text        NOT NULL,
            address_sha256 text        NOT NULL CONSTRAINT ck_mail_feedback_address_sha256 {digest},
            kind           text        NOT NULL
                CONSTRAINT ck_mail_feedback_kind
                CHECK (kind IN ('hard_bounce', 'soft_bounce', 'complaint', 'delay', 'rejected')),
            message_id     text        NOT NULL,
            occurred_at    timestamptz NOT NULL,
            received_at    timestamptz NOT NULL,
            CONSTRAINT pk_mail_feedback PRIMARY KEY (event_id, address_sha256)
        )
    """)
    op.execute("CREATE INDEX ix_mail_feedback_message_id ON mail_feedback (message_id)")
    op.execute(f"""
        CREATE TABLE mail_suppression (
            address_sha256 text        CONSTRAINT pk_mail_suppression PRIMARY KEY
                                       CONSTRAINT ck_mail_suppression_address_sha256 {digest},
            reason         text        NOT NULL
                CONSTRAINT ck_mail_suppression_reason CHECK (reason IN ('hard_bounce', 'complaint')),
            since          timestamptz NOT NULL
        )
    """)


def _grants() -> None:
    op.execute("""
        GRANT SELECT, INSERT, UPDATE ON receipt_settings TO amply_app, amply_operator;
        GRANT SELECT, INSERT, UPDATE, DELETE ON receipt_facts TO amply_app;
        GRANT INSERT ON receipt_facts TO amply_api;
        GRANT SELECT, INSERT ON issued_receipt TO amply_app;
        GRANT UPDATE (document, voided_at, void_reason) ON issued_receipt TO amply_app;
        GRANT SELECT ON receipt_series TO amply_app;
        GRANT SELECT, INSERT ON mail_feedback, mail_suppression TO amply_app;
        GRANT DELETE ON mail_feedback TO amply_app
    """)
    # `organization receipt-problems`: counts by reason, of receipts without what they say or whose they are.
    op.execute("GRANT SELECT (organization_id, reasons, voided_at) ON issued_receipt TO amply_operator")
    op.execute("""
        REVOKE ALL ON FUNCTION resend_receipt(text, timestamptz) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION resend_receipt(text, timestamptz) TO amply_app, amply_operator
    """)


def downgrade() -> None:
    op.execute("DROP TABLE mail_suppression, mail_feedback")
    op.execute("DROP FUNCTION resend_receipt(text, timestamptz)")
    op.execute("""
        ALTER TABLE receipt
            DROP COLUMN received_at, DROP COLUMN left_minor_units, DROP COLUMN withheld, DROP COLUMN message_id
    """)
    op.execute("DROP TABLE issued_receipt, receipt_series, receipt_facts, receipt_settings")
    op.execute("DROP FUNCTION number_receipt(), keep_receipt()")
