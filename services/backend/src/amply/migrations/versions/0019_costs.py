"""What a gift costs and when it has come: currencies, what a donor adds for the fee, and what is reserved meanwhile."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _currencies()
    _fee_cover()
    _processing()


def _currencies() -> None:
    # As kernel/money.py and the donation page's currencies.ts have them; a test compares all three.
    op.execute("""
        CREATE TABLE currency (
            code     text     CONSTRAINT pk_currency PRIMARY KEY
                              CONSTRAINT ck_currency_code CHECK (code ~ '^[A-Z]{3}$'),
            exponent smallint NOT NULL CONSTRAINT ck_currency_exponent CHECK (exponent BETWEEN 0 AND 4),
            step     bigint   NOT NULL CONSTRAINT ck_currency_step CHECK (step > 0),
            gift_min bigint   NOT NULL CONSTRAINT ck_currency_gift_min CHECK (gift_min > 0 AND gift_min % step = 0),
            gift_max bigint   NOT NULL
                              CONSTRAINT ck_currency_gift_max CHECK (gift_max >= gift_min AND gift_max % step = 0)
        )
    """)
    op.execute("""
        INSERT INTO currency (code, exponent, step, gift_min, gift_max) VALUES
            ('EUR', 2,  1, 100, 99999999),
            ('GBP', 2,  1, 100, 99999999),
            ('USD', 2,  1, 100, 99999999),
            ('CHF', 2,  1, 100, 99999999),
            ('CAD', 2,  1, 100, 99999999),
            ('AUD', 2,  1, 100, 99999999),
            ('JPY', 0,  1, 100, 99999999),
            ('KWD', 3, 10, 500, 99999990)
    """)
    # A payment when it is intended, and never later: what has arrived is a fact, whatever its amount. As the table's
    # owner, so that nobody who takes gifts needs to read it.
    op.execute("""
        CREATE FUNCTION check_payment_amount() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = public, pg_temp AS $$
        BEGIN
            IF NOT EXISTS (
                SELECT FROM currency
                WHERE code = NEW.currency
                  AND NEW.minor_units BETWEEN gift_min AND gift_max
                  AND NEW.minor_units % step = 0
            ) THEN
                RAISE EXCEPTION 'no payment of % minor units of %', NEW.minor_units, NEW.currency
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_within_limits';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER payment_within_limits BEFORE INSERT ON payment
        FOR EACH ROW EXECUTE FUNCTION check_payment_amount()
    """)
    op.execute("GRANT SELECT ON currency TO amply_read")


def _fee_cover() -> None:
    # The cover is a part of `minor_units`. The true fee is NULL until the processor has told it.
    op.execute("""
        ALTER TABLE donation
            ADD COLUMN fee_cover_minor_units bigint NOT NULL DEFAULT 0
                CONSTRAINT ck_donation_fee_cover CHECK (
                    fee_cover_minor_units >= 0 AND fee_cover_minor_units < minor_units
                ),
            ADD COLUMN fee_cover_method text
                CONSTRAINT ck_donation_fee_cover_method
                CHECK (fee_cover_method IN ('card', 'sepa_debit', 'us_bank_account')),
            ADD COLUMN processor_fee_minor_units bigint
                CONSTRAINT ck_donation_processor_fee CHECK (processor_fee_minor_units >= 0)
    """)
    # What of a refund is reserved on the cover, and what was taken from it; what of a lost dispute was.
    op.execute("""
        ALTER TABLE refund
            ADD COLUMN reserved_cover_minor_units bigint NOT NULL DEFAULT 0
                CONSTRAINT ck_refund_reserved_cover CHECK (reserved_cover_minor_units >= 0),
            ADD COLUMN cover_minor_units bigint NOT NULL DEFAULT 0
                CONSTRAINT ck_refund_cover CHECK (cover_minor_units BETWEEN 0 AND minor_units)
    """)
    op.execute("""
        ALTER TABLE dispute
            ADD COLUMN lost_cover_minor_units bigint NOT NULL DEFAULT 0
                CONSTRAINT ck_dispute_lost_cover CHECK (lost_cover_minor_units BETWEEN 0 AND lost_minor_units)
    """)


def _processing() -> None:
    # What is reserved while a bank takes days, and a digest of the newest attempt's name at the processor.
    op.execute("""
        ALTER TABLE donation
            ADD COLUMN reserved_entry_id text CONSTRAINT uq_donation_reserved_entry_id UNIQUE,
            ADD COLUMN newest_attempt    text,
            ADD CONSTRAINT ck_donation_reserved_while_processing
                CHECK (reserved_entry_id IS NULL OR status = 'processing')
    """)
    # Donors who are to be told that their bank refused, days after they left the page.
    op.execute("""
        CREATE TABLE payment_notice (
            donation_id     text        CONSTRAINT pk_payment_notice PRIMARY KEY
                                        CONSTRAINT fk_payment_notice_donation_id
                                        REFERENCES donation (id) ON UPDATE CASCADE,
            attempts        integer     NOT NULL DEFAULT 0,
            next_attempt_at timestamptz NOT NULL,
            sent_at         timestamptz,
            withheld        text        CONSTRAINT ck_payment_notice_withheld CHECK (withheld IN ('suppressed'))
        );
        CREATE INDEX ix_payment_notice_due ON payment_notice (next_attempt_at)
            WHERE sent_at IS NULL AND withheld IS NULL;
        GRANT SELECT, INSERT, UPDATE, DELETE ON payment_notice TO amply_app
    """)


def downgrade() -> None:
    op.execute("DROP TABLE payment_notice")
    op.execute("ALTER TABLE donation DROP COLUMN newest_attempt, DROP COLUMN reserved_entry_id")
    op.execute("ALTER TABLE dispute DROP COLUMN lost_cover_minor_units")
    op.execute("ALTER TABLE refund DROP COLUMN cover_minor_units, DROP COLUMN reserved_cover_minor_units")
    op.execute("""
        ALTER TABLE donation
            DROP COLUMN processor_fee_minor_units, DROP COLUMN fee_cover_method, DROP COLUMN fee_cover_minor_units
    """)
    op.execute("DROP TRIGGER payment_within_limits ON payment")
    op.execute("DROP FUNCTION check_payment_amount()")
    op.execute("DROP TABLE currency")
