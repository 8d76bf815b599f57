"""Signed tokens for links in letters, and for the step between password and second factor. One purpose each.

A claim is deleted when its link is used, and a link for a new password names the person's stamp, which the new password moves:
each works once, though no link is stored.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from amply.infra.settings import LinkSettings
from amply.infra.signed_links import SignedLinks
from amply.modules.people.domain import CLAIM_LIFETIME, PENDING_LIFETIME, RESET_LIFETIME

_VERSION: Final = "p1"


@dataclass(frozen=True, kw_only=True)
class StampedPerson:
    """A person and their stamp. Tokens become invalid when the stamp changes."""

    person_id: str
    stamp: int

    def __str__(self) -> str:
        return f"{self.person_id}-{self.stamp}"

    @classmethod
    def read(cls, text: str) -> Self:
        """From what was signed."""
        person_id, _, stamp = text.partition("-")
        return cls(person_id=person_id, stamp=int(stamp))


class ClaimLinks(SignedLinks):
    """Tokens that confirm an address, for a claim's id."""

    version = _VERSION
    purpose = "amply/people/v1/claim"
    subject = "clm_[0-9a-z]{26}"
    lifetime = CLAIM_LIFETIME

    def sign(self, claim_id: str, *, now: datetime) -> str:
        """The token of a claim."""
        return self._sign(claim_id, now=now)

    def claim_of(self, token: str, *, now: datetime) -> str | None:
        """The claim of a token; None if it is invalid or expired."""
        return self._subject_of(token, now=now)


class StampedLinks(SignedLinks):
    """Tokens for a person, valid until their stamp changes."""

    version = _VERSION
    subject = "usr_[0-9a-z]{26}-[0-9]{1,18}"

    def sign(self, stamped: StampedPerson, *, now: datetime) -> str:
        """The token of a person at a stamp."""
        return self._sign(str(stamped), now=now)

    def person_of(self, token: str, *, now: datetime) -> StampedPerson | None:
        """The person of a token; None if it is invalid or expired."""
        subject = self._subject_of(token, now=now)
        return StampedPerson.read(subject) if subject is not None else None


class ResetLinks(StampedLinks):
    """Tokens for a password reset."""

    purpose = "amply/people/v1/reset"
    lifetime = RESET_LIFETIME


class PendingLinks(StampedLinks):
    """Tokens that the password was verified and the second factor is pending. Returned in a response."""

    purpose = "amply/people/v1/second-factor"
    lifetime = PENDING_LIFETIME


@dataclass(frozen=True, kw_only=True)
class LetterLinks:
    """All tokens of the people module, signed with the link secret."""

    claims: ClaimLinks
    resets: ResetLinks
    pending: PendingLinks

    @classmethod
    def from_settings(cls, settings: LinkSettings) -> Self:
        """The key from settings."""
        return cls(
            claims=ClaimLinks.from_settings(settings),
            resets=ResetLinks.from_settings(settings),
            pending=PendingLinks.from_settings(settings),
        )
