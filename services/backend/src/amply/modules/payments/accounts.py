"""Organisations' accounts at the processor, and their latest known state.

What an event says of an account is a hint: the processor is asked, and its answer counts, unless something else was learned
since it was asked. An account that is out of reach counts as disconnected when an event says so, or after a day: a wrong
key of ours looks the same, and must not send every organisation away.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import and_, bindparam, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.kernel.errors import invariant
from amply.modules import organizations
from amply.modules.organizations import Organization
from amply.modules.payments.countries import Confirmation, require_admitted
from amply.modules.payments.domain import (
    LEFT,
    Account,
    AccountStatus,
    AccountUnreachable,
    AnswerOutdated,
    OrganizationNotReady,
)
from amply.modules.payments.models import FormerAccountRow, ProcessorAccountRow
from amply.modules.payments.ports import Processor
from amply.modules.payments.readiness import Readiness, readiness

UNREACHABLE_FOR: Final = timedelta(days=1)
"""After this time an inaccessible account counts as disconnected, even without an event."""

_LOOKED_AT_EVERY: Final = timedelta(hours=6)
_PENDING_LOOKED_AT_EVERY: Final = timedelta(minutes=5)

_THAT_TAKES_GIFTS: Final = select(ProcessorAccountRow.account_id).where(
    ProcessorAccountRow.organization_id == bindparam("organization_id"),
    ProcessorAccountRow.status == AccountStatus.ACTIVE,
    organizations.state_of(ProcessorAccountRow.organization_id) == organizations.OrganizationState.VERIFIED,
)
"""Composed once, since every gift uses it."""

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class KnownAccount:
    """An organisation and its account at the processor."""

    organization_id: str
    account_id: str


@dataclass(frozen=True, kw_only=True)
class AccountAnswer:
    """The processor's answer about an account; `account` is None if it is out of reach. `looks`: state when asked."""

    account_id: str
    account: Account | None
    looks: int


def connect_organization(
    database: Database,
    processor: Processor,
    *,
    organization: Organization,
    email: str,
    now: datetime,
    confirmed: Confirmation | None = None,
    reopens: bool = False,
) -> Account:
    """Open an organisation's processor account, or refresh its stored state.

    `reopens` opens another one where the organisation has left the present one: it is closed, or we are shut out of it.

    Record, call, record: a crash in between is mended by calling this again, since the processor answers the same
    organisation with the same account.

    Raises:
        CountryNotAdmitted: The processor takes no gifts for organisations of this country.
        AccountUnreachable: The organisation has disconnected us; only it can let us in again.
        ProcessorUnavailable, ProcessorRefused: As the processor's port says.
    """
    with database.transaction() as session:
        known = session.get(ProcessorAccountRow, organization.id)
        former = _count_former(session, organization.id)
    if known is None or (reopens and known.status in LEFT):
        require_admitted(country=organization.country, confirmed=confirmed)
        account = processor.create_account(
            organization_id=organization.id,
            name=organization.name,
            country=organization.country,
            email=email,
            number=former + (known is not None),
        )
    else:
        account = processor.account(account_id=known.account_id)
    with database.transaction() as session:
        _record(session, organization_id=organization.id, account=account, confirmed=confirmed, now=now)
    return account


def ask_account(database: Database, processor: Processor, *, account_id: str) -> AccountAnswer | None:
    """Retrieve an account's state; None if it is no organisation's current account.

    Raises:
        ProcessorUnavailable, ProcessorRefused: As the processor's port says.
    """
    with database.transaction() as session:
        looks = session.scalar(
            select(ProcessorAccountRow.looks).where(ProcessorAccountRow.account_id == account_id)
        )
    if looks is None:
        return None
    try:
        account = processor.account(account_id=account_id)
    except AccountUnreachable:
        account = None
    return AccountAnswer(account_id=account_id, account=account, looks=looks)


def note_account(session: Session, *, answer: AccountAnswer, told_gone: bool, now: datetime) -> bool:
    """Store a retrieved state; return whether it changed. `told_gone`: an event says that access was revoked.

    Raises:
        AnswerOutdated: Something was learned of it since the processor was asked.
    """
    row = session.scalars(
        select(ProcessorAccountRow)
        .where(ProcessorAccountRow.account_id == answer.account_id)
        .with_for_update()
    ).one_or_none()
    if row is None or row.looks != answer.looks:
        raise AnswerOutdated(answer.account_id)
    row.looks, row.checked_at = row.looks + 1, now
    if answer.account is not None:
        row.unreachable_since = None
        return _told(row, answer.account, now=now)
    row.unreachable_since = row.unreachable_since or now
    is_gone = told_gone or now - row.unreachable_since >= UNREACHABLE_FOR
    if not is_gone:
        _log.warning("account_out_of_reach", organization_id=row.organization_id)
        return False
    return _told(row, Account(id=row.account_id, status=AccountStatus.DISCONNECTED), now=now)


def accounts_due(session: Session, *, most: int, now: datetime) -> Sequence[str]:
    """Accounts not checked for hours (minutes while undecided), longest ago first."""
    rows = session.scalars(
        select(ProcessorAccountRow.account_id)
        .where(
            ProcessorAccountRow.status != AccountStatus.CLOSED,
            or_(
                ProcessorAccountRow.checked_at <= now - _LOOKED_AT_EVERY,
                and_(
                    ProcessorAccountRow.status == AccountStatus.PENDING,
                    ProcessorAccountRow.checked_at <= now - _PENDING_LOOKED_AT_EVERY,
                ),
            ),
        )
        .order_by(ProcessorAccountRow.checked_at)
        .limit(most)
    )
    return rows.all()


