"""Providers that sign people in: of everybody, and of one organisation (ADRs 0115, 0116)."""

from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

GIVEN = "('admin', 'finance', 'content', 'viewer')"


def upgrade() -> None:
    _identities()
    _connections()
    _standing()
    _finding()
    _arriving()
    _directories()
    _tokens()
    _listing()
    _isolation()


def _identities() -> None:
    # `digest` stands for provider, issuer and subject together, keyed: a copy of this table names nobody at any provider.
    op.execute("""
        CREATE TABLE person_identity (
            id           text        CONSTRAINT pk_person_identity PRIMARY KEY,
            person_id    text        NOT NULL
                CONSTRAINT fk_person_identity_person_id REFERENCES person (id) ON DELETE CASCADE,
            provider     text        NOT NULL,
            digest       bytea       NOT NULL CONSTRAINT uq_person_identity_digest UNIQUE
                CONSTRAINT ck_person_identity_digest CHECK (length(digest) = 32),
            created_at   timestamptz NOT NULL,
            last_used_at timestamptz NOT NULL
        );
        CREATE INDEX ix_person_identity_person_id ON person_identity (person_id);
        GRANT SELECT, INSERT, DELETE, UPDATE (last_used_at) ON person_identity TO amply_api
    """)


def _connections() -> None:
    op.execute(f"""
        CREATE TABLE sign_in_connection (
            organization_id text        CONSTRAINT pk_sign_in_connection PRIMARY KEY
                CONSTRAINT fk_sign_in_connection_organization_id REFERENCES organization (id),
            issuer          text        NOT NULL,
            client_id       text        NOT NULL,
            sealed_secret   bytea       NOT NULL,
            default_role    text
                CONSTRAINT ck_sign_in_connection_default_role CHECK (default_role IN {GIVEN}),
            group_roles     jsonb       NOT NULL DEFAULT '{{}}',
            is_required     boolean     NOT NULL DEFAULT false,
            changed_at      timestamptz NOT NULL
        )
    """)
    # Several may ask for a domain; one has shown that it is theirs.
    op.execute("""
        CREATE TABLE sign_in_domain (
            organization_id text        NOT NULL
                CONSTRAINT fk_sign_in_domain_organization_id REFERENCES organization (id),
            domain          text        NOT NULL,
            token           text        NOT NULL,
            verified_at     timestamptz,
            checked_at      timestamptz,
            next_check_at   timestamptz,
            misses          integer     NOT NULL DEFAULT 0,
            CONSTRAINT pk_sign_in_domain PRIMARY KEY (organization_id, domain)
        );
        CREATE UNIQUE INDEX uq_sign_in_domain_verified ON sign_in_domain (domain) WHERE verified_at IS NOT NULL;
        CREATE INDEX ix_sign_in_domain_next_check_at ON sign_in_domain (next_check_at)
            WHERE next_check_at IS NOT NULL
    """)
    # By what a provider's word about somebody is asked for again; `digest` says of whom.
    op.execute("""
        CREATE TABLE sign_in_grant (
            organization_id text        NOT NULL
                CONSTRAINT fk_sign_in_grant_organization_id REFERENCES organization (id),
            person_id       text        NOT NULL
                CONSTRAINT fk_sign_in_grant_person_id REFERENCES person (id) ON DELETE CASCADE,
            digest          bytea       NOT NULL,
            sealed_refresh  bytea,
            tried_at        timestamptz NOT NULL,
            is_asking       boolean     NOT NULL DEFAULT false,
            CONSTRAINT pk_sign_in_grant PRIMARY KEY (organization_id, person_id)
        );
        CREATE INDEX ix_sign_in_grant_person_id ON sign_in_grant (person_id)
    """)
    op.execute("ALTER TABLE member ADD COLUMN holds_until timestamptz")


