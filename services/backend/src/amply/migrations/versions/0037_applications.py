"""How an organisation comes to be one: its state, what it says of itself, its documents, what registers say (ADR 0118, 0119)."""

from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

STATES = "('draft', 'submitted', 'in_review', 'more_asked', 'verified', 'refused', 'suspended')"
KINDS = "('nonprofit', 'charity', 'foundation', 'fiscally_sponsored', 'association', 'ngo')"
TIERS = "('standard', 'enhanced', 'comprehensive')"
DOCUMENTS = "('registration', 'statutes', 'representative', 'accounts', 'bank', 'ownership', 'other')"
OF_STAFF = "amply_app, amply_operator"


def upgrade() -> None:
    _states()
    _ownership()
    _applications()
    _steps()
    _registers()
    _documents()
    _founding()
    _grants()


def _states() -> None:
    # Whoever was made by staff's command is verified: they looked before they typed it.
    op.execute(f"""
        ALTER TABLE organization
            ADD COLUMN state text NOT NULL DEFAULT 'verified'
                CONSTRAINT ck_organization_state CHECK (state IN {STATES}),
            ADD COLUMN tier text CONSTRAINT ck_organization_tier CHECK (tier IN {TIERS})
    """)
    # One row of `modules/applications/domain.py`'s table a line; `by_api` moves are the applicant's, all others staff's.
    op.execute("""
        CREATE FUNCTION keep_organization_moves() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (
                SELECT FROM (VALUES
                    ('draft', 'submitted', true),
                    ('more_asked', 'submitted', true),
                    ('submitted', 'in_review', false),
                    ('in_review', 'more_asked', false),
                    ('in_review', 'verified', false),
                    ('in_review', 'refused', false),
                    ('more_asked', 'refused', false),
                    ('verified', 'suspended', false),
                    ('suspended', 'verified', false)
                ) AS move (from_state, to_state, by_api)
                WHERE from_state = OLD.state AND to_state = NEW.state AND by_api = (current_user = 'amply_api')
            ) THEN
                RAISE EXCEPTION 'an organisation does not move from % to % so', OLD.state, NEW.state
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_organization_move', TABLE = 'organization';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER keep_organization_moves BEFORE UPDATE OF state ON organization FOR EACH ROW
            WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION keep_organization_moves()
    """)
    op.execute("CREATE INDEX ix_organization_state ON organization (state, id) WHERE state <> 'verified'")


def _ownership() -> None:
    # Whoever founded what never became one of ours may leave it to nobody, and be forgotten: then its contact goes too.
    op.execute("""
        CREATE OR REPLACE FUNCTION keep_an_owner() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = public, pg_temp AS $$
        DECLARE
            present text;
        BEGIN
            SELECT state INTO present FROM organization WHERE id = OLD.organization_id FOR NO KEY UPDATE;
            IF NOT EXISTS (
                SELECT FROM member WHERE organization_id = OLD.organization_id AND role = 'owner'
            ) THEN
                IF present NOT IN ('draft', 'refused') THEN
                    RAISE EXCEPTION 'an organisation keeps an owner'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_member_last_owner', TABLE = 'member';
                END IF;
                DELETE FROM organization_contact WHERE organization_id = OLD.organization_id;
            END IF;
            RETURN NULL;
        END $$
    """)


