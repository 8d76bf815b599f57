"""People and sign-in sessions: types, lifetimes and errors."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final

from amply.kernel.errors import AmplyError, NotOffered
from amply.modules.mail import Language
from amply.modules.people.addresses import Address

TOPIC_ERASED: Final = "people.erased"
"""A person was erased; the worker records it on the erasure list."""

TOPIC_LETTER_ASKED: Final = "people.letter_asked"
"""A letter is due; the worker looks which one."""

SESSION_IDLE: Final = timedelta(days=7)
SESSION_LIFETIME: Final = timedelta(days=30)
SESSION_SEEN_EVERY: Final = timedelta(minutes=5)
"""Resolution of a session's last use, to avoid a write for each request."""
CONFIRMATION_LASTS: Final = timedelta(minutes=10)
CLOCKS_DIFFER: Final = timedelta(minutes=1)
"""Allowance for times recorded by another machine's clock."""
STAMP_CACHED: Final = timedelta(minutes=5)
CLAIM_LIFETIME: Final = timedelta(days=2)
RESET_LIFETIME: Final = timedelta(hours=1)
PENDING_LIFETIME: Final = timedelta(minutes=5)
"""Between the password and the second factor."""


class IpBinding(StrEnum):
    """How closely a session is held to where it began: not at all, to the network (/24, or /48 of IPv6), to the address."""

    NONE = "none"
    SUBNET = "subnet"
    STRICT = "strict"


class LetterKind(StrEnum):
    """What a letter is asked for; which one is written is for the worker, who looks whether the address has an account."""

    VERIFY = "verify"
    RESET = "reset"
    CHANGE_ADDRESS = "change_address"
    ADDRESS_CHANGED = "address_changed"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 -- the name of a letter
    FACTORS_CHANGED = "factors_changed"
    NEW_DEVICE = "new_device"
    IDENTITY_LINKED = "identity_linked"
    IDENTITY_UNLINKED = "identity_unlinked"
    GOODBYE = "goodbye"


class SignInRefused(AmplyError):
    """Address or password is not right, or nobody has an account with it; which of these is not told."""

    status: ClassVar[int] = 401
    code: ClassVar[str] = "sign_in_refused"
    title: ClassVar[str] = "You could not be signed in"


class LetterLinkNotValid(AmplyError):
    """The link is not ours, was used, or has expired."""

    status: ClassVar[int] = 401
    code: ClassVar[str] = "letter_link_not_valid"
    title: ClassVar[str] = "The link is not valid"


class SignInElsewhere(AmplyError):
    """The person's organisation has its members sign in by its own provider alone."""

    status: ClassVar[int] = 403
    code: ClassVar[str] = "sign_in_by_organisation"
    title: ClassVar[str] = "Your organisation signs you in"


class PeopleNotOffered(NotOffered):
    """This environment has no key for people's addresses."""

    code = "people_not_offered"


@dataclass(frozen=True, kw_only=True)
class Person:
    """A person with an account. `stamp` is incremented to end all sessions."""

    id: str
    address: Address
    language: Language
    stamp: int
    ip_binding: IpBinding
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Visit:
    """Origin of a request: IP address, User-Agent, and device cookie."""

    address: str
    agent: str
    device: str | None


@dataclass(frozen=True, kw_only=True)
class SignInSession:
    """A stored session, without its token.

    Attributes:
        stamp: The person's when it began; it ends when the person's is another one.
        seen_at: When it was last used, to five minutes.
        device: What the browser called itself, in words: no fingerprint.
        binding: How closely it is held to `place`.
        place: A keyed digest of the network it began in; empty where it is bound to none.
        through: The organisation whose provider said who it is; it is good for that organisation alone.
    """

    id: str
    person_id: str
    stamp: int
    signed_in_at: datetime
    confirmed_at: datetime
    seen_at: datetime
    device: str
    binding: IpBinding
    place: str
    through: str | None = None

    def is_over(self, now: datetime) -> bool:
        """Whether the session expired, by inactivity or by age."""
        return now - self.seen_at > SESSION_IDLE or now - self.signed_in_at > SESSION_LIFETIME


def is_recent(confirmed_at: datetime, *, now: datetime) -> bool:
    """Whether a confirmation still counts. One in the future does not, since the clock may have jumped."""
    return -CLOCKS_DIFFER <= now - confirmed_at <= CONFIRMATION_LASTS
