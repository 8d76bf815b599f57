"""Who somebody is at providers that sign them in (ADR 0115)."""

from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _identities()


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


def downgrade() -> None:
    op.execute("DROP TABLE person_identity")