def _standing() -> None:
    # Of several owners the one who has been it for longest gets in whatever happens to the provider.
    op.execute("""
        CREATE FUNCTION breaks_glass(asked text, who text) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
        SET search_path = public, pg_temp AS $$
            SELECT who = (
                SELECT person_id FROM member WHERE organization_id = asked AND role = 'owner'
                ORDER BY joined_at, person_id LIMIT 1
            )
        $$
    """)
    op.execute("""
        CREATE FUNCTION requires_provider(asked text) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
        SET search_path = public, pg_temp AS $$
            SELECT EXISTS (SELECT FROM sign_in_connection WHERE organization_id = asked AND is_required)
                AND EXISTS (SELECT FROM sign_in_domain WHERE organization_id = asked AND verified_at IS NOT NULL)
        $$
    """)
    # What whoever is bound is in the bound organisation, until when, and whether its provider alone lets them in.
    op.execute("""
        CREATE FUNCTION own_standing() RETURNS TABLE (role text, holds_until timestamptz, by_provider_alone boolean)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
            SELECT member.role, member.holds_until,
                requires_provider(member.organization_id) AND NOT breaks_glass(member.organization_id, member.person_id)
            FROM member
            WHERE member.organization_id = bound_organization() AND member.person_id = bound_person()
        $$
    """)
    # The domains of organisations whose provider alone lets in whoever is bound.
    op.execute("""
        CREATE FUNCTION own_required_domains() RETURNS SETOF text LANGUAGE sql STABLE SECURITY DEFINER
        SET search_path = public, pg_temp AS $$
            SELECT sign_in_domain.domain FROM member JOIN sign_in_domain USING (organization_id)
            WHERE member.person_id = bound_person() AND sign_in_domain.verified_at IS NOT NULL
                AND requires_provider(member.organization_id)
                AND NOT breaks_glass(member.organization_id, member.person_id)
        $$
    """)


def _finding() -> None:
    # Nobody is signed in yet who asks this: one organisation's by its id, and which organisation a domain is of.
    op.execute("""
        CREATE FUNCTION find_connection(asked text)
        RETURNS TABLE (name text, issuer text, client_id text, sealed_secret bytea, domains text[])
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
            SELECT organization.name, issuer, client_id, sealed_secret, array(
                SELECT domain FROM sign_in_domain WHERE organization_id = asked AND verified_at IS NOT NULL
            )
            FROM sign_in_connection JOIN organization ON organization.id = organization_id
            WHERE organization_id = asked
        $$
    """)
    op.execute("""
        CREATE FUNCTION roles_by_provider(asked text) RETURNS TABLE (default_role text, group_roles jsonb)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
            SELECT sign_in_connection.default_role, sign_in_connection.group_roles
            FROM sign_in_connection WHERE organization_id = asked
        $$
    """)
    op.execute("""
        CREATE FUNCTION organization_of_domain(asked text) RETURNS TABLE (organization_id text, name text)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
            SELECT sign_in_domain.organization_id, organization.name
            FROM sign_in_domain
                JOIN sign_in_connection USING (organization_id)
                JOIN organization ON organization.id = sign_in_domain.organization_id
            WHERE domain = asked AND verified_at IS NOT NULL
        $$
    """)


def _arriving() -> None:
    # The API adds no members but those whom their organisation's provider names: an owner's role is never given so.
    op.execute("""
        CREATE FUNCTION arrive_by_provider(asked text, given text, asked_at timestamptz, until timestamptz)
        RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
        DECLARE
            before text;
        BEGIN
            IF role_rank(given) > 1 OR NOT EXISTS (SELECT FROM sign_in_connection WHERE organization_id = asked)
                OR NOT EXISTS (
                    SELECT FROM person_identity WHERE person_id = bound_person() AND provider = asked
                )
            THEN
                RAISE EXCEPTION 'nobody arrives so' USING ERRCODE = 'insufficient_privilege';
            END IF;
            SELECT role INTO before FROM member
            WHERE organization_id = asked AND person_id = bound_person() FOR UPDATE;
            IF before = 'owner' THEN
                RETURN 'owner';
            END IF;
            INSERT INTO member (organization_id, person_id, role, joined_at, holds_until)
            VALUES (asked, bound_person(), given, asked_at, until)
            ON CONFLICT (organization_id, person_id)
                DO UPDATE SET role = excluded.role, holds_until = excluded.holds_until;
            IF role_rank(given) < role_rank(before) THEN
                DELETE FROM member_invitation WHERE organization_id = asked AND invited_by = bound_person();
            END IF;
            RETURN coalesce(before, 'nobody');
        END $$
    """)
    # Ownership is given here, and no provider's word limits it.
    op.execute("""
        CREATE FUNCTION owners_hold() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.holds_until := NULL;
            RETURN NEW;
        END $$;
        CREATE TRIGGER owners_hold BEFORE UPDATE ON member FOR EACH ROW
            WHEN (NEW.role = 'owner' AND NEW.holds_until IS NOT NULL) EXECUTE FUNCTION owners_hold()
    """)
    op.execute("""
        CREATE FUNCTION leave_by_provider(asked text) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = public, pg_temp AS $$
        BEGIN
            DELETE FROM member_invitation WHERE organization_id = asked AND invited_by = bound_person() AND EXISTS (
                SELECT FROM member WHERE organization_id = asked AND person_id = bound_person()
                    AND role <> 'owner' AND holds_until IS NOT NULL
            );
            DELETE FROM member
            WHERE organization_id = asked AND person_id = bound_person()
                AND role <> 'owner' AND holds_until IS NOT NULL;
            RETURN FOUND;
        END $$
    """)


