"""Who was forgotten is noted outside the database (ADR 0123), filters of payouts have indexes of their own (ADR 0124), and
directories are searched by the database (ADR 0131).
"""

from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None

ADDED = {
    "ix_payout_status": "payout (owner, status, created_at, id)",
    "ix_payout_currency": "payout (owner, currency, created_at, id)",
}


def upgrade() -> None:
    # First what is repeated without harm where this is cut off: payouts go on being written meanwhile.
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '5min'")
        op.execute("SET statement_timeout = '2h'")
        for name, rows in ADDED.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {rows}")
        op.execute("SET lock_timeout = '5s'")
        op.execute("SET statement_timeout = '10min'")
    # Empty for those who were forgotten before, too: the worker notes them.
    op.execute("""
        ALTER TABLE person ADD COLUMN erasure_noted_at timestamptz;
        CREATE INDEX ix_person_erasure_not_noted ON person (erased_at)
            WHERE erased_at IS NOT NULL AND erasure_noted_at IS NULL;
        GRANT UPDATE (erasure_noted_at) ON person TO amply_app
    """)
    _directories()
    _listed()


def _directories() -> None:
    own = "organization_id = (SELECT acting_organization())"
    op.execute(f"""
        ALTER TABLE scim_resource ADD COLUMN active boolean, ADD COLUMN is_indexed boolean NOT NULL DEFAULT false;
        CREATE INDEX ix_scim_resource_kind ON scim_resource (organization_id, kind, id);
        CREATE INDEX ix_scim_resource_address ON scim_resource (organization_id, address_index);
        CREATE INDEX ix_scim_resource_not_indexed ON scim_resource (organization_id) WHERE NOT is_indexed;
        DROP INDEX ix_scim_resource_organization_id;
        CREATE TABLE scim_value (
            organization_id text        NOT NULL
                CONSTRAINT fk_scim_value_organization_id REFERENCES organization (id),
            digest          bytea       NOT NULL CONSTRAINT ck_scim_value_digest CHECK (length(digest) = 16),
            resource_id     text        NOT NULL
                CONSTRAINT fk_scim_value_resource_id REFERENCES scim_resource (id) ON DELETE CASCADE,
            CONSTRAINT pk_scim_value PRIMARY KEY (organization_id, digest, resource_id)
        );
        CREATE INDEX ix_scim_value_resource_id ON scim_value (resource_id, digest);
        ALTER TABLE scim_value ENABLE ROW LEVEL SECURITY;
        CREATE POLICY of_the_acting ON scim_value TO amply_api USING ({own}) WITH CHECK ({own});
        GRANT SELECT, INSERT, DELETE ON scim_value TO amply_api
    """)
    # The release before this one writes `sealed` and `address_index` alone: what it wrote is to be indexed again.
    op.execute("""
        CREATE FUNCTION scim_resource_unindexed() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.is_indexed := false;
            RETURN NEW;
        END $$;
        CREATE TRIGGER written_by_an_earlier_release BEFORE UPDATE OF address_index ON scim_resource
            FOR EACH ROW WHEN (current_setting('amply.scim_digests', true) IS DISTINCT FROM 'kept')
            EXECUTE FUNCTION scim_resource_unindexed()
    """)


def _listed() -> None:
    # For whoever comes by the organisation's provider, as `listed_by` was (0036), which the release before this one still asks.
    came = "EXISTS (SELECT FROM person_identity WHERE person_id = bound_person() AND provider = asked)"
    op.execute(f"""
        CREATE FUNCTION listed_as(asked text, found_by bytea) RETURNS TABLE (id text, person_id text, active boolean)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
            SELECT id, person_id, active FROM scim_resource
            WHERE organization_id = asked AND kind = 'User' AND {came}
                AND (person_id = bound_person() OR (person_id IS NULL AND address_index = found_by))
            ORDER BY person_id IS NULL, id
            LIMIT 1
        $$;
        CREATE FUNCTION groups_listed(asked text, user_digest bytea, names bytea[]) RETURNS TABLE (digest bytea)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
            SELECT named.digest
            FROM scim_value named
            JOIN scim_value of_user
                ON (of_user.organization_id, of_user.resource_id) = (named.organization_id, named.resource_id)
            WHERE named.organization_id = asked AND named.digest = ANY(names) AND of_user.digest = user_digest AND {came}
                AND EXISTS (SELECT FROM scim_resource WHERE id = named.resource_id AND is_indexed)
        $$;
        CREATE FUNCTION listed_without_digests(asked text) RETURNS SETOF scim_resource
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
            SELECT * FROM scim_resource WHERE organization_id = asked AND NOT is_indexed AND {came}
        $$;
        REVOKE ALL ON FUNCTION listed_as(text, bytea), groups_listed(text, bytea, bytea[]), listed_without_digests(text)
            FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION listed_as(text, bytea), groups_listed(text, bytea, bytea[]), listed_without_digests(text)
            TO amply_api
    """)  # noqa: S608 -- put together from this file's own words


def downgrade() -> None:
    op.execute("""
        DROP FUNCTION listed_as(text, bytea), groups_listed(text, bytea, bytea[]), listed_without_digests(text);
        DROP TRIGGER written_by_an_earlier_release ON scim_resource;
        DROP FUNCTION scim_resource_unindexed();
        DROP TABLE scim_value;
        CREATE INDEX ix_scim_resource_organization_id ON scim_resource (organization_id);
        DROP INDEX ix_scim_resource_kind, ix_scim_resource_address, ix_scim_resource_not_indexed;
        ALTER TABLE scim_resource DROP COLUMN active, DROP COLUMN is_indexed
    """)
    op.execute("ALTER TABLE person DROP COLUMN erasure_noted_at")
    with op.get_context().autocommit_block():
        for name in ADDED:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
