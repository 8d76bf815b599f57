"""What outside sources hand in: sources, datasets with their columns, and files on their way (ADR 0142)."""

from alembic import op

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None

TABLES = ("ingest_job", "dataset_schema", "dataset", "data_source")
SCOPES = ("organisation:read", "organisation:write", "donations:read", "donations:write", "payouts:read")
NEW_SCOPES = ("data:read", "data:write")


def upgrade() -> None:
    _sources()
    _datasets()
    _jobs()
    _grants()
    _scopes((*SCOPES, *NEW_SCOPES))


def _sources() -> None:
    op.execute("""
        CREATE TABLE data_source (
            id              text        CONSTRAINT pk_data_source PRIMARY KEY
                CONSTRAINT ck_data_source_id CHECK (id ~ '^src_[0-9a-z]{26}$'),
            organization_id text        NOT NULL
                CONSTRAINT fk_data_source_organization_id REFERENCES organization (id),
            title           text        NOT NULL,
            description     text        NOT NULL,
            added_by        text        NOT NULL,
            created_at      timestamptz NOT NULL,
            CONSTRAINT uq_data_source_title UNIQUE (organization_id, title)
        );
        CREATE INDEX ix_data_source_newest ON data_source (organization_id, created_at, id)
    """)


def _datasets() -> None:
    # A dataset's id is its name in the lake: letters, digits and '_', beginning with a letter.
    op.execute("""
        CREATE TABLE dataset (
            id                 text        CONSTRAINT pk_dataset PRIMARY KEY
                CONSTRAINT ck_dataset_id CHECK (id ~ '^dset_[0-9a-z]{26}$'),
            organization_id    text        NOT NULL
                CONSTRAINT fk_dataset_organization_id REFERENCES organization (id),
            source_id          text        NOT NULL CONSTRAINT fk_dataset_source_id REFERENCES data_source (id),
            title              text        NOT NULL,
            kind               text        NOT NULL CONSTRAINT ck_dataset_kind
                CHECK (kind IN ('iot', 'pos', 'crm', 'web', 'erp', 'logs', 'custom')),
            format             text        NOT NULL CONSTRAINT ck_dataset_format
                CHECK (format IN ('jsonl', 'csv', 'parquet', 'json')),
            compression        text        NOT NULL CONSTRAINT ck_dataset_compression
                CHECK (compression IN ('none', 'gzip', 'zstd')),
            policy_id          text        NOT NULL,
            retention_days     integer     NOT NULL
                CONSTRAINT ck_dataset_retention_days CHECK (retention_days BETWEEN 1 AND 730),
            release_every_days integer     NOT NULL
                CONSTRAINT ck_dataset_release_every_days CHECK (release_every_days BETWEEN 1 AND 60),
            schema_version     integer     NOT NULL CONSTRAINT ck_dataset_schema_version CHECK (schema_version > 0),
            is_open            boolean     NOT NULL DEFAULT true,
            version            integer     NOT NULL CONSTRAINT ck_dataset_version CHECK (version > 0),
            told_version       integer     NOT NULL DEFAULT 0
                CONSTRAINT ck_dataset_told_version CHECK (told_version BETWEEN 0 AND version),
            attempts           integer     NOT NULL DEFAULT 0,
            next_attempt_at    timestamptz NOT NULL,
            added_by           text        NOT NULL,
            created_at         timestamptz NOT NULL,
            changed_at         timestamptz NOT NULL,
            CONSTRAINT uq_dataset_title UNIQUE (organization_id, title)
        );
        CREATE INDEX ix_dataset_newest ON dataset (organization_id, created_at, id);
        CREATE INDEX ix_dataset_source_id ON dataset (source_id);
        CREATE INDEX ix_dataset_untold ON dataset (next_attempt_at) WHERE told_version < version
    """)
    # A file is read by the columns that it was handed in under: what they were is not written over.
    op.execute("""
        CREATE TABLE dataset_schema (
            dataset_id      text        NOT NULL CONSTRAINT fk_dataset_schema_dataset_id REFERENCES dataset (id),
            version         integer     NOT NULL,
            organization_id text        NOT NULL
                CONSTRAINT fk_dataset_schema_organization_id REFERENCES organization (id),
            columns         jsonb       NOT NULL
                CONSTRAINT ck_dataset_schema_columns CHECK (jsonb_typeof(columns) = 'array'),
            created_at      timestamptz NOT NULL,
            CONSTRAINT pk_dataset_schema PRIMARY KEY (dataset_id, version)
        );
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON dataset_schema
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """)


