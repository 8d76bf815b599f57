"""Who holds an invitation's letter sees what it is for (ADR 0113); people found test organisations in sandboxes (ADR 0114)."""

from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

# As 0037 has it, with `unless`.
KEEP_AN_OWNER = """
    CREATE OR REPLACE FUNCTION keep_an_owner() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
    DECLARE
        present text;
    BEGIN
        SELECT state INTO present FROM organization WHERE id = OLD.organization_id FOR NO KEY UPDATE;
        IF NOT EXISTS (
            SELECT FROM member WHERE organization_id = OLD.organization_id AND role = 'owner'
        ) {unless} THEN
            IF present NOT IN ('draft', 'refused') THEN
                RAISE EXCEPTION 'an organisation keeps an owner'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_member_last_owner', TABLE = 'member';
            END IF;
            DELETE FROM organization_contact WHERE organization_id = OLD.organization_id;
        END IF;
        RETURN NULL;
    END $$
"""


def upgrade() -> None:
    _invited()
    _trying()


def _invited() -> None:
    # The API sees invitations of the organisation that acts alone. Who holds a letter acts for none, and names one by its id,
    # which is signed.
    # As `join_by_invitation` has it: over, or by somebody who may not give that role any more, is none.
    op.execute("""
        CREATE FUNCTION waiting_invitation(asked text, asked_at timestamptz) RETURNS SETOF member_invitation
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
            SELECT invitation.* FROM member_invitation AS invitation
            WHERE invitation.id = asked AND invitation.expires_at > asked_at
                AND (invitation.invited_by IS NULL OR EXISTS (
                    SELECT FROM member
                    WHERE member.organization_id = invitation.organization_id
                        AND member.person_id = invitation.invited_by
                        AND role_rank(member.role) >= greatest(role_rank(invitation.role), 1)
                ))
        $$
    """)
    op.execute("""
        CREATE FUNCTION decline_invitation(asked text, asked_at timestamptz) RETURNS text
        LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
            DELETE FROM member_invitation WHERE id = asked AND expires_at > asked_at RETURNING organization_id
        $$
    """)
    op.execute("""
        REVOKE ALL ON FUNCTION waiting_invitation(text, timestamptz), decline_invitation(text, timestamptz) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION waiting_invitation(text, timestamptz), decline_invitation(text, timestamptz) TO amply_api
    """)


def _trying() -> None:
    op.execute("""
        CREATE TABLE test_organization (
            organization_id text        CONSTRAINT pk_test_organization PRIMARY KEY
                CONSTRAINT fk_test_organization_organization_id REFERENCES organization (id),
            person_id       text        NOT NULL,
            created_at      timestamptz NOT NULL
        );
        CREATE INDEX ix_test_organization_created_at ON test_organization (created_at)
    """)
    # The API makes no organisations. Whoever is bound founds one of these, within limits that no request can pass at the
    # same moment as another: only where the environment is for trying does a route lead here. `modules/trials/domain.py` says
    # the same numbers in words.
    op.execute("""
        CREATE FUNCTION found_test_organization(
            made text, its_slug text, its_name text, its_country text, opening text, its_email text, its_language text,
            asked_at timestamptz
        ) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
        BEGIN
            IF bound_person() IS NULL THEN
                RETURN 'nobody';
            END IF;
            PERFORM pg_advisory_xact_lock(hashtext('found_test_organization'));
            IF (
                SELECT count(*) FROM test_organization
                WHERE person_id = bound_person() AND created_at > asked_at - interval '1 day'
            ) >= 3 THEN
                RETURN 'person';
            END IF;
            IF (
                SELECT count(*) FROM test_organization WHERE created_at > asked_at - interval '1 day'
            ) >= 100 THEN
                RETURN 'all';
            END IF;
            INSERT INTO organization (id, slug, name, country, created_at)
            VALUES (made, its_slug, its_name, its_country, asked_at);
            INSERT INTO test_organization (organization_id, person_id, created_at)
            VALUES (made, bound_person(), asked_at);
            INSERT INTO member (organization_id, person_id, role, joined_at)
            VALUES (made, bound_person(), 'owner', asked_at);
            INSERT INTO onboarding_invitation (id, organization_id, email, language, attempts, next_attempt_at, created_at)
            VALUES (opening, made, its_email, its_language, 0, asked_at, asked_at);
            RETURN 'made';
        END $$
    """)
    # Nobody has to hand a test organisation on before they leave.
    unless = "AND NOT EXISTS (SELECT FROM test_organization WHERE organization_id = OLD.organization_id)"
    op.execute(KEEP_AN_OWNER.format(unless=unless))
    op.execute("""
        REVOKE ALL ON FUNCTION found_test_organization(text, text, text, text, text, text, text, timestamptz) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION found_test_organization(text, text, text, text, text, text, text, timestamptz)
            TO amply_api
    """)


def downgrade() -> None:
    op.execute(KEEP_AN_OWNER.format(unless=""))
    op.execute("DROP FUNCTION found_test_organization(text, text, text, text, text, text, text, timestamptz)")
    op.execute("DROP TABLE test_organization")
    op.execute("DROP FUNCTION waiting_invitation(text, timestamptz), decline_invitation(text, timestamptz)")
