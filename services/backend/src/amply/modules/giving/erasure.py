"""Erases what a donor requested on their page."""

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from amply.infra.vault import indexes
from amply.modules import donations, mail
from amply.modules.giving.models import DocumentRow, LinkRequestRow


def forget(session: Session, *, email_sha256: str | None, donation_id: str | None) -> None:
    """Delete the requests and documents of an address (its digest), or of whoever made a gift.

    Before the gifts are erased, which changes their ids. A link that is still out shows nothing from then on.
    """
    owner = (
        email_sha256
        or donations.owner_of(session, donation_id=donation_id or "")
        or _asked_beside(session, donation_id or "")
    )
    if owner is None:
        return
    session.execute(delete(DocumentRow).where(DocumentRow.email_sha256 == owner))
    # They expire within minutes, so there are few.
    waiting = session.scalars(select(LinkRequestRow)).all()
    theirs = [row.id for row in waiting if mail.address_digest(row.email or "") == owner]
    session.execute(delete(LinkRequestRow).where(LinkRequestRow.id.in_(theirs)))


def _asked_beside(session: Session, donation_id: str) -> str | None:
    """Who asked for documents and made this gift, where it opens for nobody, as in a restored database: by its index."""
    index = donations.index_of(session, donation_id=donation_id)
    if index is None:
        return None
    # They expire within an hour, so there are few.
    asked = session.scalars(select(DocumentRow.email_sha256).distinct())
    return next((each for each in asked if index in indexes(session, each)), None)
