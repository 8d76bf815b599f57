"""Audit records are shown to members and keys alone (ADR 0106), and the worker's role may forget a person.

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


def downgrade() -> None:
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
