"""Who is in an organisation, who is asked in, and row-level security for what its members may see and change (ADR 0106)."""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

ROLES = "('owner', 'admin', 'finance', 'content', 'viewer')"
OF_MEMBERS = ("member", "member_invitation", "ownership_offer")


def upgrade() -> None:
    _members()
    _acting()
    _last_owner()
    _joining()
    _isolation()
    _funds()
    _gifts()
    _grants()


def _members() -> None:
    # `person_id` is of whoever lets people in; they are not kept here.
    op.execute(f"""
        CREATE TABLE member (
            organization_id text        NOT NULL
                CONSTRAINT fk_member_organization_id REFERENCES organization (id),
            person_id       text        NOT NULL,
            role            text        NOT NULL CONSTRAINT ck_member_role CHECK (role IN {ROLES}),
            joined_at       timestamptz NOT NULL,
            CONSTRAINT pk_member PRIMARY KEY (organization_id, person_id)
        )
    """)
    op.execute("CREATE INDEX ix_member_person_id ON member (person_id)")
    # The address goes with the row: once it is accepted, withdrawn or over.
    op.execute(f"""
        CREATE TABLE member_invitation (
            id              text        CONSTRAINT pk_member_invitation PRIMARY KEY
                CONSTRAINT ck_member_invitation_id CHECK (id ~ '^minv_[0-9a-z]{{26}}$'),
            organization_id text        NOT NULL
                CONSTRAINT fk_member_invitation_organization_id REFERENCES organization (id),
            email           text        NOT NULL,
            email_sha256    text        NOT NULL
                CONSTRAINT ck_member_invitation_email_sha256 CHECK (email_sha256 ~ '^[0-9a-f]{{64}}$'),
            role            text        NOT NULL CONSTRAINT ck_member_invitation_role CHECK (role IN {ROLES}),
            language        text        NOT NULL
                CONSTRAINT ck_member_invitation_language CHECK (language IN ('en', 'de', 'fr')),
            invited_by      text,
            created_at      timestamptz NOT NULL,
            expires_at      timestamptz NOT NULL,
            attempts        integer     NOT NULL DEFAULT 0,
            next_attempt_at timestamptz,
            sent_at         timestamptz
        )
    """)
    op.execute("""
        CREATE INDEX ix_member_invitation_organization_id ON member_invitation (organization_id, id);
        CREATE INDEX ix_member_invitation_due ON member_invitation (next_attempt_at)
            WHERE next_attempt_at IS NOT NULL;
        CREATE INDEX ix_member_invitation_expires_at ON member_invitation (expires_at)
    """)
    op.execute("""
        CREATE TABLE ownership_offer (
            organization_id text        CONSTRAINT pk_ownership_offer PRIMARY KEY,
            from_person_id  text        NOT NULL,
            to_person_id    text        NOT NULL,
            created_at      timestamptz NOT NULL,
            expires_at      timestamptz NOT NULL,
            CONSTRAINT ck_ownership_offer_two CHECK (from_person_id <> to_person_id),
            CONSTRAINT fk_ownership_offer_from FOREIGN KEY (organization_id, from_person_id)
                REFERENCES member (organization_id, person_id) ON DELETE CASCADE,
            CONSTRAINT fk_ownership_offer_to FOREIGN KEY (organization_id, to_person_id)
                REFERENCES member (organization_id, person_id) ON DELETE CASCADE
        )
    """)


def _acting() -> None:
    op.execute("""
        CREATE FUNCTION bound_person() RETURNS text LANGUAGE sql STABLE AS $$
            SELECT nullif(current_setting('amply.person_id', true), '')
        $$
    """)
    op.execute("""
        CREATE FUNCTION bound_key() RETURNS text LANGUAGE sql STABLE AS $$
            SELECT nullif(current_setting('amply.key_id', true), '')
        $$
    """)
    # The bound organisation, where the bound person is in it: that it was named is not enough.
    op.execute("""
        CREATE FUNCTION acting_organization() RETURNS text LANGUAGE sql STABLE SECURITY DEFINER
        SET search_path = public, pg_temp AS $$
            SELECT bound_organization()
            WHERE EXISTS (
                SELECT FROM member WHERE organization_id = bound_organization() AND person_id = bound_person()
            )
        $$
    """)
    op.execute("""
        CREATE FUNCTION role_rank(role text) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
            SELECT CASE role WHEN 'owner' THEN 2 WHEN 'admin' THEN 1 ELSE 0 END
        $$
    """)


