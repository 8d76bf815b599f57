"""Whose accounts at the processor we know."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from amply.modules.payments.models import ProcessorAccountRow


@dataclass(frozen=True, kw_only=True)
class KnownAccount:
    """An organisation and its account at the processor."""

    organization_id: str
    account_id: str


def known_accounts(session: Session) -> list[KnownAccount]:
    """All of them, in whatever state, by their ids."""
    rows = session.execute(
        select(ProcessorAccountRow.organization_id, ProcessorAccountRow.account_id).order_by(
            ProcessorAccountRow.account_id
        )
    )
    return [KnownAccount(organization_id=row.organization_id, account_id=row.account_id) for row in rows]


def owner_of_account(session: Session, *, account_id: str) -> str | None:
    """The organisation that has this account; None when nobody of ours has."""
    return session.scalar(
        select(ProcessorAccountRow.organization_id).where(ProcessorAccountRow.account_id == account_id)
    )


def account_of(session: Session, *, organization_id: str) -> str | None:
    """An organisation's account, in whatever state; None when it has none."""
    return session.scalar(
        select(ProcessorAccountRow.account_id).where(ProcessorAccountRow.organization_id == organization_id)
    )
