"""An organisation's data sources. Each statement checks the permission."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from amply.infra.keyset import Order
from amply.kernel import human_text, ids
from amply.kernel.pagination import Page
from amply.modules import audit, organizations
from amply.modules.access import Access
from amply.modules.audit import Action
from amply.modules.ingestion.domain import (
    SOURCES_MAX,
    TITLE_LENGTH_MAX,
    IntakeNotYet,
    SourceNotAcceptable,
    SourceNotFound,
    TooManySources,
)
from amply.modules.ingestion.models import SourceRow
from amply.modules.organizations import OrganizationState

_NEWEST: Final = Order(name="sources", columns=(SourceRow.created_at, SourceRow.id), descending=True)


@dataclass(frozen=True, kw_only=True)
class Source:
    """A source of data, such as a till, a website or a program."""

    id: str
    title: str
    description: str
    created_at: datetime


def hold_verified(session: Session, access: Access) -> None:
    """Lock the organisation until the end of the transaction, so that counts stay true.

    Raises:
        OrganizationHidden: The caller may not (any more).
        IntakeNotYet: The organisation is not verified, or not any more.
    """
    organization = organizations.locked(session, organization_id=access.organization_id, access=access)
    if organization.state is not OrganizationState.VERIFIED:
        raise IntakeNotYet("Wait until your organisation is verified, then hand data in.")


def line_of(text: str) -> str:
    """Normalise a title to one line.

    Raises:
        SourceNotAcceptable: It has nothing that can be read.
    """
    try:
        return human_text.name(text, longest=TITLE_LENGTH_MAX)
    except human_text.TextNotAcceptable as refused:
        raise SourceNotAcceptable(refused.sentence("its title"), param="title") from None


def add(session: Session, access: Access, *, title: str, description: str) -> Source:
    """Create a source, or return the one with this title.

    Raises:
        OrganizationHidden: No organisation has this id.
        IntakeNotYet: The organisation is not verified: it hands in nothing yet.
        SourceNotAcceptable: No source can be called so.
        TooManySources: There are fifty.
    """
    hold_verified(session, access)
    line = line_of(title)
    source_id = ids.new_id("src")
    made = session.scalars(
        insert(SourceRow)
        .values(
            id=source_id,
            organization_id=access.organization_id,
            title=line,
            description=human_text.name_as_kept(description),
            added_by=access.person_id or access.key_id or "",
            created_at=access.now,
        )
        .on_conflict_do_nothing(index_elements=["organization_id", "title"])
        .returning(SourceRow.id)
    ).one_or_none()
    if made is not None:
        counted = select(func.count()).where(access.covers(SourceRow.organization_id))
        if session.scalars(counted).one() > SOURCES_MAX:
            raise TooManySources(f"There are {SOURCES_MAX} sources already: use one of them.")
        audit.record_by(session, access, Action.SOURCE_ADDED, source_id)
    row = session.scalars(
        select(SourceRow).where(SourceRow.title == line, access.covers(SourceRow.organization_id))
    ).one()
    return _source(row)


def require(session: Session, access: Access, *, source_id: str) -> None:
    """Raise unless the organisation has this source.

    Raises:
        SourceNotFound: It has not.
    """
    found = select(SourceRow.id).where(SourceRow.id == source_id, access.covers(SourceRow.organization_id))
    if session.scalars(found).one_or_none() is None:
        raise SourceNotFound(
            "There is no such source; ask for the list of those there are.", param="source_id"
        )


def listed(session: Session, access: Access, *, cursor: str | None, limit: int) -> Page[Source]:
    """The organisation's sources, newest first.

    Raises:
        CursorNotAcceptable: The cursor is none of this list.
    """
    chosen = select(SourceRow).where(access.covers(SourceRow.organization_id))
    rows = session.scalars(_NEWEST.page(chosen, cursor=cursor, limit=limit)).all()
    return Page(
        items=[_source(row) for row in rows[:limit]], next_cursor=_NEWEST.next_cursor(rows, limit=limit)
    )


def _source(row: SourceRow) -> Source:
    return Source(id=row.id, title=row.title, description=row.description, created_at=row.created_at)
