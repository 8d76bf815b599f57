"""Periodic worker tasks for onboarding, in bounded batches. Safe to run twice, concurrently, or after a crash."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

import structlog

from amply.infra.database import Database
from amply.infra.due_rows import MINUTE, work_off
from amply.infra.vault.reencryption import SealedRows, of_records
from amply.kernel.errors import AmplyError
from amply.modules import mail, organizations, payments
from amply.modules.onboarding.account_news import AccountEventDependencies
from amply.modules.onboarding.invitations import InvitationKey
from amply.modules.onboarding.letters import invitation_mail
from amply.modules.onboarding.models import InvitationRow
from amply.modules.receipts import Language

_ACCOUNTS_MAX: Final = 20
_INVITATIONS_MAX: Final = 20
_ATTEMPTS_MAX: Final = 10

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class OnboardingTaskDependencies:
    """Dependencies of the onboarding tasks. `page` is where invited staff begin."""

    database: Database
    processor: payments.Processor
    mailer: mail.Mailer
    key: InvitationKey
    page: str

    @property
    def handling(self) -> AccountEventDependencies:
        """Dependencies of handling account events."""
        return AccountEventDependencies(database=self.database, processor=self.processor)


def look_at_accounts(parts: OnboardingTaskDependencies, *, now: datetime) -> int:
    """Refresh accounts not checked for long; return how many changed.

    Events may be lost, and an account that is out of reach sends none.
    """
    with parts.database.transaction() as session:
        due = payments.accounts_due(session, most=_ACCOUNTS_MAX, now=now)
    changed = 0
    for account_id in due:
        try:
            changed += _look_at(parts, account_id, now=now)
        except (AmplyError, payments.AnswerOutdated) as reason:
            # It counts as checked, so that an account without an answer delays no other.
            _log.warning("account_not_looked_at", account_id=account_id, reason=type(reason).__name__)
            with parts.database.transaction() as session:
                payments.put_account_last(session, account_id=account_id, now=now)
    return changed


def send_invitations(parts: OnboardingTaskDependencies, *, now: datetime) -> int:
    """Open accounts of invited organisations, and send letters; return how many were handed over.

    Killed between the mail service and its note, a letter is sent twice: better than never.
    """
    return work_off(
        parts.database,
        InvitationRow,
        do=partial(_send, parts, now=now),
        most=_INVITATIONS_MAX,
        first_again=2 * MINUTE,
        now=now,
    )


def sealed_rows() -> SealedRows:
    """Rows that key rotation re-encrypts."""
    return of_records(InvitationRow)


def _look_at(parts: OnboardingTaskDependencies, account_id: str, *, now: datetime) -> bool:
    answer = payments.ask_account(parts.database, parts.processor, account_id=account_id)
    if answer is None:
        return False
    with parts.database.transaction() as session:
        return payments.note_account(session, answer=answer, told_gone=False, now=now)


def _send(parts: OnboardingTaskDependencies, invitation: InvitationRow, *, now: datetime) -> int:
    """Open and write; whatever stops this one must not stop the others."""
    is_done, sent = invitation.attempts >= _ATTEMPTS_MAX, 0
    told = {"invitation_id": invitation.id, "organization_id": invitation.organization_id}
    try:
        sent = _invited(parts, invitation, now=now)
        is_done = True
        _log.info("invitation_sent" if sent else "invitation_withheld", **told)
    except payments.CountryNotAdmitted as refusal:
        is_done = True
        _log.warning("invitation_not_sent", **told, reason=refusal.code)
    except Exception:  # noqa: BLE001 -- counted already: it waits its turn and holds back no other
        _log.exception("invitation_not_sent", **told)
    if is_done:
        with parts.database.transaction() as session:
            row = session.get(InvitationRow, invitation.id)
            if row is not None:
                session.delete(row)
    return sent


def _invited(parts: OnboardingTaskDependencies, invitation: InvitationRow, *, now: datetime) -> int:
    """Make sure of an account, and write; 0 where the address takes no letters any more."""
    address = invitation.email or ""
    with parts.database.transaction() as session:
        organization = organizations.get(session, organization_id=invitation.organization_id)
        if mail.suppressed_because(session, address=address) is not None:
            return 0
    account = payments.connect_organization(
        parts.database,
        parts.processor,
        organization=organization,
        email=address,
        confirmed=payments.Confirmation(invitation.confirmed) if invitation.confirmed else None,
        reopens=True,
        now=now,
    )
    if account.status is payments.AccountStatus.PENDING:
        # Some are decided the next moment, and whoever has just been invited waits. An event may have told us meanwhile.
        with suppress(payments.AnswerOutdated):
            _look_at(parts, account.id, now=now)
    token = parts.key.sign(organization_id=organization.id, now=now)
    letter = invitation_mail(
        to=address,
        organization=organization.name,
        language=Language(invitation.language),
        link=f"{parts.page}#{token}",
    )
    parts.mailer.send(mail=letter)
    return 1
