"""What stands in people's letters, and between a password and a second factor: signed, for one purpose each.

A claim is deleted when its link is used, and a link for a new password names the person's stamp, which the new password moves:
each works once, though no link is stored.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final, Self

from amply.infra.settings import LinkSettings
from amply.infra.signed_links import SignedLinks
from amply.modules.people.domain import CLAIM_LIFETIME, PENDING_LIFETIME, RESET_LIFETIME

_STAMPED: Final = "usr_[0-9a-z]{26}-[0-9]{1,18}"
_CLAIM: Final = "clm_[0-9a-z]{26}"


@dataclass(frozen=True, kw_only=True)
class Stamped:
    """A person at a stamp: what is signed for it ends when the stamp moves."""

    person_id: str
    stamp: int

    def __str__(self) -> str:
        return f"{self.person_id}-{self.stamp}"

    @classmethod
    def read(cls, text: str) -> Self:
        """From what was signed."""
        person_id, _, stamp = text.partition("-")
        return cls(person_id=person_id, stamp=int(stamp))


@dataclass(frozen=True)
class LetterLinks:
    """The secret of links in letters, for people's purposes."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        _ = self.claims

    @classmethod
    def from_settings(cls, settings: LinkSettings) -> Self:
        """The key as a process is told it."""
        return cls(settings.link_key.get_secret_value().encode())

    @cached_property
    def claims(self) -> SignedLinks:
        """That an address is somebody's; for the id of the claim."""
        return self._for("claim", subject=_CLAIM, lifetime=CLAIM_LIFETIME)

    @cached_property
    def resets(self) -> SignedLinks:
        """To a new password; for a person at a stamp."""
        return self._for("reset", subject=_STAMPED, lifetime=RESET_LIFETIME)

    @cached_property
    def pending(self) -> SignedLinks:
        """That the password was right and the second factor is missing; for a person at a stamp. Stands in an answer."""
        return self._for("second-factor", subject=_STAMPED, lifetime=PENDING_LIFETIME)

    def person_of(self, links: SignedLinks, token: str, *, now: datetime) -> Stamped | None:
        """Whom a token of these was signed for."""
        subject = links.subject_of(token, now=now)
        return Stamped.read(subject) if subject is not None else None

    def _for(self, what: str, *, subject: str, lifetime: timedelta) -> SignedLinks:
        return SignedLinks(
            secret=self.secret,
            version="p1",
            purpose=f"amply/people/v1/{what}",
            subject=subject,
            lifetime=lifetime,
        )
