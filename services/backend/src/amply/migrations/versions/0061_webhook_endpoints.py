"""Public events, and the organisations' webhook endpoints that they are delivered to (ADR 0155, 0156)."""

from alembic import op

revision = "0061"
down_revision = "0060"
branch_labels = None
depends_on = None

TABLES = ("webhook_attempt", "webhook_delivery", "webhook_signing_key", "webhook_endpoint", "public_event")


def upgrade() -> None:
    _events()
    _endpoints()
    _deliveries()
    _isolation()
    _grants()


def _events() -> None:
    # `attempts` and `next_attempt_at` are the event bus's; each delivery to an endpoint has its own.
    op.execute("""
        CREATE TABLE public_event (
            id              text        CONSTRAINT pk_public_event PRIMARY KEY
                CONSTRAINT ck_public_event_id CHECK (id ~ '^event_[0-9a-z]{26}$'),
            organization_id text        NOT NULL
                CONSTRAINT fk_public_event_organization_id REFERENCES organization (id),
            type            text        NOT NULL,
            subject_id      text        NOT NULL,
            data            jsonb       NOT NULL
                CONSTRAINT ck_public_event_data CHECK (jsonb_typeof(data) = 'object'),
            occurred_at     timestamptz NOT NULL,
            created_at      timestamptz NOT NULL,
            fanned_out_at   timestamptz,
            published_at    timestamptz,
            attempts        integer     NOT NULL DEFAULT 0,
            next_attempt_at timestamptz NOT NULL
        );
        CREATE INDEX ix_public_event_new ON public_event (created_at) WHERE fanned_out_at IS NULL;
        CREATE INDEX ix_public_event_unpublished ON public_event (next_attempt_at) WHERE published_at IS NULL;
        CREATE INDEX ix_public_event_organization_id ON public_event (organization_id, created_at);
        CREATE INDEX ix_public_event_created_at ON public_event (created_at);
        CREATE INDEX ix_public_event_subject_id ON public_event (subject_id)
    """)


def _endpoints() -> None:
    op.execute("""
        CREATE TABLE webhook_endpoint (
            id              text        CONSTRAINT pk_webhook_endpoint PRIMARY KEY
                CONSTRAINT ck_webhook_endpoint_id CHECK (id ~ '^whe_[0-9a-z]{26}$'),
            organization_id text        NOT NULL
                CONSTRAINT fk_webhook_endpoint_organization_id REFERENCES organization (id),
            url             text        NOT NULL
                CONSTRAINT ck_webhook_endpoint_url CHECK (length(url) BETWEEN 1 AND 500),
            description     text        NOT NULL,
            event_types     text[]      NOT NULL
                CONSTRAINT ck_webhook_endpoint_event_types CHECK (cardinality(event_types) > 0),
            state           text        NOT NULL DEFAULT 'enabled'
                CONSTRAINT ck_webhook_endpoint_state CHECK (state IN ('enabled', 'disabled')),
            disabled_reason text        CONSTRAINT ck_webhook_endpoint_disabled_reason
                CHECK (disabled_reason IN ('failing', 'gone', 'by_member')),
            failing_since   timestamptz,
            exhausted       integer     NOT NULL DEFAULT 0,
            letter_owed_at  timestamptz,
            created_by      text        NOT NULL,
            created_at      timestamptz NOT NULL,
            changed_at      timestamptz NOT NULL,
            CONSTRAINT uq_webhook_endpoint_url UNIQUE (organization_id, url),
            CONSTRAINT ck_webhook_endpoint_disabled CHECK ((state = 'disabled') = (disabled_reason IS NOT NULL))
        )
    """)
    op.execute("""
        CREATE INDEX ix_webhook_endpoint_letter_owed_at ON webhook_endpoint (letter_owed_at) WHERE letter_owed_at IS NOT NULL
    """)
    # The API writes a private key and cannot read one: it is not granted the column `sealed`.
    op.execute("""
        CREATE TABLE webhook_signing_key (
            id              text        CONSTRAINT pk_webhook_signing_key PRIMARY KEY
                CONSTRAINT ck_webhook_signing_key_id CHECK (id ~ '^whk_[0-9a-z]{26}$'),
            endpoint_id     text        NOT NULL CONSTRAINT fk_webhook_signing_key_endpoint_id
                REFERENCES webhook_endpoint (id) ON DELETE CASCADE,
            organization_id text        NOT NULL,
            public_key      text        NOT NULL,
            sealed          bytea       NOT NULL,
            created_at      timestamptz NOT NULL,
            expires_at      timestamptz
        );
        CREATE INDEX ix_webhook_signing_key_endpoint_id ON webhook_signing_key (endpoint_id);
        CREATE INDEX ix_webhook_signing_key_sealed_by ON webhook_signing_key (substring(sealed, 1, 5))
    """)


