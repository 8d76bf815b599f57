"""Logos and banners of organisations: what was uploaded and what became of it, and what is shown (ADR 0130)."""

from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # What is shown stands in the organisation's own row: whoever reads that needs no other statement.
    op.execute("""
        ALTER TABLE organization ADD COLUMN pictures jsonb NOT NULL DEFAULT '{}'
            CONSTRAINT ck_organization_pictures CHECK (jsonb_typeof(pictures) = 'object')
    """)
    # A row comes before its upload, and goes when none came; what is removed leaves the row and no bytes.
    op.execute("""
        CREATE TABLE organization_image (
            id              text        CONSTRAINT pk_organization_image PRIMARY KEY
                CONSTRAINT ck_organization_image_id CHECK (id ~ '^img_[0-9a-z]{26}$'),
            organization_id text        NOT NULL
                CONSTRAINT fk_organization_image_organization_id REFERENCES organization (id),
            kind            text        NOT NULL
                CONSTRAINT ck_organization_image_kind CHECK (kind IN ('logo', 'banner')),
            media_type      text        NOT NULL,
            object_key      text        NOT NULL CONSTRAINT uq_organization_image_object_key UNIQUE,
            object_version  text,
            alt             jsonb       NOT NULL
                CONSTRAINT ck_organization_image_alt CHECK (alt ?& ARRAY['en', 'de', 'fr']),
            added_by        text        NOT NULL,
            created_at      timestamptz NOT NULL,
            expires_at      timestamptz NOT NULL,
            received_at     timestamptz,
            size_bytes      integer     CONSTRAINT ck_organization_image_size CHECK (size_bytes BETWEEN 1 AND 5242880),
            made_at         timestamptz,
            refused         text        CONSTRAINT ck_organization_image_refused
                CHECK (refused IN ('unreadable', 'too_large', 'too_small', 'gone', 'not_made')),
            removed_at      timestamptz,
            gone_at         timestamptz,
            attempts        integer     NOT NULL DEFAULT 0,
            next_attempt_at timestamptz NOT NULL,
            CONSTRAINT ck_organization_image_outcome CHECK (made_at IS NULL OR refused IS NULL)
        )
    """)
    op.execute("""
        CREATE INDEX ix_organization_image_organization_id ON organization_image (organization_id, id);
        CREATE INDEX ix_organization_image_due ON organization_image (next_attempt_at)
            WHERE received_at IS NOT NULL AND made_at IS NULL AND refused IS NULL AND removed_at IS NULL;
        CREATE INDEX ix_organization_image_awaited ON organization_image (expires_at) WHERE received_at IS NULL;
        CREATE INDEX ix_organization_image_removed ON organization_image (removed_at)
            WHERE removed_at IS NOT NULL AND gone_at IS NULL
    """)
    own = "organization_id = (SELECT acting_organization())"
    op.execute(f"""
        ALTER TABLE organization_image ENABLE ROW LEVEL SECURITY;
        CREATE POLICY of_the_acting ON organization_image TO amply_api USING ({own}) WITH CHECK ({own});
        CREATE POLICY of_everyone ON organization_image TO amply_app USING (true) WITH CHECK (true);
        GRANT UPDATE (pictures) ON organization TO amply_api, amply_app;
        GRANT SELECT, INSERT (id, organization_id, kind, media_type, object_key, alt, added_by, created_at, expires_at,
            next_attempt_at), UPDATE (received_at, size_bytes, object_version, removed_at) ON organization_image TO amply_api;
        GRANT SELECT, UPDATE (attempts, next_attempt_at, made_at, refused, removed_at, gone_at), DELETE
            ON organization_image TO amply_app
    """)


def downgrade() -> None:
    op.execute("""
        DROP TABLE organization_image;
        REVOKE UPDATE (pictures) ON organization FROM amply_api, amply_app;
        ALTER TABLE organization DROP COLUMN pictures
    """)