def _directories() -> None:
    # Of a token its digest alone, and of people what is sealed alone: whoever reads these tables has neither.
    op.execute("""
        CREATE TABLE scim_token (
            id              text        CONSTRAINT pk_scim_token PRIMARY KEY,
            organization_id text        NOT NULL
                CONSTRAINT fk_scim_token_organization_id REFERENCES organization (id),
            digest          bytea       NOT NULL CONSTRAINT uq_scim_token_digest UNIQUE
                CONSTRAINT ck_scim_token_digest CHECK (length(digest) = 32),
            last_four       text        NOT NULL,
            created_by      text        NOT NULL,
            created_at      timestamptz NOT NULL,
            revoked_at      timestamptz,
            last_used_at    timestamptz,
            listed_at       timestamptz
        );
        CREATE INDEX ix_scim_token_organization_id ON scim_token (organization_id, id);
        CREATE TABLE scim_resource (
            id              text        CONSTRAINT pk_scim_resource PRIMARY KEY,
            organization_id text        NOT NULL
                CONSTRAINT fk_scim_resource_organization_id REFERENCES organization (id),
            kind            text        NOT NULL CONSTRAINT ck_scim_resource_kind CHECK (kind IN ('User', 'Group')),
            person_id       text
                CONSTRAINT fk_scim_resource_person_id REFERENCES person (id),
            address_index   bytea,
            sealed          bytea       NOT NULL,
            CONSTRAINT uq_scim_resource_person UNIQUE (organization_id, person_id)
        );
        CREATE INDEX ix_scim_resource_organization_id ON scim_resource (organization_id);
        CREATE INDEX ix_scim_resource_person_id ON scim_resource (person_id)
    """)


def _tokens() -> None:
    op.execute("""
        CREATE FUNCTION find_scim_token(asked bytea) RETURNS SETOF scim_token LANGUAGE sql STABLE SECURITY DEFINER
        SET search_path = public, pg_temp AS $$
            SELECT * FROM scim_token WHERE digest = asked
        $$
    """)
    op.execute("""
        CREATE FUNCTION note_scim_token_use(asked text, used_at timestamptz) RETURNS void
        LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
            UPDATE scim_token SET last_used_at = used_at
            WHERE id = asked AND (last_used_at IS NULL OR last_used_at <= used_at - interval '1 minute')
        $$
    """)


def _listing() -> None:
    # A directory counts from its first user on, whoever is deleted since, and as long as one of its tokens works.
    op.execute("""
        CREATE FUNCTION has_directory(asked text) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
        SET search_path = public, pg_temp AS $$
            SELECT EXISTS (SELECT FROM scim_token WHERE organization_id = asked AND revoked_at IS NULL)
                AND EXISTS (SELECT FROM scim_token WHERE organization_id = asked AND listed_at IS NOT NULL)
        $$
    """)
    op.execute("""
        CREATE FUNCTION note_scim_listing(at timestamptz) RETURNS void LANGUAGE sql SECURITY DEFINER
        SET search_path = public, pg_temp AS $$
            UPDATE scim_token SET listed_at = at WHERE id = bound_key() AND listed_at IS NULL
        $$
    """)
    # For whoever comes by the organisation's provider, and for nobody else.
    op.execute("""
        CREATE FUNCTION listed_by(asked text) RETURNS SETOF scim_resource LANGUAGE sql STABLE SECURITY DEFINER
        SET search_path = public, pg_temp AS $$
            SELECT * FROM scim_resource WHERE organization_id = asked AND EXISTS (
                SELECT FROM person_identity WHERE person_id = bound_person() AND provider = asked
            )
        $$
    """)
    op.execute("""
        CREATE FUNCTION claim_listed(asked text, user_id text) RETURNS void LANGUAGE sql SECURITY DEFINER
        SET search_path = public, pg_temp AS $$
            UPDATE scim_resource SET person_id = bound_person()
            WHERE organization_id = asked AND id = user_id AND kind = 'User' AND person_id IS NULL
        $$
    """)
    op.execute("""
        CREATE FUNCTION forget_listed() RETURNS void LANGUAGE sql SECURITY DEFINER
        SET search_path = public, pg_temp AS $$
            UPDATE scim_resource SET person_id = NULL WHERE person_id = bound_person()
        $$
    """)
    _acting("""
        OR EXISTS (
            SELECT FROM scim_token
            WHERE organization_id = bound_organization() AND id = bound_key() AND revoked_at IS NULL
        )
    """)


