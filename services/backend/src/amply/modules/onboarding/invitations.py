"""Invitations to onboarding: a letter to an organisation's staff, with a link that is valid for a week.

The link is signed (`infra.signed_links`), and stands in the letter alone. The processor's own link, good for one visit, is made
when somebody asks for it, and stands in that answer alone.
"""

from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from amply.infra import outbox
from amply.infra.signed_links import SignedLinks
from amply.kernel import ids
from amply.modules import organizations, payments
from amply.modules.onboarding.domain import TOPIC_INVITED, InvitationNotAcceptable, InvitationNotValid
from amply.modules.onboarding.models import InvitationRow
from amply.modules.receipts import Language


class InvitationKey(SignedLinks):
    """Signing key of invitation links, derived from the link secret for this purpose."""

    version = "v1"
    purpose = "amply/onboarding/v1"
    subject = "org_[0-9a-z]{26}"

    def sign(self, *, organization_id: str, now: datetime) -> str:
        """The token of an invitation to onboard this organisation."""
        return self._sign(organization_id, now=now)

    def organization_of(self, token: str, *, now: datetime) -> str:
        """The organisation that a token was signed for.

        Raises:
            InvitationNotValid: It is not ours, or its time is over; which of the two is not told.
        """
        organization_id = self._subject_of(token, now=now)
        if organization_id is None:
            raise InvitationNotValid("This invitation is not valid any more: ask us for a new one.")
        return organization_id


def invite(
    session: Session,
    *,
    organization_id: str,
    email: str,
    language: Language,
    confirmed: payments.Confirmation | None,
    now: datetime,
) -> None:
    """Request a letter to the organisation's staff; the worker opens its account first if necessary.

    Raises:
        OrganizationNotFound: There is no such organisation.
        CountryNotAdmitted: The processor takes no gifts for organisations of its country.
        InvitationNotAcceptable: This is no e-mail address.
    """
    organization = organizations.get(session, organization_id=organization_id)
    payments.require_admitted(country=organization.country, confirmed=confirmed)
    if not organizations.is_address(email):
        raise InvitationNotAcceptable(
            "Give the e-mail address of one person of the organisation.", param="email"
        )
    invitation_id = ids.new_id("inv")
    session.execute(
        insert(InvitationRow).values(
            id=invitation_id,
            organization_id=organization_id,
            **address_at_rest(session, invitation_id=invitation_id, email=email),
            language=language,
            confirmed=confirmed,
            attempts=0,
            next_attempt_at=now,
            created_at=now,
        )
    )
    outbox.put(session, topic=TOPIC_INVITED, payload={"invitation_id": invitation_id}, now=now)


def address_at_rest(session: Session, *, invitation_id: str, email: str) -> dict[str, Any]:
    """Encrypted column values of an invitation for this address.

    Raises:
        KeyNotAtHand: The key service was away when this process began.
    """
    return InvitationRow.fields.at_rest(session, row_id=invitation_id, fields={"email": email})
