"""Links that let a donor at their own gifts and plans without an account: good for a week, and signed (`infra.signed_links`)."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final, Self

from amply.infra.settings import LinkSettings
from amply.infra.signed_links import SignedLinks
from amply.modules.recurring.domain import LinkNotValid

LIFETIME: Final = timedelta(days=7)


@dataclass(frozen=True)
class LinkKey:
    """What links are signed with."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        _ = self._links

    @classmethod
    def from_settings(cls, settings: LinkSettings) -> Self:
        """The key as a process is told it."""
        return cls(settings.link_key.get_secret_value().encode())

    def sign(self, *, email_sha256: str, now: datetime) -> str:
        """A link's token for the donor whose address has this digest (`mail.address_digest`)."""
        return self._links.sign(email_sha256, now=now)

    def donor_of(self, token: str, *, now: datetime) -> str:
        """The digest that a token was signed for.

        Raises:
            LinkNotValid: It is not ours, or its time is over; which of the two is not told.
        """
        digest = self._links.subject_of(token, now=now)
        if digest is None:
            raise LinkNotValid("This link is not valid any more: ask for a new one with your e-mail address.")
        return digest

    @cached_property
    def _links(self) -> SignedLinks:
        return SignedLinks(
            secret=self.secret,
            version="v2",
            purpose="amply/donor-link/v2/giving",
            subject="[0-9a-f]{64}",
            lifetime=LIFETIME,
        )
