"""Contact addresses of an organisation, for our letters. Never public: the API's role cannot read them."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from amply.infra.vault.reencryption import SealedRows, of_records
from amply.kernel.errors import InvalidRequest
from amply.modules.organizations import queries
from amply.modules.organizations.models import ContactRow

_ADDRESS: Final = re.compile(r"[^@\s]{1,64}@[^@\s]{3,190}")


class ContactNotAcceptable(InvalidRequest):
    """This is no e-mail address."""

    code = "contact_not_acceptable"


@dataclass(frozen=True, kw_only=True)
class Contact:
    """An e-mail address of the organisation's staff, and their language (`en`, `de` or `fr`)."""

    email: str
    language: str


def is_address(text: str) -> bool:
    """Whether this has the form of one e-mail address."""
    return _ADDRESS.fullmatch(text) is not None


def keep_contact(
    session: Session, *, organization_id: str, contact: Contact, now: datetime, replaces: bool = True
) -> None:
    """Store the contact; without `replaces` only if there is none.

    Raises:
        OrganizationNotFound: No organisation has this id.
        ContactNotAcceptable: It is no e-mail address.
    """
    queries.get(session, organization_id=organization_id)
    if not is_address(contact.email):
        raise ContactNotAcceptable("Give one e-mail address that the organisation reads.", param="email")
    held = address_at_rest(session, organization_id=organization_id, email=contact.email)
    said = {"language": contact.language, "updated_at": now}
    kept = insert(ContactRow).values(
        organization_id=organization_id, plain_email=held["email"], sealed=held["sealed"], **said
    )
    # The values are said again and not taken from the row that was not inserted: who may write it may not read it.
    session.execute(
        kept.on_conflict_do_update(index_elements=["organization_id"], set_={**held, **said})
        if replaces
        else kept.on_conflict_do_nothing()
    )


def contact_of(session: Session, *, organization_id: str) -> Contact | None:
    """The contact, or None."""
    row = session.get(ContactRow, organization_id, populate_existing=True)
    return Contact(email=row.email or "", language=row.language) if row is not None else None


def address_at_rest(session: Session, *, organization_id: str, email: str) -> dict[str, Any]:
    """Encrypted column values of a contact with this address.

    Raises:
        KeyNotAtHand: The key service was away when this process began.
    """
    held = ContactRow.fields.at_rest(session, row_id=organization_id, fields={"email": email})
    return {"email": held["plain_email"], "sealed": held["sealed"]}


def sealed_rows() -> SealedRows:
    """Rows that key rotation re-encrypts."""
    return of_records(ContactRow)
