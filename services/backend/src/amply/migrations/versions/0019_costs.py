"""What a gift costs: currencies with their limits, and what a donor adds for the processor's fee."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _currencies()
    _fee_cover()


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
    # What of a reserved refund is reserved on the cover.
    op.execute("""
        ALTER TABLE refund
            ADD COLUMN reserved_cover_minor_units bigint NOT NULL DEFAULT 0
                CONSTRAINT ck_refund_reserved_cover CHECK (reserved_cover_minor_units >= 0)
    """)


def downgrade() -> None:
    op.execute("ALTER TABLE refund DROP COLUMN reserved_cover_minor_units")
    op.execute("""
        ALTER TABLE donation
            DROP COLUMN processor_fee_minor_units, DROP COLUMN fee_cover_method, DROP COLUMN fee_cover_minor_units
    """)
    op.execute("DROP TRIGGER payment_within_limits ON payment")
    op.execute("DROP FUNCTION check_payment_amount()")
    op.execute("DROP TABLE currency")
