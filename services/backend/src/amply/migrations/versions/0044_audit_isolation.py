"""Audit records are shown to members and keys alone (ADR 0106), the worker's role may forget a person, and files are asked for.

That an organisation was named is not enough to see its records. Who cannot delete their account themselves is forgotten by a
command that runs with the worker's role, which has the key for the last letter.
"""

from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DROP POLICY of_the_bound ON audit_record")
    op.execute("""
        CREATE POLICY of_the_acting ON audit_record FOR SELECT TO amply_api
        USING (organization_id = (SELECT acting_organization()))
    """)
    op.execute("""
        GRANT UPDATE (stamp, address_index, sealed_address, password_hash, erased_at) ON person TO amply_app;
        GRANT SELECT (person_id), DELETE ON person_totp, person_recovery_code, person_passkey TO amply_app;
        GRANT INSERT ON person_letter TO amply_app
    """)
    _exports()


def _exports() -> None:
    # What is in a file is not here: the bucket keeps it for a week.
    op.execute("""
        CREATE TABLE organization_export (
            id              text        CONSTRAINT pk_organization_export PRIMARY KEY
                CONSTRAINT ck_organization_export_id CHECK (id ~ '^exp_[0-9a-z]{26}$'),
            organization_id text        NOT NULL
                CONSTRAINT fk_organization_export_organization_id REFERENCES organization (id),
            kind            text        NOT NULL
                CONSTRAINT ck_organization_export_kind CHECK (kind IN ('gifts', 'ledger', 'payouts')),
            format          text        NOT NULL
                CONSTRAINT ck_organization_export_format CHECK (format IN ('csv', 'parquet', 'accounting')),
            since           timestamptz,
            before          timestamptz,
            names_donors    boolean     NOT NULL,
            asked_by        text        NOT NULL,
            state           text        NOT NULL DEFAULT 'waiting'
                CONSTRAINT ck_organization_export_state CHECK (state IN ('waiting', 'ready', 'failed')),
            attempts        integer     NOT NULL DEFAULT 0,
            next_attempt_at timestamptz NOT NULL,
            rows            bigint,
            bytes           bigint,
            sha256          text,
            created_at      timestamptz NOT NULL,
            ready_at        timestamptz,
            expires_at      timestamptz NOT NULL,
            CONSTRAINT ck_organization_export_ready
                CHECK ((state = 'ready') = (ready_at IS NOT NULL AND sha256 IS NOT NULL))
        )
    """)
    own = "organization_id = (SELECT acting_organization())"
    op.execute(f"""
        CREATE INDEX ix_organization_export_newest ON organization_export (organization_id, created_at, id);
        CREATE INDEX ix_organization_export_due ON organization_export (next_attempt_at) WHERE state = 'waiting';
        CREATE INDEX ix_organization_export_expires_at ON organization_export (expires_at);
        ALTER TABLE organization_export ENABLE ROW LEVEL SECURITY;
        CREATE POLICY of_the_acting ON organization_export TO amply_api USING ({own}) WITH CHECK ({own});
        CREATE POLICY of_everyone ON organization_export TO amply_app USING (true) WITH CHECK (true);
        GRANT SELECT, INSERT ON organization_export TO amply_api;
        GRANT SELECT, UPDATE, DELETE ON organization_export TO amply_app;
        GRANT SELECT (id, organization_id, scopes, revoked_at, expires_at) ON api_key TO amply_app;
        CREATE POLICY of_the_worker ON api_key FOR SELECT TO amply_app USING (true)
    """)


def downgrade() -> None:
    op.execute("DROP POLICY of_the_worker ON api_key")
    op.execute(
        "REVOKE SELECT (id, organization_id, scopes, revoked_at, expires_at) ON api_key FROM amply_app"
    )
    op.execute("DROP TABLE organization_export")
    op.execute("""
        REVOKE INSERT ON person_letter FROM amply_app;
        REVOKE SELECT (person_id), DELETE ON person_totp, person_recovery_code, person_passkey FROM amply_app;
        REVOKE UPDATE (stamp, address_index, sealed_address, password_hash, erased_at) ON person FROM amply_app
    """)
    op.execute("DROP POLICY of_the_acting ON audit_record")
    op.execute("""
        CREATE POLICY of_the_bound ON audit_record FOR SELECT TO amply_api
        USING (organization_id = bound_organization())
    """)