def _ownership_before() -> None:
    op.execute("""
        CREATE OR REPLACE FUNCTION keep_an_owner() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
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


def _applications() -> None:
    op.execute(f"""
        CREATE TABLE organization_application (
            organization_id text        CONSTRAINT pk_organization_application PRIMARY KEY
                CONSTRAINT fk_organization_application_organization_id REFERENCES organization (id),
            applicant_id    text        NOT NULL,
            legal_name      text        NOT NULL,
            slug            text,
            kind            text        CONSTRAINT ck_organization_application_kind CHECK (kind IN {KINDS}),
            tier            text        NOT NULL DEFAULT 'standard'
                CONSTRAINT ck_organization_application_tier CHECK (tier IN {TIERS}),
            tax_id          text,
            street          text,
            postal_code     text,
            city            text,
            website         text,
            purpose         text,
            sdgs            smallint[]  NOT NULL DEFAULT '{{}}'
                CONSTRAINT ck_organization_application_sdgs CHECK (1 <= ALL (sdgs) AND 17 >= ALL (sdgs)),
            created_at      timestamptz NOT NULL,
            updated_at      timestamptz NOT NULL,
            submitted_at    timestamptz
        )
    """)
    op.execute(
        "CREATE INDEX ix_organization_application_applicant_id ON organization_application (applicant_id)"
    )
    # What staff decide upon does not change while they look, nor after they have decided.
    op.execute("""
        CREATE FUNCTION keep_what_is_decided_upon() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = public, pg_temp AS $$
        DECLARE
            found text;
        BEGIN
            SELECT state INTO found FROM organization WHERE id = NEW.organization_id FOR SHARE;
            IF found NOT IN ('draft', 'more_asked') THEN
                RAISE EXCEPTION 'nothing is changed about it while it is %', found
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_application_is_open',
                    TABLE = 'organization_application';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER keep_what_is_decided_upon BEFORE UPDATE OF
            legal_name, kind, tier, tax_id, street, postal_code, city, website, purpose, sdgs
        ON organization_application FOR EACH ROW
            WHEN (current_user = 'amply_api') EXECUTE FUNCTION keep_what_is_decided_upon()
    """)


def _steps() -> None:
    # `said` is what staff tell the organisation; the letter about a step is due until `told_at`.
    op.execute(f"""
        CREATE TABLE organization_step (
            id              text        CONSTRAINT pk_organization_step PRIMARY KEY
                CONSTRAINT ck_organization_step_id CHECK (id ~ '^step_[0-9a-z]{{26}}$'),
            organization_id text        NOT NULL
                CONSTRAINT fk_organization_step_organization_id REFERENCES organization (id),
            from_state      text        NOT NULL,
            to_state        text        NOT NULL CONSTRAINT ck_organization_step_to CHECK (to_state IN {STATES}),
            said            text        CONSTRAINT ck_organization_step_said CHECK (length(said) <= 2000),
            at              timestamptz NOT NULL,
            attempts        integer     NOT NULL DEFAULT 0,
            next_attempt_at timestamptz NOT NULL,
            told_at         timestamptz,
            withheld        text
        )
    """)
    op.execute("""
        CREATE INDEX ix_organization_step_organization_id ON organization_step (organization_id, id);
        CREATE INDEX ix_organization_step_due ON organization_step (next_attempt_at) WHERE told_at IS NULL
    """)


def _registers() -> None:
    op.execute("""
        CREATE TABLE register_lookup (
            id              text        CONSTRAINT pk_register_lookup PRIMARY KEY
                CONSTRAINT ck_register_lookup_id CHECK (id ~ '^look_[0-9a-z]{26}$'),
            organization_id text        NOT NULL
                CONSTRAINT fk_register_lookup_organization_id REFERENCES organization (id),
            country         text        NOT NULL,
            tax_id          text        NOT NULL,
            asked_at        timestamptz NOT NULL,
            answered_at     timestamptz,
            outcome         text        CONSTRAINT ck_register_lookup_outcome
                CHECK (outcome IN ('found', 'not_found', 'no_register')),
            register        text,
            name            text,
            status          text,
            attempts        integer     NOT NULL DEFAULT 0,
            next_attempt_at timestamptz NOT NULL,
            CONSTRAINT ck_register_lookup_answered CHECK ((answered_at IS NULL) = (outcome IS NULL))
        )
    """)
    op.execute("""
        CREATE INDEX ix_register_lookup_organization_id ON register_lookup (organization_id, id);
        CREATE INDEX ix_register_lookup_due ON register_lookup (next_attempt_at) WHERE answered_at IS NULL
    """)


def _documents() -> None:
    # A row comes before its upload, and goes when none came; what is removed leaves the row and no bytes.
    op.execute(f"""
        CREATE TABLE organization_document (
            id              text        CONSTRAINT pk_organization_document PRIMARY KEY
                CONSTRAINT ck_organization_document_id CHECK (id ~ '^odoc_[0-9a-z]{{26}}$'),
            organization_id text        NOT NULL
                CONSTRAINT fk_organization_document_organization_id REFERENCES organization (id),
            kind            text        NOT NULL
                CONSTRAINT ck_organization_document_kind CHECK (kind IN {DOCUMENTS}),
            object_key      text        NOT NULL CONSTRAINT uq_organization_document_object_key UNIQUE,
            media_type      text        NOT NULL,
            added_by        text        NOT NULL,
            created_at      timestamptz NOT NULL,
            expires_at      timestamptz NOT NULL,
            received_at     timestamptz,
            size_bytes      integer     CONSTRAINT ck_organization_document_size CHECK (size_bytes BETWEEN 1 AND 10485760),
            object_version  text,
            removed_at      timestamptz,
            gone_at         timestamptz
        )
    """)
    op.execute("""
        CREATE INDEX ix_organization_document_organization_id ON organization_document (organization_id, id);
        CREATE INDEX ix_organization_document_awaited ON organization_document (expires_at)
            WHERE received_at IS NULL;
        CREATE INDEX ix_organization_document_removed ON organization_document (removed_at)
            WHERE removed_at IS NOT NULL AND gone_at IS NULL
    """)


def _founding() -> None:
    # The API makes no organisations and adds no members. Whoever is bound founds a draft, which nobody else sees, and
    # owns it; three of theirs may be undecided at a time. Nothing says why it does not work.
    op.execute("""
        CREATE FUNCTION found_organization(
            asked_id text, asked_name text, asked_slug text, asked_country text,
            asked_email text, asked_language text, asked_at timestamptz
        ) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
        DECLARE
            known text;
        BEGIN
            IF bound_person() IS NULL THEN
                RETURN NULL;
            END IF;
            PERFORM pg_advisory_xact_lock(hashtextextended('found ' || bound_person(), 0));
            SELECT application.organization_id INTO known FROM organization_application AS application
                JOIN member USING (organization_id)
                WHERE application.applicant_id = bound_person() AND application.slug = asked_slug
                    AND member.person_id = bound_person();
            IF known IS NOT NULL THEN
                RETURN known;
            END IF;
            IF 3 <= (
                SELECT count(*) FROM organization_application AS application
                    JOIN organization ON organization.id = application.organization_id
                    WHERE application.applicant_id = bound_person() AND organization.state NOT IN ('verified', 'suspended')
                        AND NOT (organization.state = 'refused' AND application.updated_at < asked_at - interval '30 days')
            ) THEN
                RETURN NULL;
            END IF;
            INSERT INTO organization (id, slug, name, country, created_at, state)
                VALUES (asked_id, 'applies-' || substr(asked_id, 5), asked_name, asked_country, asked_at, 'draft');
            INSERT INTO member (organization_id, person_id, role, joined_at)
                VALUES (asked_id, bound_person(), 'owner', asked_at);
            INSERT INTO organization_application (organization_id, applicant_id, legal_name, slug, created_at, updated_at)
                VALUES (asked_id, bound_person(), asked_name, asked_slug, asked_at, asked_at);
            INSERT INTO organization_contact (organization_id, email, language, updated_at)
                VALUES (asked_id, asked_email, asked_language, asked_at);
            RETURN asked_id;
        END $$
    """)


def _grants() -> None:
    own = "organization_id = (SELECT acting_organization())"
    for table in (
        "organization_application",
        "organization_step",
        "register_lookup",
        "organization_document",
    ):
        op.execute(f"""
            ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
            CREATE POLICY of_the_acting ON {table} TO amply_api USING ({own}) WITH CHECK ({own});
            CREATE POLICY of_everyone ON {table} TO {OF_STAFF} USING (true) WITH CHECK (true)
        """)
    op.execute("""
        REVOKE ALL ON FUNCTION keep_organization_moves(), keep_what_is_decided_upon(),
            found_organization(text, text, text, text, text, text, timestamptz) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION found_organization(text, text, text, text, text, text, timestamptz) TO amply_api
    """)
    op.execute("""
        GRANT UPDATE (state) ON organization TO amply_api;
        GRANT UPDATE (state, slug, tier) ON organization TO amply_operator;
        GRANT SELECT, UPDATE (legal_name, kind, tier, tax_id, street, postal_code, city, website, purpose, sdgs,
            updated_at, submitted_at) ON organization_application TO amply_api;
        GRANT SELECT, UPDATE (slug, updated_at) ON organization_application TO amply_operator;
        GRANT SELECT ON organization_application TO amply_app;
        GRANT SELECT, INSERT (id, organization_id, from_state, to_state, said, at, next_attempt_at)
            ON organization_step TO amply_api, amply_operator;
        GRANT SELECT, UPDATE (attempts, next_attempt_at, told_at, withheld) ON organization_step TO amply_app;
        GRANT SELECT, INSERT (id, organization_id, country, tax_id, asked_at, next_attempt_at) ON register_lookup TO amply_api;
        GRANT SELECT ON register_lookup TO amply_operator;
        GRANT SELECT, UPDATE (answered_at, outcome, register, name, status, attempts, next_attempt_at)
            ON register_lookup TO amply_app;
        GRANT SELECT, INSERT (id, organization_id, kind, object_key, media_type, added_by, created_at, expires_at),
            UPDATE (received_at, size_bytes, object_version, removed_at) ON organization_document TO amply_api;
        GRANT SELECT ON organization_document TO amply_operator;
        GRANT SELECT, UPDATE (gone_at), DELETE ON organization_document TO amply_app
    """)


def downgrade() -> None:
    _ownership_before()
    op.execute(
        "DROP TABLE organization_document, register_lookup, organization_step, organization_application"
    )
    op.execute("DROP TRIGGER keep_organization_moves ON organization")
    op.execute("""
        DROP FUNCTION found_organization(text, text, text, text, text, text, timestamptz),
            keep_what_is_decided_upon(), keep_organization_moves()
    """)
    op.execute("""
        REVOKE UPDATE (state) ON organization FROM amply_api;
        REVOKE UPDATE (state, slug, tier) ON organization FROM amply_operator
    """)
    op.execute("ALTER TABLE organization DROP COLUMN state, DROP COLUMN tier")
