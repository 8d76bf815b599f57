"""Whoever holds the letter of an invitation sees what it is for, and may decline it (ADR 0113)."""

from alembic import op

revision = "0041"
down_revision = "0035"
branch_labels = None
depends_on = None

# As `join_by_invitation` has it: over, or by somebody who may not give that role any more, is none.
WAITS = """
    invitation.id = asked AND invitation.expires_at > asked_at
    AND (invitation.invited_by IS NULL OR EXISTS (
        SELECT FROM member
        WHERE member.organization_id = invitation.organization_id
            AND member.person_id = invitation.invited_by
            AND role_rank(member.role) >= greatest(role_rank(invitation.role), 1)
    ))
"""


def upgrade() -> None:
    # The API sees invitations of the organisation that acts alone. Who holds a letter acts for none, and names one by its id,
    # which is signed.
    op.execute(f"""
        CREATE FUNCTION waiting_invitation(asked text, asked_at timestamptz) RETURNS SETOF member_invitation
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
            SELECT invitation.* FROM member_invitation AS invitation WHERE {WAITS}
        $$
    """)
    op.execute("""
        CREATE FUNCTION decline_invitation(asked text, asked_at timestamptz) RETURNS text
        LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
            DELETE FROM member_invitation WHERE id = asked AND expires_at > asked_at RETURNING organization_id
        $$
    """)
    op.execute("""
        REVOKE ALL ON FUNCTION waiting_invitation(text, timestamptz), decline_invitation(text, timestamptz) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION waiting_invitation(text, timestamptz), decline_invitation(text, timestamptz) TO amply_api
    """)


def downgrade() -> None:
    op.execute("DROP FUNCTION waiting_invitation(text, timestamptz), decline_invitation(text, timestamptz)")
