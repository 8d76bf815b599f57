"""Delivery feedback about letters, and when an address is suppressed. Addresses are stored as digests."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from amply.modules.mail.addresses import in_unicode


class Language(StrEnum):
    """What letters can be written in."""

    EN = "en"
    DE = "de"
    FR = "fr"


class FeedbackKind(StrEnum):
    """What became of a letter."""

    HARD_BOUNCE = "hard_bounce"
    SOFT_BOUNCE = "soft_bounce"
    COMPLAINT = "complaint"
    DELAY = "delay"
    REJECTED = "rejected"

    @property
    def suppresses(self) -> bool:
        """Whether the feedback suppresses the address: a permanent bounce, or a complaint."""
        return self in (FeedbackKind.HARD_BOUNCE, FeedbackKind.COMPLAINT)


@dataclass(frozen=True, kw_only=True)
class Feedback:
    """Delivery feedback about one letter to one address.

    Attributes:
        event_id: The mail service's own id of the event: the same one told twice is kept once.
        message_id: What `Mailer.send` returned for the letter.
    """

    event_id: str
    kind: FeedbackKind
    message_id: str
    address_sha256: str
    occurred_at: datetime


def address_digest(address: str) -> str:
    """Digest of an address: hex SHA-256 of it in lower case, trimmed, with its domain in Unicode.

    That is the form that rows were made of since the first: the mail service names a domain in ASCII, which is decoded.
    `docs/runbooks/erase-a-donor.md` computes the same on the operator's machine, so that commands hold no address.
    """
    return hashlib.sha256(in_unicode(address.strip()).lower().encode()).hexdigest()
