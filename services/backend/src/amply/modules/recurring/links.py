"""Links that let a donor at their own gifts and plans without an account: signed, for one purpose, and good for a week.

`v2.EXPIRES.DIGEST.MAC`: seconds since 1970, the address's digest, and HMAC-SHA-256 over purpose and both. Nothing is stored
for one, so there is nothing to leak; a new key ends them all. Pages carry it behind `#`, which browsers send nowhere, and
give it to the API in a header.
"""

import base64
import hmac
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Self

from amply.infra.settings import LinkSettings
from amply.kernel.errors import invariant
from amply.modules.recurring.domain import LinkNotValid

LIFETIME: Final = timedelta(days=7)
_PURPOSE: Final = b"amply/donor-link/v2/giving\0"
_TOKEN: Final = re.compile(r"v2\.([0-9]{1,12})\.([0-9a-f]{64})\.([A-Za-z0-9_-]{43})")
_KEY_BYTES_MIN: Final = 32


@dataclass(frozen=True)
class LinkKey:
    """What links are signed with."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        invariant(len(self.secret) >= _KEY_BYTES_MIN, "a link key has 32 bytes or more")

    @classmethod
    def from_settings(cls, settings: LinkSettings) -> Self:
        """The key as a process is told it."""
        return cls(settings.link_key.get_secret_value().encode())

    def sign(self, *, email_sha256: str, now: datetime) -> str:
        """A link's token for the donor whose address has this digest (`mail.address_digest`)."""
        expires = int((now + LIFETIME).timestamp())
        return f"v2.{expires}.{email_sha256}.{self._mac(str(expires), email_sha256)}"

    def donor_of(self, token: str, *, now: datetime) -> str:
        """The digest that a token was signed for.

        Raises:
            LinkNotValid: It is not ours, or its time is over; which of the two is not told.
        """
        found = _TOKEN.fullmatch(token)
        expires, digest, mac = found.groups() if found else ("0", "", "")
        is_ours = hmac.compare_digest(mac.encode(), self._mac(expires, digest).encode())
        if not is_ours or int(expires) <= now.timestamp():
            raise LinkNotValid("This link is not valid any more: ask for a new one with your e-mail address.")
        return digest

    def _mac(self, expires: str, digest: str) -> str:
        made = hmac.digest(self.secret, _PURPOSE + f"{expires}\0{digest}".encode(), "sha256")
        return base64.urlsafe_b64encode(made).rstrip(b"=").decode()
