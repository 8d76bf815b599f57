"""Queries of organisations."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from amply.infra.keyset import Order
from amply.kernel.pagination import Page
from amply.modules.organizations.domain import (
    PUBLIC_STATES,
    Organization,
    OrganizationNotFound,
    OrganizationState,
    ProfileText,
)
from amply.modules.organizations.models import OrganizationRow
from amply.modules.organizations.pictures import pictures_of


class OrganizationSort(StrEnum):
    """How organisations are listed; with `-` the other way round."""

    CREATED = "created_at"
    NEWEST = "-created_at"
    NAME = "name"
    NAME_BACKWARDS = "-name"


_CREATED: Final = (OrganizationRow.created_at, OrganizationRow.id)
_NAMED: Final = (OrganizationRow.name, OrganizationRow.id)
_ORDERS: Final[Mapping[OrganizationSort, Order]] = {
    OrganizationSort.CREATED: Order(name="organisations:created_at", columns=_CREATED),
    OrganizationSort.NEWEST: Order(name="organisations:-created_at", columns=_CREATED, descending=True),
    OrganizationSort.NAME: Order(name="organisations:name", columns=_NAMED),
    OrganizationSort.NAME_BACKWARDS: Order(name="organisations:-name", columns=_NAMED, descending=True),
}


@dataclass(frozen=True, kw_only=True)
class OrganizationFilter:
    """Which organisations are listed; None: whichever."""

    country: str | None = None
    slug: str | None = None


def get(session: Session, *, organization_id: str) -> Organization:
    """One organisation.

    Raises:
        OrganizationNotFound: No organisation has this id.
    """
    row = session.get(OrganizationRow, organization_id)
    if row is None:
        raise OrganizationNotFound(
            "No organisation has this id; check organization_id.", param="organization_id"
        )
    return organization_of(row)


def get_public(session: Session, *, organization_id: str) -> Organization:
    """One publicly visible organisation: verified, or suspended afterwards.

    Raises:
        OrganizationNotFound: There is none of this id, or it only asks to become one.
    """
    found = get(session, organization_id=organization_id)
    if not found.state.is_public:
        raise OrganizationNotFound(
            "No organisation has this id; check organization_id.", param="organization_id"
        )
    return found


def find_by_slug(session: Session, *, slug: str) -> Organization | None:
    """The organisation with this slug, if any."""
    row = session.scalars(select(OrganizationRow).where(OrganizationRow.slug == slug)).one_or_none()
    return organization_of(row) if row else None


def list_public(
    session: Session, *, wanted: OrganizationFilter, sort: OrganizationSort, cursor: str | None, limit: int
) -> Page[Organization]:
    """A page of publicly visible organisations.

    Raises:
        CursorNotAcceptable: The cursor is none of this list in this order.
    """
    statement = select(OrganizationRow).where(OrganizationRow.state.in_(sorted(PUBLIC_STATES)))
    order = _ORDERS[sort]
    if wanted.country is not None:
        statement = statement.where(OrganizationRow.country == wanted.country)
    if wanted.slug is not None:
        statement = statement.where(OrganizationRow.slug == wanted.slug)
    rows = session.scalars(order.page(statement, cursor=cursor, limit=limit)).all()
    return Page(
        items=[organization_of(row) for row in rows[:limit]], next_cursor=order.next_cursor(rows, limit=limit)
    )


def get_many(session: Session, *, organization_ids: Collection[str]) -> Mapping[str, Organization]:
    """These organisations by id; missing ones are left out."""
    rows = session.scalars(select(OrganizationRow).where(OrganizationRow.id.in_(organization_ids)))
    return {row.id: organization_of(row) for row in rows}


def organization_of(row: OrganizationRow) -> Organization:
    return Organization(
        id=row.id,
        slug=row.slug,
        name=row.name,
        country=row.country,
        created_at=row.created_at,
        takes_anonymous_gifts=row.takes_anonymous_gifts,
        return_origins=tuple(row.return_origins),
        state=OrganizationState(row.state),
        website=row.website,
        sdgs=tuple(row.sdgs),
        texts={language: ProfileText(**said) for language, said in sorted(row.texts.items())},
        pictures=pictures_of(row.pictures),
    )
