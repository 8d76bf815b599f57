"""What stands beside gifts and people in the clear is sealed too (ADR 0128): columns for it, and when that begins."""

from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

SEALED = {
    "dedication": ("donation_id", "honouree", "recipient_name", "recipient_email", "recipient_sha256"),
    "receipt_facts": ("donation_id", "address", "gift_aid", "advantage", "company"),
    "issued_receipt": ("id", "document", "salt"),
    "offline_gift": ("donation_id", "reference", "description", "appraiser"),
    "donor_link_request": ("id", "email"),
    "member_invitation": ("id", "email", "email_sha256"),
    "onboarding_invitation": ("id", "email"),
    "organization_contact": ("organization_id", "email"),
    "organization_application": (
        *("organization_id", "legal_name", "tax_id", "street", "postal_code", "city", "website", "purpose"),
    ),
    "register_lookup": ("id", "tax_id", "name", "status"),
    "organization_step": ("id", "said"),
}
"""By table: the column that names a row, and those that hold in the clear what is sealed."""
ALWAYS_THERE = {
    "dedication": ("honouree",),
    "offline_gift": ("reference",),
    "donor_link_request": ("email",),
    "member_invitation": ("email", "email_sha256"),
    "onboarding_invitation": ("email",),
    "organization_contact": ("email",),
    "organization_application": ("legal_name",),
    "register_lookup": ("tax_id",),
}
"""What could not be empty while it stood in the clear."""
GIFTS = {
    "donation": ("donor_name", "donor_email", "message"),
    "plan": ("donor_name", "donor_email", "message", "email_sha256"),
}
"""What this release reads sealed alone; 0053 takes these columns away."""


def upgrade() -> None:
    _refuse_unsealed()
    _beginning()
    _receipt_words()
    for table, (key, *plain) in SEALED.items():
        _sealed(table, key, plain)
    op.execute(
        "ALTER TABLE issued_receipt ADD CONSTRAINT ck_issued_receipt_words CHECK (sealed IS NULL OR words IS NOT NULL)"
    )
    _dedications()
    _declarations()
    _offline_gifts()
    _invitations()
    _founding()
    op.execute(DECIDED_UPON.format(more=", sealed"))
    _grants()
    _nothing_in_the_clear()


def _beginning() -> None:
    # As in 0038, for what this release seals: processes of the release before read none of it.
    op.execute("ALTER TABLE sealing ADD COLUMN later_begins_at timestamptz")
    op.execute("""
        UPDATE sealing SET later_begins_at = CASE
            WHEN EXISTS (SELECT FROM donation) OR EXISTS (SELECT FROM person) OR EXISTS (SELECT FROM organization)
                THEN now() + interval '3 hours'
            ELSE now() END
    """)
    op.execute("ALTER TABLE sealing ALTER COLUMN later_begins_at SET NOT NULL")


def _refuse_unsealed() -> None:
    # Answered by indexes: those over what is in the clear (0038), and that of a plan's digest (0021).
    named = "sealed IS NULL AND (donor_name IS NOT NULL OR donor_email IS NOT NULL OR message IS NOT NULL)"
    op.execute(f"""
        DO $$ BEGIN
            IF EXISTS (SELECT FROM donation WHERE {named}) OR EXISTS (SELECT FROM plan WHERE {named})
                OR EXISTS (SELECT FROM plan WHERE email_sha256 IS NOT NULL) THEN
                RAISE EXCEPTION 'gifts or plans are not sealed yet: deploy the release whose newest revision is 0045, let its '
                    'worker run until it has sealed them (docs/runbooks/personal-keys.md), and migrate again';
            ELSIF EXISTS (SELECT FROM sealing WHERE begins_at > now())
                AND (EXISTS (SELECT FROM person) OR EXISTS (SELECT FROM organization)) THEN
                RAISE EXCEPTION 'sealing has not begun yet: wait until %, and migrate again', (SELECT begins_at FROM sealing);
            END IF;
        END $$
    """)  # noqa: S608 -- this file's own words


def _nothing_in_the_clear() -> None:
    # So it stays: what somebody without keys wrote there would be read by nobody. Last, and not read through: no gift is
    # taken from here on until this is committed.
    for table, columns in GIFTS.items():
        nothing = " AND ".join(f"{column} IS NULL" for column in columns)
        kept = f"CONSTRAINT ck_{table}_nothing_in_the_clear CHECK ({nothing})"
        op.execute(f"ALTER TABLE {table} ADD {kept} NOT VALID")
    _refuse_unsealed()