def _deliveries() -> None:
    op.execute("""
        CREATE TABLE webhook_delivery (
            id              text        CONSTRAINT pk_webhook_delivery PRIMARY KEY
                CONSTRAINT ck_webhook_delivery_id CHECK (id ~ '^whd_[0-9a-z]{26}$'),
            event_id        text        NOT NULL CONSTRAINT fk_webhook_delivery_event_id
                REFERENCES public_event (id) ON DELETE CASCADE,
            endpoint_id     text        NOT NULL CONSTRAINT fk_webhook_delivery_endpoint_id
                REFERENCES webhook_endpoint (id) ON DELETE CASCADE,
            organization_id text        NOT NULL,
            state           text        NOT NULL DEFAULT 'pending'
                CONSTRAINT ck_webhook_delivery_state CHECK (state IN ('pending', 'delivered', 'failed')),
            attempts        integer     NOT NULL DEFAULT 0,
            next_attempt_at timestamptz NOT NULL,
            created_at      timestamptz NOT NULL,
            finished_at     timestamptz,
            CONSTRAINT uq_webhook_delivery_event_id UNIQUE (event_id, endpoint_id),
            CONSTRAINT ck_webhook_delivery_finished CHECK ((state = 'pending') = (finished_at IS NULL))
        );
        CREATE INDEX ix_webhook_delivery_due ON webhook_delivery (next_attempt_at) WHERE state = 'pending';
        CREATE INDEX ix_webhook_delivery_endpoint_id ON webhook_delivery (endpoint_id, created_at, id)
    """)
    op.execute("""
        CREATE TABLE webhook_attempt (
            id              bigint      GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_webhook_attempt PRIMARY KEY,
            delivery_id     text        NOT NULL CONSTRAINT fk_webhook_attempt_delivery_id
                REFERENCES webhook_delivery (id) ON DELETE CASCADE,
            organization_id text        NOT NULL,
            at              timestamptz NOT NULL,
            status          integer,
            error           text,
            milliseconds    integer     NOT NULL,
            CONSTRAINT ck_webhook_attempt_outcome CHECK (status IS NOT NULL OR error IS NOT NULL)
        );
        CREATE INDEX ix_webhook_attempt_delivery_id ON webhook_attempt (delivery_id, id)
    """)


def _isolation() -> None:
    own = "organization_id = (SELECT acting_organization())"
    for table in TABLES:
        op.execute(f"""
            ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
            CREATE POLICY of_everyone ON {table} TO amply_app USING (true) WITH CHECK (true)
        """)
        if table != "public_event":
            op.execute(
                f"CREATE POLICY of_the_acting ON {table} TO amply_api USING ({own}) WITH CHECK ({own})"
            )
    # A donor's own request may end a plan, and an operator's command too: who records an event need not act for its organisation.
    op.execute(f"""
        CREATE POLICY of_the_acting ON public_event FOR SELECT TO amply_api USING ({own});
        CREATE POLICY of_whoever_records ON public_event FOR INSERT TO amply_api, amply_operator WITH CHECK (true)
    """)
    # What verifies signatures is public, whoever asks.
    op.execute("""
        CREATE FUNCTION webhook_public_keys(asked text, at timestamptz)
        RETURNS TABLE (public_key text, expires_at timestamptz) LANGUAGE sql STABLE SECURITY DEFINER
        SET search_path = public, pg_temp AS $$
            SELECT public_key, expires_at FROM webhook_signing_key
            WHERE endpoint_id = asked AND (expires_at IS NULL OR expires_at > at) ORDER BY id DESC
        $$;
        REVOKE ALL ON FUNCTION webhook_public_keys(text, timestamptz) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION webhook_public_keys(text, timestamptz) TO amply_api
    """)


def _grants() -> None:
    op.execute("""
        GRANT SELECT, INSERT ON public_event TO amply_api;
        GRANT INSERT ON public_event TO amply_operator;
        GRANT SELECT, INSERT, DELETE, UPDATE ON public_event TO amply_app;
        GRANT SELECT, INSERT, DELETE,
            UPDATE (url, description, event_types, state, disabled_reason, failing_since, exhausted, changed_at)
            ON webhook_endpoint TO amply_api;
        GRANT SELECT, UPDATE (state, disabled_reason, failing_since, exhausted, letter_owed_at, changed_at)
            ON webhook_endpoint TO amply_app;
        GRANT SELECT (id, endpoint_id, organization_id, public_key, created_at, expires_at), INSERT,
            UPDATE (expires_at) ON webhook_signing_key TO amply_api;
        GRANT SELECT, UPDATE (sealed) ON webhook_signing_key TO amply_app;
        GRANT SELECT, INSERT, UPDATE (state, attempts, next_attempt_at, finished_at) ON webhook_delivery TO amply_api;
        GRANT SELECT, INSERT, UPDATE (state, attempts, next_attempt_at, finished_at) ON webhook_delivery TO amply_app;
        GRANT SELECT ON webhook_attempt TO amply_api;
        GRANT SELECT, INSERT ON webhook_attempt TO amply_app
    """)


def downgrade() -> None:
    op.execute("DROP FUNCTION webhook_public_keys(text, timestamptz)")
    op.execute(f"DROP TABLE {', '.join(TABLES)}")