def _jobs() -> None:
    # A row comes before its file. What was handed in and what was refused is in the lake's bucket, and never here.
    op.execute("""
        CREATE TABLE ingest_job (
            id               text        CONSTRAINT pk_ingest_job PRIMARY KEY
                CONSTRAINT ck_ingest_job_id CHECK (id ~ '^job_[0-9a-z]{26}$'),
            organization_id  text        NOT NULL
                CONSTRAINT fk_ingest_job_organization_id REFERENCES organization (id),
            dataset_id       text        NOT NULL,
            schema_version   integer     NOT NULL,
            format           text        NOT NULL CONSTRAINT ck_ingest_job_format
                CHECK (format IN ('jsonl', 'csv', 'parquet', 'json')),
            compression      text        NOT NULL CONSTRAINT ck_ingest_job_compression
                CHECK (compression IN ('none', 'gzip', 'zstd')),
            media_type       text        NOT NULL,
            object_key       text        NOT NULL CONSTRAINT uq_ingest_job_object_key UNIQUE,
            object_version   text,
            size_bytes       bigint,
            added_by         text        NOT NULL,
            created_at       timestamptz NOT NULL,
            expires_at       timestamptz NOT NULL,
            received_at      timestamptz,
            removed_at       timestamptz,
            gone_at          timestamptz,
            attempts         integer     NOT NULL DEFAULT 0,
            next_attempt_at  timestamptz NOT NULL,
            rows_read        bigint,
            rows_accepted    bigint,
            rows_quarantined bigint,
            reasons          jsonb       NOT NULL DEFAULT '{}',
            refused          text,
            finished_at      timestamptz,
            CONSTRAINT fk_ingest_job_dataset_schema
                FOREIGN KEY (dataset_id, schema_version) REFERENCES dataset_schema (dataset_id, version),
            CONSTRAINT ck_ingest_job_finished CHECK (
                (finished_at IS NULL OR refused IS NOT NULL OR rows_read IS NOT NULL)
                AND (refused IS NULL OR (finished_at IS NOT NULL AND rows_read IS NULL))
            ),
            CONSTRAINT ck_ingest_job_nothing_is_lost
                CHECK (rows_read IS NOT DISTINCT FROM rows_accepted + rows_quarantined)
        );
        CREATE INDEX ix_ingest_job_newest ON ingest_job (organization_id, created_at, id);
        CREATE INDEX ix_ingest_job_dataset_id ON ingest_job (dataset_id, created_at, id);
        CREATE INDEX ix_ingest_job_due ON ingest_job (next_attempt_at)
            WHERE received_at IS NOT NULL AND finished_at IS NULL AND removed_at IS NULL;
        CREATE INDEX ix_ingest_job_here ON ingest_job (next_attempt_at) WHERE gone_at IS NULL;
        CREATE INDEX ix_ingest_job_gone ON ingest_job (gone_at) WHERE gone_at IS NOT NULL
    """)


def _grants() -> None:
    own = "organization_id = (SELECT acting_organization())"
    for table in TABLES:
        op.execute(f"""
            ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
            CREATE POLICY of_the_acting ON {table} TO amply_api USING ({own}) WITH CHECK ({own});
            CREATE POLICY of_everyone ON {table} TO amply_app USING (true) WITH CHECK (true)
        """)
    op.execute("""
        GRANT SELECT, INSERT ON data_source TO amply_api;
        GRANT SELECT, INSERT, UPDATE (title, retention_days, release_every_days, schema_version, is_open, version, attempts,
            next_attempt_at, changed_at) ON dataset TO amply_api;
        GRANT SELECT, INSERT ON dataset_schema TO amply_api;
        GRANT SELECT, INSERT (id, organization_id, dataset_id, schema_version, format, compression, media_type, object_key,
            added_by, created_at, expires_at, next_attempt_at),
            UPDATE (received_at, size_bytes, object_version, removed_at) ON ingest_job TO amply_api;
        GRANT SELECT, UPDATE (told_version, attempts, next_attempt_at) ON dataset TO amply_app;
        GRANT SELECT ON dataset_schema TO amply_app;
        GRANT SELECT, UPDATE (attempts, next_attempt_at, rows_read, rows_accepted, rows_quarantined, reasons, refused,
            finished_at, gone_at), DELETE ON ingest_job TO amply_app
    """)


def _scopes(scopes: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{scope}'" for scope in scopes)
    op.execute(f"""
        ALTER TABLE api_key DROP CONSTRAINT ck_api_key_scopes;
        ALTER TABLE api_key ADD CONSTRAINT ck_api_key_scopes
            CHECK (scopes <@ ARRAY[{listed}] AND cardinality(scopes) > 0)
    """)


def downgrade() -> None:
    op.execute("DELETE FROM api_key WHERE scopes && ARRAY['data:read', 'data:write']")
    _scopes(SCOPES)
    op.execute(f"DROP TABLE {', '.join(TABLES)}")
