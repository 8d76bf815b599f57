"""Worker tasks of federated sign-in: re-verify domains, re-encrypt client secrets. Safe to run concurrently."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.infra.vault.reencryption import SealedRows
from amply.modules import audit, people
from amply.modules.audit import Action
from amply.modules.federation import connections, federated_sign_in
from amply.modules.federation.domain import MISSED_AGAIN, MISSES_MAX
from amply.modules.federation.domains import domain_of_row, is_shown, next_check
from amply.modules.federation.models import DomainRow
from amply.modules.federation.ports import DomainRecords, RecordsAway

_BATCH_MAX: Final = 50

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class DomainCheckDependencies:
    """Dependencies of domain checks."""

    database: Database
    records: DomainRecords


def sealed_rows(key: people.PeopleKey) -> SealedRows:
    """Client secrets and refresh tokens, which key rotation re-encrypts."""
    return people.sealed_columns_of(key, "federation", columns=(connections.SEALED, federated_sign_in.SEALED))


def check_domains(parts: DomainCheckDependencies, *, now: datetime) -> int:
    """Re-verify due domains; return how many were removed.

    One whose record is missing three times in a row is taken away. A DNS that does not answer says nothing.
    """
    lost = 0
    for _ in range(_BATCH_MAX):
        claimed = _claim(parts.database, now=now)
        if claimed is None:
            break
        lost += _look(parts, claimed, now=now)
    return lost


def _claim(database: Database, *, now: datetime) -> DomainRow | None:
    """The next one, put off before it is looked at: one that stops us does not stop the others."""
    with database.transaction() as session:
        row = session.scalars(
            select(DomainRow)
            .where(DomainRow.next_check_at <= now, DomainRow.verified_at.is_not(None))
            .order_by(DomainRow.next_check_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        ).one_or_none()
        if row is not None:
            row.next_check_at = now + MISSED_AGAIN
        return row


def _look(parts: DomainCheckDependencies, claimed: DomainRow, *, now: datetime) -> int:
    try:
        is_there = is_shown(parts.records, domain_of_row(claimed))
    except RecordsAway:
        _log.warning("domain_not_looked_at", organization_id=claimed.organization_id)
        return 0
    with parts.database.transaction() as session:
        row = session.get(DomainRow, (claimed.organization_id, claimed.domain), with_for_update=True)
        if row is None or row.verified_at is None or row.token != claimed.token:
            return 0
        row.checked_at = now
        if is_there:
            row.misses, row.next_check_at = 0, next_check(now)
            return 0
        row.misses += 1
        if row.misses < MISSES_MAX:
            return 0
        row.verified_at = row.next_check_at = None
        _record(session, row, now=now)
    _log.warning("domain_taken_away", organization_id=claimed.organization_id)
    return 1


def _record(session: Session, row: DomainRow, *, now: datetime) -> None:
    deed = audit.AuditedAction(
        actor=audit.Actor(kind=audit.ActorKind.SYSTEM, id="domain-check"),
        action=Action.SIGN_IN_DOMAIN_LOST,
        targets=(row.domain,),
        organization_id=row.organization_id,
    )
    audit.record(session, deed, now=now)
