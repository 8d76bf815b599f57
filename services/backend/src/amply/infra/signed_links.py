"""Signed, expiring links for letters that grant access without an account, each for one purpose.

`VERSION.EXPIRES.SUBJECT.MAC`: seconds since 1970, whom or what it is for, and HMAC-SHA-256 over purpose and both. Nothing is
stored for one, so there is nothing to leak; a new key ends them all. Pages carry it behind `#`, which browsers send nowhere,
and give it to the API in a header.
"""

import base64
import hmac
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, Final, Self

from amply.infra.settings import LinkSettings
from amply.kernel.errors import invariant

LIFETIME: Final = timedelta(days=7)
_KEY_BYTES_MIN: Final = 32


@dataclass(frozen=True)
class SignedLinks:
    """Signing key of one kind of links; a subclass defines the kind.

    Attributes:
        version: What their tokens begin with.
        purpose: What is signed with each, so that a link of one kind opens nothing of another.
        subject: The form of whom they are for, a regular expression without groups.
        lifetime: How long a link is good for.
    """

    version: ClassVar[str]
    purpose: ClassVar[str]
    subject: ClassVar[str]
    lifetime: ClassVar[timedelta] = LIFETIME

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        invariant(len(self.secret) >= _KEY_BYTES_MIN, "a link key has 32 bytes or more")

    @classmethod
    def from_settings(cls, settings: LinkSettings) -> Self:
        """The key from settings."""
        return cls(settings.link_key.get_secret_value().encode())

    def _sign(self, subject: str, *, now: datetime) -> str:
        """The token of a link for this subject."""
        expires = int((now + self.lifetime).timestamp())
        return f"{self.version}.{expires}.{subject}.{self._mac(str(expires), subject)}"

    def _subject_of(self, token: str, *, now: datetime) -> str | None:
        """Whom a token was signed for; None when it is not ours or its time is over, and which of the two is not told."""
        found = re.fullmatch(
            rf"{re.escape(self.version)}\.([0-9]{{1,12}})\.({self.subject})\.([A-Za-z0-9_-]{{43}})", token
        )
        expires, subject, mac = found.groups() if found else ("0", "", "")
        is_ours = hmac.compare_digest(mac.encode(), self._mac(expires, subject).encode())
        return subject if is_ours and int(expires) > now.timestamp() else None

    def _mac(self, expires: str, subject: str) -> str:
        made = hmac.digest(self.secret, f"{self.purpose}\0{expires}\0{subject}".encode(), "sha256")
        return base64.urlsafe_b64encode(made).rstrip(b"=").decode()