def _sealed(table: str, key: str, plain: list[str]) -> None:
    for column in ALWAYS_THERE.get(table, ()):
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL")
    nothing = " AND ".join(f"{column} IS NULL" for column in plain)
    anything = " OR ".join(f"{column} IS NOT NULL" for column in plain)
    op.execute(f"""
        ALTER TABLE {table}
            ADD COLUMN sealed bytea,
            ADD CONSTRAINT ck_{table}_sealed_once CHECK (sealed IS NULL OR ({nothing}));
        CREATE INDEX ix_{table}_in_the_clear ON {table} ({key}) WHERE sealed IS NULL AND ({anything});
        CREATE INDEX ix_{table}_sealed_by ON {table} (substring(sealed, 1, 5)) WHERE sealed IS NOT NULL
    """)


def _dedications() -> None:
    op.execute("""
        ALTER TABLE dedication ADD COLUMN recipient_index bytea;
        CREATE INDEX ix_dedication_recipient_index ON dedication (recipient_index) WHERE recipient_index IS NOT NULL;
        CREATE INDEX ix_dedication_to_tell ON dedication (donation_id)
            WHERE recipient_index IS NOT NULL AND handed_over_at IS NULL AND withheld IS NULL;
        CREATE INDEX ix_dedication_on_its_way ON dedication (handed_over_at)
            WHERE handed_over_at IS NOT NULL AND message_id IS NULL
    """)


def _declarations() -> None:
    # Whether a gift may be kept from its organisation hangs on it, and so does its receipt: told without what was declared.
    op.execute("""
        ALTER TABLE receipt_facts
            ADD COLUMN declares_gift_aid boolean NOT NULL DEFAULT false,
            ADD COLUMN forgets_gift_aid  boolean NOT NULL DEFAULT false;
        UPDATE receipt_facts SET declares_gift_aid = true WHERE gift_aid IS NOT NULL;
        CREATE INDEX ix_receipt_facts_forgets ON receipt_facts (donation_id) WHERE forgets_gift_aid
    """)
    # For as long as something is written in the clear, by processes of the release before among others.
    op.execute("""
        CREATE FUNCTION note_declaration() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.sealed IS NULL THEN
                NEW.declares_gift_aid := NEW.gift_aid IS NOT NULL;
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER note_declaration BEFORE INSERT OR UPDATE OF gift_aid ON receipt_facts
        FOR EACH ROW EXECUTE FUNCTION note_declaration()
    """)
    op.execute("""
        CREATE OR REPLACE FUNCTION hold_receipt(asked text) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = public, pg_temp AS $$
        BEGIN
            PERFORM FROM receipt WHERE donation_id = asked FOR UPDATE;
            RETURN EXISTS (SELECT FROM receipt_facts WHERE donation_id = asked AND declares_gift_aid);
        END $$
    """)


def _receipt_words() -> None:
    # The database cannot see what sealed bytes say. It holds a digest of the words that nothing changes: made here of words
    # in the clear, and by whoever issues a receipt of those that are sealed from the start. Who opens one compares.
    op.execute("""
        CREATE FUNCTION receipt_words(document jsonb, salt text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
        RETURN encode(sha256(convert_to(salt || document::text, 'UTF8')), 'hex')
    """)
    op.execute("""
        ALTER TABLE issued_receipt
            ADD COLUMN salt  text,
            ADD COLUMN words text CONSTRAINT ck_issued_receipt_words_form CHECK (words ~ '^[0-9a-f]{64}$');
        ALTER TABLE issued_receipt DISABLE TRIGGER receipt_kept;
        UPDATE issued_receipt SET salt = gen_random_uuid()::text || gen_random_uuid()::text WHERE document IS NOT NULL;
        UPDATE issued_receipt SET words = receipt_words(document, salt) WHERE document IS NOT NULL;
        ALTER TABLE issued_receipt ENABLE TRIGGER receipt_kept
    """)
    op.execute("""
        CREATE FUNCTION fix_receipt_words() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.document IS NOT NULL THEN
                NEW.salt := coalesce(NEW.salt, gen_random_uuid()::text || gen_random_uuid()::text);
                NEW.words := receipt_words(NEW.document, NEW.salt);
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER fix_receipt_words BEFORE INSERT ON issued_receipt
        FOR EACH ROW EXECUTE FUNCTION fix_receipt_words()
    """)
    # Made void once; forgotten once, and for good; sealed, and sealed anew. Nothing else of it ever changes.
    op.execute("""
        CREATE OR REPLACE FUNCTION keep_receipt() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            free CONSTANT text[] := '{donation_id,document,salt,sealed,voided_at,void_reason}';
        BEGIN
            IF NEW.document IS NULL AND NEW.sealed IS NULL THEN
                NEW.salt := NULL;
            END IF;
            IF to_jsonb(NEW) - free IS DISTINCT FROM to_jsonb(OLD) - free
               OR (OLD.voided_at IS NOT NULL
                   AND (NEW.voided_at, NEW.void_reason) IS DISTINCT FROM (OLD.voided_at, OLD.void_reason))
               OR (NEW.document IS NOT NULL AND (NEW.document, NEW.salt) IS DISTINCT FROM (OLD.document, OLD.salt))
               OR (NEW.sealed IS NOT NULL AND OLD.sealed IS NULL AND OLD.document IS NULL)
            THEN
                RAISE EXCEPTION 'an issued receipt is not changed'
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'receipt_kept';
            END IF;
            RETURN NEW;
        END $$
    """)


