"""Funds: designations that an organisation offers. A gift is for one fund, or undesignated."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

import psycopg.errors
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from amply.kernel import human_text, ids
from amply.kernel.errors import Conflict, InvalidRequest, NotFound
from amply.modules.organizations.models import FundRow

_NAME_LENGTH_MAX: Final = 100
FUNDS_MAX: Final = 200
"""Funds of an organisation, open and closed: its page lists all at once."""


class FundKind(StrEnum):
    """What people call it; all are restricted in the same way."""

    FUND = "fund"
    PROJECT = "project"
    CAMPAIGN = "campaign"


class FundNotFound(NotFound):
    """The organisation has no fund with this id."""

    code = "fund_not_found"


class FundNotAcceptable(InvalidRequest):
    """A gift cannot be for this fund, or a fund cannot be called so."""

    code = "fund_not_acceptable"


class FundTaken(Conflict):
    """The name stands for another fund, of another kind or closed; or there are as many funds as there may be."""

    code = "fund_taken"


@dataclass(frozen=True, kw_only=True)
class Fund:
    """A designation of gifts, public with its name. `closed_at`: closed to gifts since then."""

    id: str
    organization_id: str
    name: str
    kind: FundKind
    created_at: datetime
    closed_at: datetime | None


def create_fund(session: Session, *, organization_id: str, name: str, kind: FundKind, now: datetime) -> Fund:
    """Create a fund, or return the existing one of this name and kind.

    Raises:
        FundNotAcceptable: The name is unusable.
        FundTaken: The name stands for a fund of another kind, or there are 200.
    """
    named = _name_of(name)
    # Concurrent requests may exceed the limit by one; it only keeps a page short.
    known = funds_of(session, organization_id=organization_id)
    if len(known) >= FUNDS_MAX and all(fund.name != named for fund in known):
        raise FundTaken(f"An organisation has {FUNDS_MAX} funds at most; rename what the next one is for.")
    session.execute(
        insert(FundRow)
        .values(id=ids.new_id("fund"), organization_id=organization_id, name=named, kind=kind, created_at=now)
        .on_conflict_do_nothing(index_elements=["organization_id", "name"])
    )
    row = session.scalars(
        select(FundRow).where(FundRow.organization_id == organization_id, FundRow.name == named)
    ).one()
    if row.kind != kind:
        raise FundTaken(
            f"'{named}' is a {row.kind} of this organisation already; choose another name.", param="name"
        )
    return fund_of(row)


def rename_fund(session: Session, *, organization_id: str, fund_id: str, name: str) -> Fund:
    """Rename a fund that has no gifts yet, enforced by the database (ADR 0086). Lock it first.

    Raises:
        FundNotFound: The organisation has no such fund.
        FundNotAcceptable: The name is unusable.
        FundTaken: Another fund has the name, or gifts were made under the one it has.
    """
    named = _name_of(name)
    try:
        session.execute(
            update(FundRow)
            .where(FundRow.organization_id == organization_id, FundRow.id == fund_id)
            .values(name=named)
            .execution_options(synchronize_session=False)
        )
    except IntegrityError as refused:
        if isinstance(refused.orig, psycopg.errors.UniqueViolation):
            raise FundTaken(
                f"'{named}' is a fund of this organisation already; choose another name.", param="name"
            ) from None
        if isinstance(refused.orig, psycopg.errors.CheckViolation):
            raise FundTaken(
                "Gifts were made for this fund under its name: close it, and create another.", param="name"
            ) from None
        raise
    session.expire_all()
    return find_fund(session, organization_id=organization_id, fund_id=fund_id)


def close_fund(session: Session, *, organization_id: str, fund_id: str, now: datetime) -> Fund:
    """Close a fund to new gifts. Pending ones still arrive; its past stays public.

    Raises:
        FundNotFound: The organisation has no such fund.
    """
    find_fund(session, organization_id=organization_id, fund_id=fund_id)
    session.execute(
        update(FundRow)
        .where(FundRow.id == fund_id, FundRow.closed_at.is_(None))
        .values(closed_at=now)
        .execution_options(synchronize_session=False)
    )
    session.expire_all()
    return find_fund(session, organization_id=organization_id, fund_id=fund_id)


def find_fund(session: Session, *, organization_id: str, fund_id: str) -> Fund:
    """One fund of an organisation, open or closed.

    Raises:
        FundNotFound: The organisation has no such fund.
    """
    row = session.scalars(
        select(FundRow)
        .where(FundRow.organization_id == organization_id, FundRow.id == fund_id)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise FundNotFound(
            "This organisation has no fund with this id; its page lists those it has.", param="fund_id"
        )
    return fund_of(row)


def locked_fund(session: Session, *, organization_id: str, fund_id: str) -> Fund:
    """One fund, locked against changes but not against gifts.

    Raises:
        FundNotFound: The organisation has no such fund.
    """
    session.execute(
        select(FundRow.id)
        .where(FundRow.organization_id == organization_id, FundRow.id == fund_id)
        .with_for_update(key_share=True)
    )
    return find_fund(session, organization_id=organization_id, fund_id=fund_id)


def open_fund(
    session: Session, *, organization_id: str, fund_id: str, given_from: datetime | None = None
) -> Fund:
    """A fund that is open to gifts, or was at `given_from`.

    Raises:
        FundNotAcceptable: It is not the organisation's, or closed; for a gift that came before: closed before that.
    """
    try:
        fund = find_fund(session, organization_id=organization_id, fund_id=fund_id)
    except FundNotFound as missing:
        raise FundNotAcceptable(missing.detail, param="fund_id") from None
    if fund.closed_at is not None and (given_from is None or fund.closed_at <= given_from):
        raise FundNotAcceptable(
            "Nothing is given for this fund any more; choose another one, or none.", param="fund_id"
        )
    return fund


def funds_of(session: Session, *, organization_id: str) -> Sequence[Fund]:
    """All funds of an organisation, oldest first."""
    rows = session.scalars(
        select(FundRow).where(FundRow.organization_id == organization_id).order_by(FundRow.id)
    )
    return [fund_of(row) for row in rows]


def funds_of_many(session: Session, *, organization_ids: Collection[str]) -> Mapping[str, Sequence[Fund]]:
    """All funds of each of these organisations, oldest first."""
    rows = session.scalars(
        select(FundRow).where(FundRow.organization_id.in_(organization_ids)).order_by(FundRow.id)
    )
    found: dict[str, list[Fund]] = {each: [] for each in organization_ids}
    for row in rows:
        found[row.organization_id].append(fund_of(row))
    return found


def fund_names(session: Session, *, fund_ids: Collection[str]) -> Mapping[str, str]:
    """Names of these funds."""
    rows = session.execute(select(FundRow.id, FundRow.name).where(FundRow.id.in_(fund_ids)))
    return {row.id: row.name for row in rows}


def _name_of(text: str) -> str:
    try:
        return human_text.name(text, longest=_NAME_LENGTH_MAX)
    except human_text.TextNotAcceptable as refused:
        raise FundNotAcceptable(refused.sentence("the fund's name"), param="name") from None


def fund_of(row: FundRow) -> Fund:
    """The fund of a row."""
    return Fund(
        id=row.id,
        organization_id=row.organization_id,
        name=row.name,
        kind=FundKind(row.kind),
        created_at=row.created_at,
        closed_at=row.closed_at,
    )
