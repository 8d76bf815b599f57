"""Organisations say themselves how they issue receipts, and what their ledger's pages show (ADR 0160).

The API may not change a legal name or a registration number that stands there: a number, and the name beside it, are what staff verified. Both tables get
row-level security, so that it changes what is the acting organisation's alone.
"""

from alembic import op

revision = "0065"
down_revision = "0064"
branch_labels = None
depends_on = None

_OWN = "organization_id = (SELECT acting_organization())"


def upgrade() -> None:
    op.execute("""
        REVOKE SELECT (organization_id, time_zone, fiscal_year_starts) ON receipt_settings FROM amply_api;
        GRANT SELECT, INSERT ON receipt_settings TO amply_api;
        GRANT UPDATE (
            jurisdiction, address, place, signatory, language, time_zone, fiscal_year_starts, brand_colour, updated_at
        ) ON receipt_settings TO amply_api;
        GRANT INSERT, UPDATE ON ledger_visibility TO amply_api
    """)
    # Time zones and fiscal years are read for donors, whoever they gave to; what pages show is anybody's to read.
    for table, begun in (
        ("receipt_settings", f"{_OWN} AND registration_number = ''"),
        ("ledger_visibility", _OWN),
    ):
        op.execute(f"""
            ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
            CREATE POLICY of_anybody ON {table} FOR SELECT TO amply_api USING (true);
            CREATE POLICY by_the_acting ON {table} FOR INSERT TO amply_api WITH CHECK ({begun});
            CREATE POLICY of_the_acting ON {table} FOR UPDATE TO amply_api USING ({_OWN}) WITH CHECK ({_OWN});
            CREATE POLICY of_everyone ON {table} TO amply_app, amply_operator, amply_read USING (true) WITH CHECK (true)
        """)


def downgrade() -> None:
    for table in ("ledger_visibility", "receipt_settings"):
        for policy in ("of_everyone", "of_the_acting", "by_the_acting", "of_anybody"):
            op.execute(f"DROP POLICY {policy} ON {table}")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    op.execute("""
        REVOKE INSERT, UPDATE ON ledger_visibility FROM amply_api;
        REVOKE SELECT, INSERT ON receipt_settings FROM amply_api;
        REVOKE UPDATE (
            jurisdiction, address, place, signatory, language, time_zone, fiscal_year_starts, brand_colour, updated_at
        ) ON receipt_settings FROM amply_api;
        GRANT SELECT (organization_id, time_zone, fiscal_year_starts) ON receipt_settings TO amply_api
    """)
