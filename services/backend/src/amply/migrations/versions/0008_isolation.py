"""Row-level security: who is bound to an organisation sees its rows, and who forgot to say which one sees none.

The API is bound by its unit of work (`Database.transaction(organization_id=…)`). The worker books for everyone, the
sequencer orders everyone's entries, and operators look at everything: a policy says so for each of them by name.
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

OF_THE_BOUND = {
    "account": "owner = bound_organization()",
    "account_closure": "starts_with(account, bound_organization() || '/')",
    "balance": "starts_with(account, bound_organization() || '/')",
    "entry": """
        organization_id = bound_organization() OR EXISTS (SELECT FROM transfer WHERE transfer.entry_id = entry.id)
    """,
    "opening": "EXISTS (SELECT FROM entry WHERE entry.id = opening.entry_id)",
    "posting": "EXISTS (SELECT FROM account WHERE account.number = posting.account)",
    "spendable": "starts_with(account, bound_organization() || '/')",
    "transfer": """
        starts_with(debit, bound_organization() || '/') OR starts_with(credit, bound_organization() || '/')
    """,
}
"""Which rows are the bound organisation's: its own chain, and whatever touches an account of its books.

Inside a condition the other tables' policies hold too.
"""


def upgrade() -> None:
    op.execute("""
        CREATE FUNCTION bound_organization() RETURNS text LANGUAGE sql STABLE AS $$
            SELECT nullif(current_setting('amply.organization_id', true), '')
        $$
    """)
    for table, condition in OF_THE_BOUND.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY of_the_bound ON {table} FOR SELECT TO amply_api USING ({condition})")
        op.execute(f"""
            CREATE POLICY of_everyone ON {table} TO amply_app, amply_sequencer, amply_read
            USING (true) WITH CHECK (true)
        """)
    _freshness()
    _grants()


def _freshness() -> None:
    # One moment about everyone's entries, which who is bound to one organisation could not know.
    # Entries without a leaf are looked for where a new leader of the sequencer begins: from the last one taken on.
    # Both parts ask row by row: the planner takes the few leaves above the checkpoint for a third of the log, and a
    # join would read every entry for them.
    op.execute("""
        CREATE FUNCTION oldest_unpublished() RETURNS timestamptz LANGUAGE sql STABLE SECURITY DEFINER
        SET search_path = public, pg_temp AS $$
            WITH last_taken AS (
                SELECT max(entry.xid) AS xid
                FROM (SELECT entry_id FROM leaf ORDER BY idx DESC LIMIT 1) AS last
                JOIN entry ON entry.id = last.entry_id
                WHERE entry.xid < pg_snapshot_xmax(pg_current_snapshot())
            )
            SELECT min(created_at)
            FROM (
                SELECT (SELECT created_at FROM entry WHERE entry.id = leaf.entry_id)
                FROM leaf
                WHERE leaf.idx >= (SELECT coalesce(max(size), 0) FROM checkpoint WHERE published_at IS NOT NULL)
                UNION ALL
                SELECT entry.created_at
                FROM entry
                WHERE entry.xid >= (SELECT coalesce(xid, CAST('0' AS xid8)) FROM last_taken)
                  AND entry.xid < pg_snapshot_xmax(pg_current_snapshot())
                  AND (SELECT true FROM leaf WHERE leaf.entry_id = entry.id) IS NULL
            ) AS unpublished (created_at)
        $$
    """)


def _grants() -> None:
    op.execute("""
        REVOKE EXECUTE ON FUNCTION oldest_unpublished() FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION oldest_unpublished() TO amply_api, amply_app, amply_read
    """)
    # Without a policy of their own these were everyone's; now an organisation's statement can be shown to it.
    op.execute("GRANT SELECT ON account, balance, posting, transfer TO amply_api")
    op.execute("""
        GRANT SELECT (kind, organization_id, event_at, reference, reverses, supersedes, matches, reason)
        ON entry TO amply_api
    """)


def downgrade() -> None:
    op.execute("REVOKE SELECT ON account, balance, posting, transfer FROM amply_api")
    op.execute("""
        REVOKE SELECT (kind, organization_id, event_at, reference, reverses, supersedes, matches, reason)
        ON entry FROM amply_api
    """)
    for table in OF_THE_BOUND:
        op.execute(f"DROP POLICY of_the_bound ON {table}")
        op.execute(f"DROP POLICY of_everyone ON {table}")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    op.execute("DROP FUNCTION oldest_unpublished(), bound_organization()")
