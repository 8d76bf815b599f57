"""A role of their own for the people who administer: what their commands need, and nothing that belongs to a donor.

They type any command into their task, so that what the task signs in as is all that holds them.
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

OF_EVERYONE = ("account", "account_closure", "balance", "entry", "posting", "transfer")
"""Of the tables of revision 0008, those that commands read: a policy names who sees every organisation's rows.

`opening` is not among them: what a commitment hides stays hidden, whatever is granted one day.
"""

READ = (
    *("organization", "processor_account", "provider_event", "ledger_visibility"),
    *(*OF_EVERYONE, "checkpoint", "leaf"),
)


def upgrade() -> None:
    for table in OF_EVERYONE:
        op.execute(
            f"ALTER POLICY of_everyone ON {table} TO amply_app, amply_sequencer, amply_read, amply_operator"
        )
    op.execute(f"GRANT SELECT ON {', '.join(READ)} TO amply_operator")
    # `organization create`, with its account at the processor.
    op.execute("GRANT INSERT ON organization, processor_account TO amply_operator")
    op.execute("GRANT UPDATE (status, updated_at) ON processor_account TO amply_operator")
    # `organization visibility`.
    op.execute("GRANT INSERT, UPDATE ON ledger_visibility TO amply_operator")
    # `books close-account` and `reopen-account`; whether it is settled is looked up by the table's owner.
    op.execute(
        "GRANT INSERT (account, currency, is_closed, reason, decided_at) ON account_closure TO amply_operator"
    )
    # `webhooks replay`: an event's state, never what it says.
    op.execute("""
        GRANT UPDATE (handled_at, outcome, attempts, next_attempt_at) ON provider_event TO amply_operator;
        GRANT INSERT, SELECT (id) ON outbox TO amply_operator
    """)


def downgrade() -> None:
    op.execute("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM amply_operator")
    for table in OF_EVERYONE:
        op.execute(f"ALTER POLICY of_everyone ON {table} TO amply_app, amply_sequencer, amply_read")
