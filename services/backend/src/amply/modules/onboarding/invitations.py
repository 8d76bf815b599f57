"""Invitations: a letter to an organisation's staff, with a link that leads them to the processor's onboarding for a week.

`v1.EXPIRES.ORGANISATION.MAC`: seconds since 1970, and HMAC-SHA-256 over purpose and both. The token stands in the letter
alone: it is stored nowhere, pages carry it behind `#`, and the API is given it in a header. The processor's own link, good
for one visit, is made when somebody asks for it, and stands in that answer alone.
"""

import base64
import hmac
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Self

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from amply.infra.settings import LinkSettings
from amply.kernel import ids
from amply.kernel.errors import invariant
from amply.modules import organizations, payments
from amply.modules.onboarding.domain import InvitationNotAcceptable, InvitationNotValid
from amply.modules.onboarding.models import InvitationRow
from amply.modules.receipts import Language

LIFETIME: Final = timedelta(days=7)
_PURPOSE: Final = b"amply/onboarding/v1\0"
_TOKEN: Final = re.compile(r"v1\.([0-9]{1,12})\.(org_[0-9a-z]{26})\.([A-Za-z0-9_-]{43})")
_ADDRESS: Final = re.compile(r"[^@\s]{1,64}@[^@\s]{3,190}")
_KEY_BYTES_MIN: Final = 32


@dataclass(frozen=True)
class InvitationKey:
    """What invitations are signed with: the secret of links in letters, for a purpose of its own."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        invariant(len(self.secret) >= _KEY_BYTES_MIN, "a link key has 32 bytes or more")

    @classmethod
    def from_settings(cls, settings: LinkSettings) -> Self:
        """The key as a process is told it."""
        return cls(settings.link_key.get_secret_value().encode())

    def sign(self, *, organization_id: str, now: datetime) -> str:
        """The token of an invitation to onboard this organisation."""
        expires = int((now + LIFETIME).timestamp())
        return f"v1.{expires}.{organization_id}.{self._mac(str(expires), organization_id)}"

    def organization_of(self, token: str, *, now: datetime) -> str:
        """The organisation that a token was signed for.

        Raises:
            InvitationNotValid: It is not ours, or its time is over; which of the two is not told.
        """
        found = _TOKEN.fullmatch(token)
        expires, organization_id, mac = found.groups() if found else ("0", "", "")
        is_ours = hmac.compare_digest(mac.encode(), self._mac(expires, organization_id).encode())
        if not is_ours or int(expires) <= now.timestamp():
            raise InvitationNotValid("This invitation is not valid any more: ask us for a new one.")
        return organization_id

    def _mac(self, expires: str, organization_id: str) -> str:
        made = hmac.digest(self.secret, _PURPOSE + f"{expires}\0{organization_id}".encode(), "sha256")
        return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def invite(
    session: Session,
    *,
    organization_id: str,
    email: str,
    language: Language,
    confirmed: payments.Confirmation | None,
    now: datetime,
) -> None:
    """Let the worker open the organisation's account, where it has none, and write to its staff.

    Raises:
        OrganizationNotFound: There is no such organisation.
        CountryNotAdmitted: The processor takes no gifts for organisations of its country.
        InvitationNotAcceptable: This is no e-mail address.
    """
    organization = organizations.get(session, organization_id=organization_id)
    payments.require_admitted(country=organization.country, confirmed=confirmed)
    if not _ADDRESS.fullmatch(email):
        raise InvitationNotAcceptable(
            "Give the e-mail address of one person of the organisation.", param="email"
        )
    session.execute(
        insert(InvitationRow).values(
            id=ids.new_id("inv"),
            organization_id=organization_id,
            email=email,
            language=language,
            confirmed=confirmed,
            attempts=0,
            next_attempt_at=now,
            created_at=now,
        )
    )
