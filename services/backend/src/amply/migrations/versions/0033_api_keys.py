"""API keys of organisations: what is kept of them, and who may look (ADR 0107)."""

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Of a key its digest alone: whoever reads this table has no key.
    op.execute("""
        CREATE TABLE api_key (
            id              text        CONSTRAINT pk_api_key PRIMARY KEY
                CONSTRAINT ck_api_key_id CHECK (id ~ '^key_[0-9a-z]{26}$'),
            organization_id text        NOT NULL
                CONSTRAINT fk_api_key_organization_id REFERENCES organization (id),
            name            text        NOT NULL,
            digest          bytea       NOT NULL CONSTRAINT uq_api_key_digest UNIQUE
                CONSTRAINT ck_api_key_digest CHECK (length(digest) = 32),
            last_four       text        NOT NULL
                CONSTRAINT ck_api_key_last_four CHECK (last_four ~ '^[0-9A-Za-z]{4}$'),
            is_live         boolean     NOT NULL,
            scopes          text[]      NOT NULL CONSTRAINT ck_api_key_scopes CHECK (
                scopes <@ ARRAY['organisation:read', 'organisation:write', 'donations:read', 'donations:write',
                                'payouts:read']
                AND cardinality(scopes) > 0
            ),
            created_by      text        NOT NULL,
            created_at      timestamptz NOT NULL,
            expires_at      timestamptz,
            revoked_at      timestamptz,
            last_used_at    timestamptz
        )
    """)
    op.execute("CREATE INDEX ix_api_key_organization_id ON api_key (organization_id, id)")
    _functions()
    _isolation()


def _functions() -> None:
    # Who asks is not known before its key is found: by the digest, and nothing else of the table can be read so.
    op.execute("""
        CREATE FUNCTION find_api_key(asked bytea) RETURNS SETOF api_key LANGUAGE sql STABLE SECURITY DEFINER
        SET search_path = public, pg_temp AS $$
            SELECT * FROM api_key WHERE digest = asked
        $$
    """)
    op.execute("""
        CREATE FUNCTION note_key_use(asked text, used_at timestamptz) RETURNS void LANGUAGE sql SECURITY DEFINER
        SET search_path = public, pg_temp AS $$
            UPDATE api_key SET last_used_at = used_at
            WHERE id = asked AND (last_used_at IS NULL OR last_used_at <= used_at - interval '1 minute')
        $$
    """)
    op.execute("""
        CREATE OR REPLACE FUNCTION acting_organization() RETURNS text LANGUAGE sql STABLE SECURITY DEFINER
        SET search_path = public, pg_temp AS $$
            SELECT bound_organization()
            WHERE EXISTS (
                SELECT FROM member WHERE organization_id = bound_organization() AND person_id = bound_person()
            ) OR EXISTS (
                SELECT FROM api_key
                WHERE organization_id = bound_organization() AND id = bound_key() AND revoked_at IS NULL
            )
        $$
    """)


def _isolation() -> None:
    own = "organization_id = (SELECT acting_organization())"
    op.execute(f"""
        ALTER TABLE api_key ENABLE ROW LEVEL SECURITY;
        CREATE POLICY of_the_acting ON api_key TO amply_api USING ({own}) WITH CHECK ({own})
    """)
    op.execute("""
        REVOKE ALL ON FUNCTION find_api_key(bytea), note_key_use(text, timestamptz) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION find_api_key(bytea), note_key_use(text, timestamptz) TO amply_api;
        GRANT SELECT (id, organization_id, name, last_four, is_live, scopes, created_by, created_at, expires_at,
            revoked_at, last_used_at) ON api_key TO amply_api;
        GRANT INSERT (id, organization_id, name, digest, last_four, is_live, scopes, created_by, created_at, expires_at)
            ON api_key TO amply_api;
        GRANT UPDATE (revoked_at) ON api_key TO amply_api
    """)


def downgrade() -> None:
    op.execute("""
        CREATE OR REPLACE FUNCTION acting_organization() RETURNS text LANGUAGE sql STABLE SECURITY DEFINER
        SET search_path = public, pg_temp AS $$
            SELECT bound_organization()
            WHERE EXISTS (
                SELECT FROM member WHERE organization_id = bound_organization() AND person_id = bound_person()
            )
        $$
    """)
    op.execute("DROP FUNCTION note_key_use(text, timestamptz), find_api_key(bytea)")
    op.execute("DROP TABLE api_key")
