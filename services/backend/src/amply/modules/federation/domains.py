"""Domains of an organisation: claimed, verified by a DNS record, checked again, and removed when the record is gone."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from amply.modules import audit
from amply.modules.access import Access
from amply.modules.audit import Action
from amply.modules.federation.domain import (
    CHECKED_EVERY,
    DOMAINS_MAX,
    Domain,
    DomainNotFound,
    DomainNotShown,
    DomainTaken,
    RecordsUnavailable,
    TooManyDomains,
)
from amply.modules.federation.models import DomainRow
from amply.modules.federation.ports import DomainRecords, RecordsAway

_TOKEN_BYTES: Final = 24


def domains_of(session: Session, access: Access) -> Sequence[Domain]:
    """All domains, by name."""
    rows = session.scalars(
        select(DomainRow).where(access.covers(DomainRow.organization_id)).order_by(DomainRow.domain)
    )
    return [_domain(row) for row in rows]


def claim(session: Session, access: Access, *, domain: str) -> Domain:
    """Claim a domain; returns the DNS record to create. Idempotent.

    Raises:
        TooManyDomains: There are twenty.
    """
    if len(domains_of(session, access)) >= DOMAINS_MAX:
        raise TooManyDomains("Take a domain away before you add another one.")
    made = session.scalars(
        insert(DomainRow)
        .values(
            organization_id=access.organization_id,
            domain=domain,
            token=secrets.token_hex(_TOKEN_BYTES),
            misses=0,
        )
        .on_conflict_do_nothing()
        .returning(DomainRow.domain)
    ).one_or_none()
    if made is not None:
        audit.record_by(session, access, Action.SIGN_IN_DOMAIN_CLAIMED, domain)
    return _find(session, access, domain)


def look(access: Access, records: DomainRecords, *, domain: str) -> Domain:
    """Verify a domain by DNS, outside any transaction.

    Raises:
        DomainNotFound: They have not asked for it.
        DomainNotShown: The record is not there, or not yet.
        DomainTaken: Another organisation has shown that it is theirs.
        RecordsUnavailable: The DNS does not answer.
    """
    with access.transaction() as session:
        asked = _find(session, access, domain)
    try:
        is_there = asked.record_text in records.texts(asked.record_name)
    except RecordsAway as away:
        raise RecordsUnavailable("The DNS does not answer just now: try again in a few minutes.") from away
    if not is_there:
        raise DomainNotShown(
            f"Put the record {asked.record_name} into your DNS first; it may take an hour to be seen."
        )
    try:
        with access.transaction() as session:
            return _shown(session, access, asked)
    except IntegrityError as taken:
        raise DomainTaken(
            "Ask us for help: another organisation has shown that this domain is theirs."
        ) from taken


def give_up(session: Session, access: Access, *, domain: str) -> None:
    """Remove a domain: its people can no longer sign in through the organisation's provider.

    Raises:
        DomainNotFound: They have not asked for it.
    """
    gone = session.scalars(
        delete(DomainRow)
        .where(DomainRow.domain == domain, access.covers(DomainRow.organization_id))
        .returning(DomainRow.domain)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if gone is None:
        raise DomainNotFound("Your organisation has asked for no such domain; look at the list.")
    audit.record_by(session, access, Action.SIGN_IN_DOMAIN_REMOVED, domain)


def is_shown(records: DomainRecords, domain: Domain) -> bool:
    """Whether the DNS record exists now.

    Raises:
        RecordsAway: It cannot be said.
    """
    return domain.record_text in records.texts(domain.record_name)


def domain_of_row(row: DomainRow) -> Domain:
    """The domain a row holds."""
    return _domain(row)


def next_check(now: datetime) -> datetime:
    """When a verified domain is checked again."""
    return now + CHECKED_EVERY


def _shown(session: Session, access: Access, asked: Domain) -> Domain:
    session.execute(
        update(DomainRow)
        .where(DomainRow.domain == asked.domain, access.covers(DomainRow.organization_id))
        .values(
            verified_at=asked.verified_at or access.now,
            checked_at=access.now,
            next_check_at=next_check(access.now),
            misses=0,
        )
        .execution_options(synchronize_session=False)
    )
    if asked.verified_at is None:
        audit.record_by(session, access, Action.SIGN_IN_DOMAIN_SHOWN, asked.domain)
    session.expire_all()
    return _find(session, access, asked.domain)


def _find(session: Session, access: Access, domain: str) -> Domain:
    row = session.scalars(
        select(DomainRow).where(DomainRow.domain == domain, access.covers(DomainRow.organization_id))
    ).one_or_none()
    if row is None:
        raise DomainNotFound("Your organisation has asked for no such domain; look at the list.")
    return _domain(row)


def _domain(row: DomainRow) -> Domain:
    return Domain(domain=row.domain, token=row.token, verified_at=row.verified_at, checked_at=row.checked_at)
