"""Whom we write to about an organisation. Never public: the API cannot read it."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from amply.kernel.errors import InvalidRequest
from amply.modules.organizations import queries
from amply.modules.organizations.models import ContactRow

_ADDRESS: Final = re.compile(r"[^@\s]{1,64}@[^@\s]{3,190}")


class ContactNotAcceptable(InvalidRequest):
    """This is no e-mail address."""

    code = "contact_not_acceptable"


@dataclass(frozen=True, kw_only=True)
class Contact:
    """An address that the organisation's staff read, and the language they read (`en`, `de` or `fr`)."""

    email: str
    language: str


def is_address(text: str) -> bool:
    """Whether this has the form of one e-mail address."""
    return _ADDRESS.fullmatch(text) is not None


def keep_contact(
    session: Session, *, organization_id: str, contact: Contact, now: datetime, replaces: bool = True
) -> None:
    """Write to this address from now on; without `replaces`, only where there is none yet.

    Raises:
        OrganizationNotFound: No organisation has this id.
        ContactNotAcceptable: It is no e-mail address.
    """
    queries.get(session, organization_id=organization_id)
    if not is_address(contact.email):
        raise ContactNotAcceptable("Give one e-mail address that the organisation reads.", param="email")
    said = {"email": contact.email, "language": contact.language, "updated_at": now}
    kept = insert(ContactRow).values(organization_id=organization_id, **said)
    # The values are said again and not taken from the row that was not inserted: who may write it may not read it.
    session.execute(
        kept.on_conflict_do_update(index_elements=["organization_id"], set_=said)
        if replaces
        else kept.on_conflict_do_nothing()
    )


def contact_of(session: Session, *, organization_id: str) -> Contact | None:
    """Whom to write to; None where nobody was named."""
    row = session.get(ContactRow, organization_id, populate_existing=True)
    return Contact(email=row.email, language=row.language) if row is not None else None