def _offline_gifts() -> None:
    op.execute("""
        ALTER TABLE offline_gift
            ADD COLUMN reference_index bytea,
            DROP CONSTRAINT ck_offline_gift_described,
            ADD CONSTRAINT ck_offline_gift_described CHECK (
                sealed IS NOT NULL OR reference IS NULL OR ((method = 'in_kind') = (description IS NOT NULL))
            );
        CREATE UNIQUE INDEX uq_offline_gift_reference_index ON offline_gift (organization_id, method, reference_index)
            WHERE reference_index IS NOT NULL AND NOT is_reversed;
        CREATE INDEX ix_offline_gift_reference_index ON offline_gift (reference_index) WHERE reference_index IS NOT NULL
    """)


def _invitations() -> None:
    op.execute("""
        ALTER TABLE member_invitation ADD COLUMN email_index bytea;
        CREATE INDEX ix_member_invitation_email_index ON member_invitation (email_index) WHERE email_index IS NOT NULL
    """)
    # As the one with three arguments, which processes of the release before go on calling.
    op.execute("""
        CREATE FUNCTION join_by_invitation(
            asked text, owner_sha256 text, owner_indexes bytea[], asked_at timestamptz
        ) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
        DECLARE
            found member_invitation;
        BEGIN
            DELETE FROM member_invitation AS invitation
            WHERE id = asked AND (email_index = ANY (owner_indexes) OR email_sha256 = owner_sha256)
                AND expires_at > asked_at AND bound_person() IS NOT NULL
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
            WHERE organization_id = found.organization_id
                AND (email_index = ANY (owner_indexes) OR email_sha256 = owner_sha256);
            RETURN found.organization_id;
        END $$
    """)


def _founding() -> None:
    # Both take an address sealed besides: they found as those without do, which processes of the release before go on
    # calling, and then put what is sealed in the place of nothing.
    op.execute("""
        CREATE FUNCTION found_test_organization(
            made text, its_slug text, its_name text, its_country text, opening text, its_email text, its_sealed bytea,
            its_language text, asked_at timestamptz
        ) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
        DECLARE
            outcome text := found_test_organization(
                made, its_slug, its_name, its_country, opening, its_email, its_language, asked_at
            );
        BEGIN
            UPDATE onboarding_invitation SET sealed = its_sealed
            WHERE outcome = 'made' AND id = opening AND email IS NULL;
            RETURN outcome;
        END $$
    """)
    op.execute("""
        CREATE FUNCTION found_organization(
            asked_id text, asked_name text, asked_slug text, asked_country text,
            asked_email text, asked_sealed bytea, asked_language text, asked_at timestamptz
        ) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
        DECLARE
            outcome text := found_organization(
                asked_id, asked_name, asked_slug, asked_country, asked_email, asked_language, asked_at
            );
        BEGIN
            UPDATE organization_contact SET sealed = asked_sealed
            WHERE outcome = asked_id AND organization_id = asked_id AND email IS NULL;
            RETURN outcome;
        END $$
    """)
    for signature in _OVERLOADS:
        op.execute(
            f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC; GRANT EXECUTE ON FUNCTION {signature} TO amply_api"
        )


