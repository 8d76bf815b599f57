"""The worker keeps sealed by the newest keys what organisations' own sign-in and directories gave us (ADR 0122),
and its role may forget a person who came by them.
"""

from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

SEALED = {
    "sign_in_connection": ("organization_id", "sealed_secret"),
    "sign_in_grant": ("organization_id, person_id", "sealed_refresh"),
    "scim_resource": ("id", "sealed"),
}
"""By table: the columns of its primary key, and the one that is sealed."""


def upgrade() -> None:
    for table, (named_by, column) in SEALED.items():
        op.execute(f"""
            CREATE INDEX ix_{table}_sealed_by ON {table} (substring({column}, 1, 5)) WHERE {column} IS NOT NULL;
            CREATE POLICY of_everyone ON {table} TO amply_app USING (true) WITH CHECK (true);
            GRANT SELECT ({named_by}, {column}), UPDATE ({column}) ON {table} TO amply_app
        """)
    # Whom an operator's command forgets is forgotten in these, too (0044).
    op.execute("""
        GRANT SELECT (person_id), DELETE ON person_identity TO amply_app;
        GRANT DELETE ON sign_in_grant TO amply_app;
        GRANT EXECUTE ON FUNCTION forget_listed() TO amply_app
    """)


def downgrade() -> None:
    op.execute("""
        REVOKE EXECUTE ON FUNCTION forget_listed() FROM amply_app;
        REVOKE DELETE ON sign_in_grant FROM amply_app;
        REVOKE SELECT (person_id), DELETE ON person_identity FROM amply_app
    """)
    for table, (named_by, column) in SEALED.items():
        op.execute(f"""
            REVOKE SELECT ({named_by}, {column}), UPDATE ({column}) ON {table} FROM amply_app;
            DROP POLICY of_everyone ON {table};
            DROP INDEX ix_{table}_sealed_by
        """)  # noqa: S608 -- put together from this file's own words