def _last_owner() -> None:
    # Whoever takes an owner away waits for others who do: the organisation's row is locked first, and what is left is
    # looked up afterwards.
    op.execute("""
        CREATE FUNCTION keep_an_owner() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = public, pg_temp AS $$
        BEGIN
            PERFORM FROM organization WHERE id = OLD.organization_id FOR NO KEY UPDATE;
            IF NOT EXISTS (
                SELECT FROM member WHERE organization_id = OLD.organization_id AND role = 'owner'
            ) THEN
                RAISE EXCEPTION 'an organisation keeps an owner'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_member_last_owner', TABLE = 'member';
            END IF;
            RETURN NULL;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER keep_an_owner_on_update AFTER UPDATE ON member FOR EACH ROW
            WHEN (OLD.role = 'owner' AND NEW.role <> 'owner') EXECUTE FUNCTION keep_an_owner();
        CREATE TRIGGER keep_an_owner_on_delete AFTER DELETE ON member FOR EACH ROW
            WHEN (OLD.role = 'owner') EXECUTE FUNCTION keep_an_owner()
    """)


def _joining() -> None:
    # The API adds no members: whoever is bound joins by an invitation to their address, from somebody who may still give
    # that role. Nothing says why it does not work.
    op.execute("""
        CREATE FUNCTION join_by_invitation(asked text, owner_sha256 text, asked_at timestamptz) RETURNS text
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
        DECLARE
            found member_invitation;
        BEGIN
            DELETE FROM member_invitation AS invitation
            WHERE id = asked AND email_sha256 = owner_sha256 AND expires_at > asked_at AND bound_person() IS NOT NULL
                AND (invited_by IS NULL OR EXISTS (
                    SELECT FROM member
                    WHERE member.organization_id = invitation.organization_id
                        AND member.person_id = invitation.invited_by
                        AND role_rank(member.role) >= greatest(role_rank(invitation.role), 1)
                ))
            RETURNING invitation.* INTO found;
            IF found.id IS NULL THEN
                RETURN NULL;
            END IF;
            INSERT INTO member (organization_id, person_id, role, joined_at)
            VALUES (found.organization_id, bound_person(), found.role, asked_at)
            ON CONFLICT DO NOTHING;
            DELETE FROM member_invitation
            WHERE organization_id = found.organization_id AND email_sha256 = owner_sha256;
            RETURN found.organization_id;
        END $$
    """)


def _isolation() -> None:
    # Uncorrelated, so that each statement asks once who acts.
    own = "organization_id = (SELECT acting_organization())"
    op.execute(f"""
        ALTER TABLE member ENABLE ROW LEVEL SECURITY;
        CREATE POLICY of_the_acting ON member TO amply_api USING ({own}) WITH CHECK ({own});
        CREATE POLICY of_oneself ON member FOR SELECT TO amply_api USING (person_id = (SELECT bound_person()));
        CREATE POLICY of_everyone ON member TO amply_app, amply_read USING (true) WITH CHECK (true);
        ALTER TABLE member_invitation ENABLE ROW LEVEL SECURITY;
        CREATE POLICY of_the_acting ON member_invitation TO amply_api USING ({own}) WITH CHECK ({own});
        CREATE POLICY of_everyone ON member_invitation TO amply_app, amply_operator USING (true) WITH CHECK (true);
        ALTER TABLE ownership_offer ENABLE ROW LEVEL SECURITY;
        CREATE POLICY of_the_acting ON ownership_offer TO amply_api USING ({own}) WITH CHECK ({own});
        CREATE POLICY of_everyone ON ownership_offer TO amply_app USING (true) WITH CHECK (true)
    """)
    # Anybody reads what organisations and funds are; who is in one changes its own.
    op.execute(f"""
        ALTER TABLE organization ENABLE ROW LEVEL SECURITY;
        CREATE POLICY of_anybody ON organization FOR SELECT TO amply_api USING (true);
        CREATE POLICY of_the_acting ON organization FOR UPDATE TO amply_api
            USING (id = (SELECT acting_organization())) WITH CHECK (id = (SELECT acting_organization()));
        CREATE POLICY of_everyone ON organization TO amply_app, amply_operator, amply_read, amply_sequencer
            USING (true) WITH CHECK (true);
        ALTER TABLE fund ENABLE ROW LEVEL SECURITY;
        CREATE POLICY of_anybody ON fund FOR SELECT TO amply_api USING (true);
        CREATE POLICY by_the_acting ON fund FOR INSERT TO amply_api WITH CHECK ({own});
        CREATE POLICY of_the_acting ON fund FOR UPDATE TO amply_api USING ({own}) WITH CHECK ({own});
        CREATE POLICY of_everyone ON fund TO amply_app, amply_operator, amply_read USING (true) WITH CHECK (true)
    """)


