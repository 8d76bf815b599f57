"""Signed links to a donor's own gifts and plans, valid for a week (`infra.signed_links`)."""

from datetime import datetime

from amply.infra.signed_links import SignedLinks
from amply.modules.recurring.domain import LinkNotValid


class LinkKey(SignedLinks):
    """Signing key of donor links."""

    version = "v2"
    purpose = "amply/donor-link/v2/giving"
    subject = "[0-9a-f]{64}"

    def sign(self, *, email_sha256: str, now: datetime) -> str:
        """A link's token for the donor whose address has this digest (`mail.address_digest`)."""
        return self._sign(email_sha256, now=now)

    def donor_of(self, token: str, *, now: datetime) -> str:
        """The address digest in a token.

        Raises:
            LinkNotValid: It is not ours, or its time is over; which of the two is not told.
        """
        digest = self._subject_of(token, now=now)
        if digest is None:
            raise LinkNotValid("This link is not valid any more: ask for a new one with your e-mail address.")
        return digest
