"""Recurring gifts: plans, their periods, letters about them, and who asked for a link."""

from alembic import op

revision = "0021"
down_revision = "0019"
branch_labels = None
depends_on = None

LISTED = (
    *("id", "organization_id", "minor_units", "currency", "every", "time_zone", "status", "reason"),
    *("next_period", "next_due_at", "method_kind", "created_at", "updated_at"),
)
"""What operators list of a plan: nothing that leads to its donor."""


def upgrade() -> None:
    op.execute("""
        ALTER TABLE payment
            ADD COLUMN customer_id text,
            ADD COLUMN keeps_method boolean NOT NULL DEFAULT false
    """)
    _plans()
    _charges()
    _letters()
    _grants()


def _plans() -> None:
    op.execute("""
        CREATE TABLE plan (
            id              text        CONSTRAINT pk_plan PRIMARY KEY,
            organization_id text        NOT NULL REFERENCES organization (id),
            account_id      text        NOT NULL,
            minor_units     bigint      NOT NULL CONSTRAINT ck_plan_minor_units CHECK (minor_units > 0),
            currency        text        NOT NULL CONSTRAINT ck_plan_currency CHECK (currency ~ '^[A-Z]{3}$'),
            every           text        NOT NULL
                                        CONSTRAINT ck_plan_every CHECK (every IN ('month', 'quarter', 'year')),
            first_month     date        NOT NULL
                                        CONSTRAINT ck_plan_first_month CHECK (extract(day FROM first_month) = 1),
            day_of_month    integer     NOT NULL
                                        CONSTRAINT ck_plan_day_of_month CHECK (day_of_month BETWEEN 1 AND 31),
            time_zone       text        NOT NULL,
            status          text        NOT NULL
                                        CONSTRAINT ck_plan_status
                                        CHECK (status IN ('incomplete', 'active', 'past_due', 'paused', 'ended')),
            reason          text,
            next_period     integer     NOT NULL DEFAULT 1 CONSTRAINT ck_plan_next_period CHECK (next_period > 0),
            next_due_at     timestamptz,
            next_notice_at  timestamptz,
            donor_name      text,
            donor_email     text,
            email_sha256    text,
            language        text,
            customer_id     text,
            method_id       text,
            method_kind     text,
            method_last4    text,
            mandate_id      text,
            setup_id        text,
            setup_look_at   timestamptz,
            created_at      timestamptz NOT NULL,
            updated_at      timestamptz NOT NULL,
            erased_at       timestamptz,
            CONSTRAINT ck_plan_due_only_while_it_runs
                CHECK (next_due_at IS NULL OR status IN ('active', 'paused')),
            CONSTRAINT ck_plan_reason_when_it_rests
                CHECK (status NOT IN ('paused', 'ended') OR reason IS NOT NULL)
        )
    """)
    op.execute("CREATE INDEX ix_plan_organization_id ON plan (organization_id, id)")
    op.execute("CREATE INDEX ix_plan_email_sha256 ON plan (email_sha256)")
    op.execute("CREATE INDEX ix_plan_next_due_at ON plan (next_due_at) WHERE next_due_at IS NOT NULL")
    op.execute(
        "CREATE INDEX ix_plan_next_notice_at ON plan (next_notice_at) WHERE next_notice_at IS NOT NULL"
    )
    op.execute("CREATE INDEX ix_plan_setup_look_at ON plan (setup_look_at) WHERE setup_look_at IS NOT NULL")
    op.execute("CREATE INDEX ix_plan_incomplete ON plan (created_at) WHERE status = 'incomplete'")


def _charges() -> None:
    # The key is what makes a period be charged once: a second scheduler finds it taken.
    op.execute("""
        CREATE TABLE plan_charge (
            plan_id         text        NOT NULL REFERENCES plan (id),
            period          integer     NOT NULL CONSTRAINT ck_plan_charge_period CHECK (period >= 0),
            due_on          date        NOT NULL,
            minor_units     bigint      NOT NULL CONSTRAINT ck_plan_charge_minor_units CHECK (minor_units > 0),
            currency        text        NOT NULL,
            state           text        NOT NULL
                                        CONSTRAINT ck_plan_charge_state
                                        CHECK (state IN ('open', 'waiting', 'paid', 'skipped',
                                                         'giving_up', 'given_up')),
            donation_id     text        CONSTRAINT uq_plan_charge_donation_id UNIQUE
                                        REFERENCES donation (id) ON UPDATE CASCADE,
            declines        integer     NOT NULL DEFAULT 0,
            looks           integer     NOT NULL DEFAULT 0,
            next_attempt_at timestamptz,
            retry_at        timestamptz,
            decline_code    text,
            opened_at       timestamptz NOT NULL,
            updated_at      timestamptz NOT NULL,
            CONSTRAINT pk_plan_charge PRIMARY KEY (plan_id, period),
            CONSTRAINT ck_plan_charge_skipped_has_no_gift CHECK ((state = 'skipped') = (donation_id IS NULL))
        )
    """)
    op.execute("""
        CREATE INDEX ix_plan_charge_due ON plan_charge (next_attempt_at)
        WHERE state IN ('open', 'waiting', 'giving_up')
    """)


def _letters() -> None:
    op.execute("""
        CREATE TABLE plan_letter (
            plan_id         text        NOT NULL REFERENCES plan (id),
            key             text        NOT NULL,
            kind            text        NOT NULL,
            due_on          date,
            attempts        integer     NOT NULL DEFAULT 0,
            next_attempt_at timestamptz NOT NULL,
            sent_at         timestamptz,
            withheld        text,
            message_id      text,
            created_at      timestamptz NOT NULL,
            CONSTRAINT pk_plan_letter PRIMARY KEY (plan_id, key)
        )
    """)
    op.execute("""
        CREATE INDEX ix_plan_letter_due ON plan_letter (next_attempt_at)
        WHERE sent_at IS NULL AND withheld IS NULL
    """)
    # An address stands here until its letter is sent, or it is known that nobody has a plan with it.
    op.execute("""
        CREATE TABLE donor_link_request (
            id              text        CONSTRAINT pk_donor_link_request PRIMARY KEY,
            email           text        NOT NULL,
            attempts        integer     NOT NULL DEFAULT 0,
            next_attempt_at timestamptz NOT NULL
        )
    """)


def _grants() -> None:
    op.execute("GRANT SELECT, INSERT, UPDATE ON plan, plan_charge, plan_letter TO amply_app")
    op.execute("GRANT DELETE ON plan_letter TO amply_app")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON donor_link_request TO amply_app")
    op.execute("GRANT SELECT, INSERT, UPDATE ON plan, plan_charge TO amply_api")
    op.execute("GRANT INSERT ON plan_letter, donor_link_request TO amply_api")
    op.execute(f"GRANT SELECT ({', '.join(LISTED)}) ON plan TO amply_operator")


def downgrade() -> None:
    op.execute("DROP TABLE donor_link_request, plan_letter, plan_charge, plan")
    op.execute("ALTER TABLE payment DROP COLUMN keeps_method, DROP COLUMN customer_id")
