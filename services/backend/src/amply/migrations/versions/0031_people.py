"""People who sign in: their addresses sealed, their factors, and the letters that wait to be written to them (ADR 0103)."""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _persons()
    _factors()
    _claims_and_letters()
    _grants()


def _persons() -> None:
    # `address_index` finds an address without telling it, `sealed_address` tells it with a key that is not in the database.
    # A person who is forgotten leaves the id alone, since others' records name it.
    op.execute("""
        CREATE TABLE person (
            id                  text        CONSTRAINT pk_person PRIMARY KEY,
            address_index       bytea       CONSTRAINT uq_person_address_index UNIQUE,
            sealed_address      bytea,
            password_hash       text,
            language            text        NOT NULL
                CONSTRAINT ck_person_language CHECK (language IN ('en', 'de', 'fr')),
            stamp               bigint      NOT NULL DEFAULT 1,
            ip_binding          text        NOT NULL DEFAULT 'none'
                CONSTRAINT ck_person_ip_binding CHECK (ip_binding IN ('none', 'subnet', 'strict')),
            created_at          timestamptz NOT NULL,
            password_changed_at timestamptz NOT NULL,
            erased_at           timestamptz,
            CONSTRAINT ck_person_erased CHECK (
                (erased_at IS NULL) = (address_index IS NOT NULL)
                AND (erased_at IS NULL) = (sealed_address IS NOT NULL)
                AND (erased_at IS NULL OR password_hash IS NULL)
            )
        )
    """)
    # Of a cookie that stays with the browser: whoever has it is no stranger to this account.
    op.execute("""
        CREATE TABLE person_device (
            person_id text        NOT NULL
                CONSTRAINT fk_person_device_person_id REFERENCES person (id) ON DELETE CASCADE,
            mark      bytea       NOT NULL,
            seen_at   timestamptz NOT NULL,
            CONSTRAINT pk_person_device PRIMARY KEY (person_id, mark)
        )
    """)


def _factors() -> None:
    op.execute("""
        CREATE TABLE person_totp (
            person_id     text        CONSTRAINT pk_person_totp PRIMARY KEY
                CONSTRAINT fk_person_totp_person_id REFERENCES person (id) ON DELETE CASCADE,
            sealed_secret bytea       NOT NULL,
            last_step     bigint      NOT NULL DEFAULT 0,
            confirmed_at  timestamptz,
            created_at    timestamptz NOT NULL
        )
    """)
    op.execute("""
        CREATE TABLE person_recovery_code (
            person_id text  NOT NULL
                CONSTRAINT fk_person_recovery_code_person_id REFERENCES person (id) ON DELETE CASCADE,
            digest    bytea NOT NULL,
            CONSTRAINT pk_person_recovery_code PRIMARY KEY (person_id, digest)
        )
    """)
    op.execute("""
        CREATE TABLE person_passkey (
            id            text        CONSTRAINT pk_person_passkey PRIMARY KEY,
            person_id     text        NOT NULL
                CONSTRAINT fk_person_passkey_person_id REFERENCES person (id) ON DELETE CASCADE,
            credential_id bytea       NOT NULL CONSTRAINT uq_person_passkey_credential_id UNIQUE,
            public_key    bytea       NOT NULL,
            sign_count    bigint      NOT NULL,
            name          text        NOT NULL,
            created_at    timestamptz NOT NULL,
            last_used_at  timestamptz
        );
        CREATE INDEX ix_person_passkey_person_id ON person_passkey (person_id)
    """)


def _claims_and_letters() -> None:
    # An address that somebody says is theirs: of a new account (with its password) or of one that changes its address. Gone
    # once the letter's link is used, or its time is over.
    op.execute("""
        CREATE TABLE address_claim (
            id             text        CONSTRAINT pk_address_claim PRIMARY KEY,
            person_id      text
                CONSTRAINT fk_address_claim_person_id REFERENCES person (id) ON DELETE CASCADE,
            address_index  bytea       NOT NULL,
            sealed_address bytea       NOT NULL,
            password_hash  text,
            language       text        NOT NULL
                CONSTRAINT ck_address_claim_language CHECK (language IN ('en', 'de', 'fr')),
            expires_at     timestamptz NOT NULL,
            CONSTRAINT ck_address_claim_purpose CHECK ((person_id IS NULL) = (password_hash IS NOT NULL))
        );
        CREATE INDEX ix_address_claim_address_index ON address_claim (address_index);
        CREATE INDEX ix_address_claim_person_id ON address_claim (person_id);
        CREATE INDEX ix_address_claim_expires_at ON address_claim (expires_at)
    """)
    # What the API asks for, and the worker decides upon: the API never learns whether an address has an account.
    op.execute("""
        CREATE TABLE person_letter (
            id              text        CONSTRAINT pk_person_letter PRIMARY KEY,
            kind            text        NOT NULL,
            person_id       text
                CONSTRAINT fk_person_letter_person_id REFERENCES person (id) ON DELETE CASCADE,
            claim_id        text,
            address_index   bytea       NOT NULL,
            sealed_address  bytea       NOT NULL,
            language        text        NOT NULL,
            attempts        integer     NOT NULL DEFAULT 0,
            next_attempt_at timestamptz NOT NULL,
            created_at      timestamptz NOT NULL
        );
        CREATE INDEX ix_person_letter_next_attempt_at ON person_letter (next_attempt_at);
        CREATE INDEX ix_person_letter_person_id ON person_letter (person_id)
    """)


def _grants() -> None:
    op.execute("""
        GRANT SELECT, INSERT, UPDATE ON person TO amply_api;
        GRANT SELECT, INSERT, UPDATE, DELETE ON person_device, person_totp, person_recovery_code, person_passkey TO amply_api;
        GRANT SELECT, INSERT, DELETE ON address_claim TO amply_api;
        GRANT INSERT, DELETE, SELECT (id, person_id, address_index) ON person_letter TO amply_api;
        GRANT SELECT ON person, address_claim TO amply_app;
        GRANT SELECT, UPDATE, DELETE ON person_letter TO amply_app;
        GRANT DELETE ON address_claim, person_device TO amply_app;
        GRANT SELECT ON person_device TO amply_app
    """)


def downgrade() -> None:
    op.execute("""
        DROP TABLE person_letter, address_claim, person_passkey, person_recovery_code, person_totp, person_device, person
    """)