_OVERLOADS = (
    "join_by_invitation(text, text, bytea[], timestamptz)",
    "found_test_organization(text, text, text, text, text, text, bytea, text, timestamptz)",
    "found_organization(text, text, text, text, text, bytea, text, timestamptz)",
)
DECIDED_UPON = """
    CREATE OR REPLACE TRIGGER keep_what_is_decided_upon BEFORE UPDATE OF
        legal_name, kind, tier, tax_id, street, postal_code, city, website, purpose, sdgs{more}
    ON organization_application FOR EACH ROW
        WHEN (current_user = 'amply_api') EXECUTE FUNCTION keep_what_is_decided_upon()
"""


def _grants() -> None:
    # The worker seals what is in the clear, and anew what an older key sealed; staff open what organisations say.
    op.execute("""
        GRANT UPDATE (sealed) ON organization_application TO amply_api;
        GRANT UPDATE (sealed, legal_name, tax_id, street, postal_code, city, website, purpose)
            ON organization_application TO amply_app;
        GRANT INSERT (sealed) ON register_lookup TO amply_api;
        GRANT UPDATE (sealed, tax_id) ON register_lookup TO amply_app;
        GRANT INSERT (sealed) ON organization_step TO amply_api, amply_operator;
        GRANT UPDATE (sealed, said) ON organization_step TO amply_app;
        GRANT SELECT ON data_key, sealing TO amply_operator;
        GRANT INSERT (sealed, email_index) ON member_invitation TO amply_api, amply_operator;
        GRANT SELECT (declares_gift_aid), UPDATE (declares_gift_aid, forgets_gift_aid) ON receipt_facts TO amply_api;
        GRANT UPDATE (salt, sealed) ON issued_receipt TO amply_app;
        GRANT SELECT (sealed) ON offline_gift TO amply_api
    """)


def downgrade() -> None:
    sealed = " OR ".join(f"EXISTS (SELECT FROM {table} WHERE sealed IS NOT NULL)" for table in SEALED)
    op.execute(f"""
        DO $$ BEGIN
            IF {sealed} THEN
                RAISE EXCEPTION 'personal data is sealed by these keys: there is no way back';
            END IF;
        END $$
    """)
    for table in GIFTS:
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT ck_{table}_nothing_in_the_clear")
    op.execute(DECIDED_UPON.format(more=""))
    op.execute("""
        REVOKE UPDATE (legal_name, tax_id, street, postal_code, city, website, purpose)
            ON organization_application FROM amply_app;
        REVOKE UPDATE (tax_id) ON register_lookup FROM amply_app;
        REVOKE UPDATE (said) ON organization_step FROM amply_app;
        REVOKE SELECT ON data_key, sealing FROM amply_operator
    """)
    _receipts_before()
    for signature in _OVERLOADS:
        op.execute(f"DROP FUNCTION {signature}")
    for table in SEALED:
        op.execute(f"ALTER TABLE {table} DROP COLUMN sealed")
        for column in ALWAYS_THERE.get(table, ()):
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL")
    op.execute("""
        ALTER TABLE dedication DROP COLUMN recipient_index;
        DROP INDEX ix_dedication_on_its_way;
        ALTER TABLE member_invitation DROP COLUMN email_index;
        ALTER TABLE offline_gift
            DROP COLUMN reference_index,
            ADD CONSTRAINT ck_offline_gift_described CHECK ((method = 'in_kind') = (description IS NOT NULL));
        ALTER TABLE sealing DROP COLUMN later_begins_at
    """)


def _receipts_before() -> None:
    op.execute("""
        CREATE OR REPLACE FUNCTION hold_receipt(asked text) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
        SET search_path = public, pg_temp AS $$
        BEGIN
            PERFORM FROM receipt WHERE donation_id = asked FOR UPDATE;
            RETURN EXISTS (SELECT FROM receipt_facts WHERE donation_id = asked AND gift_aid IS NOT NULL);
        END $$
    """)
    op.execute("""
        CREATE OR REPLACE FUNCTION keep_receipt() RETURNS trigger LANGUAGE plpgsql AS $$
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
        DROP TRIGGER fix_receipt_words ON issued_receipt;
        ALTER TABLE issued_receipt DROP COLUMN salt, DROP COLUMN words;
        DROP FUNCTION fix_receipt_words(), receipt_words(jsonb, text);
        DROP TRIGGER note_declaration ON receipt_facts;
        DROP FUNCTION note_declaration();
        REVOKE SELECT (declares_gift_aid), UPDATE (declares_gift_aid, forgets_gift_aid) ON receipt_facts FROM amply_api;
        ALTER TABLE receipt_facts DROP COLUMN declares_gift_aid, DROP COLUMN forgets_gift_aid
    """)