def _funds() -> None:
    # A gift for it keeps the fund's row from changing its key while it is recorded, and the name is a part of one.
    op.execute("""
        CREATE FUNCTION keep_a_given_name() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = public, pg_temp AS $$
        BEGIN
            IF EXISTS (SELECT FROM donation WHERE organization_id = OLD.organization_id AND fund_id = OLD.id)
                OR EXISTS (SELECT FROM plan WHERE organization_id = OLD.organization_id AND fund_id = OLD.id)
            THEN
                RAISE EXCEPTION 'gifts were made for this fund under its name'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_fund_given_name', TABLE = 'fund';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER keep_a_given_name BEFORE UPDATE OF name ON fund FOR EACH ROW
            WHEN (OLD.name <> NEW.name) EXECUTE FUNCTION keep_a_given_name()
    """)


def _gifts() -> None:
    # Donors read their gifts unbound, by an index over a function of their address, which a policy on the table would shut
    # out: such a function is not leakproof. So an organisation's gifts are read from a view, which has none for anybody else.
    op.execute("""
        CREATE VIEW organization_gift AS
            SELECT
                id, organization_id, minor_units, currency, status, donor_name, donor_email, message, entry_id,
                created_at, updated_at, erased_at, refunded_minor_units, dispute_state, fee_cover_minor_units,
                fee_cover_method, processor_fee_minor_units, method, reversed_at, fund_id, anonymity
            FROM donation
            WHERE organization_id = (SELECT acting_organization())
    """)
    # What the bank knows a payout by is its organisation's alone.
    op.execute("""
        CREATE FUNCTION own_bank_reference(asked text) RETURNS text LANGUAGE sql STABLE SECURITY DEFINER
        SET search_path = public, pg_temp AS $$
            SELECT bank_reference FROM payout WHERE id = asked AND owner = acting_organization()
        $$
    """)


def _grants() -> None:
    op.execute("""
        REVOKE ALL ON FUNCTION acting_organization(), join_by_invitation(text, text, timestamptz), keep_an_owner(),
            keep_a_given_name(), own_bank_reference(text) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION acting_organization(), join_by_invitation(text, text, timestamptz),
            own_bank_reference(text) TO amply_api
    """)
    op.execute("""
        GRANT SELECT, UPDATE (role), DELETE ON member TO amply_api;
        GRANT SELECT, DELETE ON member TO amply_app;
        GRANT SELECT ON member TO amply_read;
        GRANT SELECT, DELETE ON member_invitation TO amply_api;
        GRANT INSERT (id, organization_id, email, email_sha256, role, language, invited_by, created_at, expires_at,
            next_attempt_at) ON member_invitation TO amply_api, amply_operator;
        GRANT SELECT, UPDATE, DELETE ON member_invitation TO amply_app;
        GRANT SELECT, INSERT, DELETE ON ownership_offer TO amply_api;
        GRANT SELECT, DELETE ON ownership_offer TO amply_app;
        GRANT UPDATE (name, takes_anonymous_gifts, return_origins) ON organization TO amply_api;
        GRANT INSERT, UPDATE (name, closed_at) ON fund TO amply_api;
        GRANT SELECT ON organization_gift TO amply_api
    """)
    # What a payout's journal is made of: keys are kept as digests, and lead to entries that the API reads already.
    op.execute("""
        GRANT SELECT (exchanges) ON movement TO amply_api;
        GRANT SELECT (idempotency_key) ON entry TO amply_api
    """)


def downgrade() -> None:
    op.execute("DROP VIEW organization_gift")
    op.execute("DROP TRIGGER keep_a_given_name ON fund")
    op.execute("""
        REVOKE UPDATE (name, takes_anonymous_gifts, return_origins) ON organization FROM amply_api;
        REVOKE INSERT, UPDATE (name, closed_at) ON fund FROM amply_api;
        REVOKE SELECT (exchanges) ON movement FROM amply_api;
        REVOKE SELECT (idempotency_key) ON entry FROM amply_api
    """)
    for table, policies in (
        ("organization", ("of_anybody", "of_the_acting", "of_everyone")),
        ("fund", ("of_anybody", "by_the_acting", "of_the_acting", "of_everyone")),
    ):
        for policy in policies:
            op.execute(f"DROP POLICY {policy} ON {table}")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    op.execute("DROP TABLE ownership_offer, member_invitation, member")
    op.execute("""
        DROP FUNCTION own_bank_reference(text), join_by_invitation(text, text, timestamptz), keep_an_owner(),
            keep_a_given_name(), acting_organization(), role_rank(text), bound_key(), bound_person()
    """)