def _acting(more: str) -> None:
    op.execute(f"""
        CREATE OR REPLACE FUNCTION acting_organization() RETURNS text LANGUAGE sql STABLE SECURITY DEFINER
        SET search_path = public, pg_temp AS $$
            SELECT bound_organization()
            WHERE EXISTS (
                SELECT FROM member WHERE organization_id = bound_organization() AND person_id = bound_person()
            ) OR EXISTS (
                SELECT FROM api_key
                WHERE organization_id = bound_organization() AND id = bound_key() AND revoked_at IS NULL
            ) {more}
        $$
    """)  # noqa: S608 -- put together from this file's own words


def _isolation() -> None:
    own = "organization_id = (SELECT acting_organization())"
    for table in ("sign_in_connection", "sign_in_domain", "scim_token", "scim_resource"):
        op.execute(f"""
            ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
            CREATE POLICY of_the_acting ON {table} TO amply_api USING ({own}) WITH CHECK ({own})
        """)
    op.execute("""
        CREATE POLICY of_everyone ON sign_in_domain TO amply_app USING (true) WITH CHECK (true);
        ALTER TABLE sign_in_grant ENABLE ROW LEVEL SECURITY;
        CREATE POLICY of_oneself ON sign_in_grant TO amply_api
            USING (person_id = (SELECT bound_person())) WITH CHECK (person_id = (SELECT bound_person()));
        REVOKE ALL ON FUNCTION breaks_glass(text, text), requires_provider(text), own_standing(),
            own_required_domains(), find_connection(text), roles_by_provider(text), organization_of_domain(text),
            arrive_by_provider(text, text, timestamptz, timestamptz), leave_by_provider(text) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION own_standing(), own_required_domains(), find_connection(text),
            roles_by_provider(text), organization_of_domain(text), arrive_by_provider(text, text, timestamptz, timestamptz),
            leave_by_provider(text) TO amply_api;
        GRANT SELECT, INSERT, UPDATE, DELETE ON sign_in_connection, sign_in_domain, sign_in_grant TO amply_api;
        REVOKE ALL ON FUNCTION find_scim_token(bytea), note_scim_token_use(text, timestamptz), has_directory(text),
            note_scim_listing(timestamptz), listed_by(text), claim_listed(text, text), forget_listed(), owners_hold() FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION find_scim_token(bytea), note_scim_token_use(text, timestamptz), has_directory(text),
            note_scim_listing(timestamptz), listed_by(text), claim_listed(text, text), forget_listed() TO amply_api;
        GRANT SELECT (id, organization_id, last_four, created_by, created_at, revoked_at, last_used_at),
            INSERT (id, organization_id, digest, last_four, created_by, created_at), UPDATE (revoked_at)
            ON scim_token TO amply_api;
        GRANT SELECT, INSERT, UPDATE, DELETE ON scim_resource TO amply_api;
        GRANT SELECT, UPDATE (verified_at, checked_at, next_check_at, misses) ON sign_in_domain TO amply_app
    """)


def downgrade() -> None:
    _acting("")
    op.execute("""
        DROP TRIGGER owners_hold ON member;
        DROP FUNCTION owners_hold(), forget_listed(), claim_listed(text, text), listed_by(text), note_scim_listing(timestamptz), has_directory(text),
            note_scim_token_use(text, timestamptz), find_scim_token(bytea);
        DROP TABLE scim_resource, scim_token
    """)
    op.execute("""
        DROP FUNCTION leave_by_provider(text), arrive_by_provider(text, text, timestamptz, timestamptz),
            organization_of_domain(text), roles_by_provider(text), find_connection(text), own_required_domains(), own_standing(),
            requires_provider(text), breaks_glass(text, text);
        ALTER TABLE member DROP COLUMN holds_until;
        DROP TABLE sign_in_grant, sign_in_domain, sign_in_connection, person_identity
    """)