def put_account_last(session: Session, *, account_id: str, now: datetime) -> None:
    """Move an account that could not be checked to the end of the queue."""
    session.execute(
        update(ProcessorAccountRow)
        .where(ProcessorAccountRow.account_id == account_id)
        .values(checked_at=now)
        .execution_options(synchronize_session=False)
    )


def find_account(session: Session, *, organization_id: str) -> str | None:
    """The account for an organisation's gifts; None if there is none, it is not active, or the organisation is not
    verified.
    """
    return session.scalar(_THAT_TAKES_GIFTS, {"organization_id": organization_id})


def require_account(session: Session, *, organization_id: str) -> str:
    """The account for an organisation's gifts.

    Raises:
        OrganizationNotFound: There is no such organisation.
        OrganizationNotReady: It takes no gifts now; the sentence says what a donor can do.
    """
    account_id = find_account(session, organization_id=organization_id)
    if account_id is not None:
        return account_id
    organizations.get(session, organization_id=organization_id)
    told = readiness_of(session, organization_id=organization_id).for_donors
    raise OrganizationNotReady(told or "Try again in a moment.", param="organization_id")


def readiness_of(session: Session, *, organization_id: str) -> Readiness:
    """Whether an organisation can take gifts by the processor, and why not."""
    row = session.get(ProcessorAccountRow, organization_id, populate_existing=True)
    state = organizations.get(session, organization_id=organization_id).state
    if row is None:
        return readiness(None, None, state)
    return readiness(AccountStatus(row.status), row.reason, state)


def has_left(session: Session, *, organization_id: str, account_id: str) -> bool:
    """Whether this is an organisation's former account, or permanently inaccessible."""
    row = session.get(ProcessorAccountRow, organization_id, populate_existing=True)
    return row is None or row.account_id != account_id or row.status in LEFT


def is_gone(session: Session, *, organization_id: str, account_id: str) -> bool:
    """Whether nobody will be let into this account again: it is closed, or the organisation has another one."""
    row = session.get(ProcessorAccountRow, organization_id, populate_existing=True)
    return row is None or row.account_id != account_id or row.status == AccountStatus.CLOSED


def knows_account(session: Session, *, account_id: str) -> bool:
    """Whether this is or was an account of an organisation of ours."""
    return owner_of_account(session, account_id=account_id) is not None


def known_accounts(session: Session) -> list[KnownAccount]:
    """Current accounts by id, without former and inaccessible ones."""
    rows = session.execute(
        select(ProcessorAccountRow.organization_id, ProcessorAccountRow.account_id)
        .where(ProcessorAccountRow.status.not_in(LEFT))
        .order_by(ProcessorAccountRow.account_id)
    )
    return [KnownAccount(organization_id=row.organization_id, account_id=row.account_id) for row in rows]


def owner_of_account(session: Session, *, account_id: str) -> str | None:
    """The organisation that has or had this account, or None."""
    present = select(ProcessorAccountRow.organization_id).where(ProcessorAccountRow.account_id == account_id)
    former = select(FormerAccountRow.organization_id).where(FormerAccountRow.account_id == account_id)
    return session.scalar(present) or session.scalar(former)


def account_of(session: Session, *, organization_id: str) -> str | None:
    """An organisation's account in any state, or None."""
    return session.scalar(
        select(ProcessorAccountRow.account_id).where(ProcessorAccountRow.organization_id == organization_id)
    )


def _count_former(session: Session, organization_id: str) -> int:
    former = select(func.count()).where(FormerAccountRow.organization_id == organization_id)
    return session.scalars(former).one()


def _record(
    session: Session,
    *,
    organization_id: str,
    account: Account,
    confirmed: Confirmation | None,
    now: datetime,
) -> None:
    """Write down an account that was opened or looked at; one that it replaces is remembered."""
    made = session.scalar(
        insert(ProcessorAccountRow)
        .values(
            organization_id=organization_id,
            account_id=account.id,
            status=account.status,
            reason=account.reason,
            confirmed=confirmed,
            looks=1,
            checked_at=now,
            updated_at=now,
        )
        .on_conflict_do_nothing()
        .returning(ProcessorAccountRow.organization_id)
    )
    if made is not None:
        return
    row = session.get_one(ProcessorAccountRow, organization_id, with_for_update=True, populate_existing=True)
    row.looks, row.checked_at, row.unreachable_since = row.looks + 1, now, None
    if row.account_id != account.id:
        invariant(row.status in LEFT, "only an account that was left has another in its place")
        former = FormerAccountRow(account_id=row.account_id, organization_id=organization_id, replaced_at=now)
        session.add(former)
        row.account_id, row.confirmed = account.id, confirmed
    _follow(row, account, now=now)


def _told(row: ProcessorAccountRow, account: Account, *, now: datetime) -> bool:
    """Follow, and log it. Commands print what they learn, and their output is read by programs."""
    before = row.status
    changed = _follow(row, account, now=now)
    if changed:
        _log.info(
            "account_changed",
            organization_id=row.organization_id,
            before=before,
            after=account.status,
            reason=account.reason,
        )
    return changed


def _follow(row: ProcessorAccountRow, account: Account, *, now: datetime) -> bool:
    if (row.status, row.reason) == (account.status, account.reason):
        return False
    row.status, row.reason, row.updated_at = account.status, account.reason, now
    return True
