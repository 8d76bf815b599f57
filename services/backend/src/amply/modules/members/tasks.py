"""Periodic worker tasks for members, in bounded batches. Safe to run twice, concurrently, or after a crash."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import delete
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.infra.due_rows import work_off
from amply.infra.vault.reencryption import SealedRows, of_records
from amply.modules import mail, organizations
from amply.modules.access import Role
from amply.modules.members.domain import ATTEMPTS_MAX
from amply.modules.members.invitations import JoinKey
from amply.modules.members.letters import invitation_mail
from amply.modules.members.models import InvitationRow
from amply.modules.receipts import Language

_LETTERS_MAX: Final = 20
_FIRST_AGAIN: Final = timedelta(minutes=2)

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class InvitationDependencies:
    """Dependencies of sending invitations. `page` is where invited people begin."""

    database: Database
    mailer: mail.Mailer
    key: JoinKey
    page: str


def send_invitations(parts: InvitationDependencies, *, now: datetime) -> int:
    """Send invitation letters, and erase expired invitations; return how many letters were handed over.

    Killed between the mail service and its note, a letter is sent twice: better than never.
    """
    with parts.database.transaction() as session:
        session.execute(delete(InvitationRow).where(InvitationRow.expires_at <= now))
    return work_off(
        parts.database,
        InvitationRow,
        InvitationRow.attempts < ATTEMPTS_MAX,
        do=lambda invitation: _send(parts, invitation, now=now),
        most=_LETTERS_MAX,
        now=now,
        first_again=_FIRST_AGAIN,
    )


def sealed_rows() -> SealedRows:
    """Rows that key rotation re-encrypts."""
    return of_records(InvitationRow)


def _send(parts: InvitationDependencies, invitation: InvitationRow, *, now: datetime) -> int:
    """Write one letter; whatever stops it must not stop the others."""
    told = {"invitation_id": invitation.id, "organization_id": invitation.organization_id}
    try:
        with parts.database.transaction() as session:
            letter = _letter(session, parts, invitation)
        if letter is not None:
            parts.mailer.send(mail=letter)
        with parts.database.transaction() as session:
            row = session.get(InvitationRow, invitation.id)
            if row is not None:
                row.next_attempt_at = None
                row.sent_at = None if letter is None else now
    except Exception:  # noqa: BLE001 -- counted already: it waits its turn and holds back no other
        _log.exception("member_invitation_not_sent", **told)
        return 0
    _log.info("member_invitation_sent" if letter else "member_invitation_withheld", **told)
    return int(letter is not None)


def _letter(session: Session, parts: InvitationDependencies, invitation: InvitationRow) -> mail.Mail | None:
    """None where the address takes no letters any more."""
    address = invitation.email or ""
    if mail.suppressed_because(session, address=address) is not None:
        return None
    organization = organizations.get(session, organization_id=invitation.organization_id)
    token = parts.key.sign(invitation_id=invitation.id, created_at=invitation.created_at)
    return invitation_mail(
        to=address,
        organization=organization.name,
        role=Role(invitation.role),
        language=Language(invitation.language),
        link=f"{parts.page}#{token}",
    )
