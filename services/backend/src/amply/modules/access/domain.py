"""Types of API callers (donors, people, API keys), and the errors of authorisation."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from amply.kernel.errors import AmplyError, Conflict, NotFound, Unavailable


class Role(StrEnum):
    """What a person is in an organisation; each person has one in each."""

    OWNER = "owner"
    ADMIN = "admin"
    FINANCE = "finance"
    CONTENT = "content"
    VIEWER = "viewer"

    @property
    def rank(self) -> int:
        """Rank of a role for granting and revoking: owner 2, admin 1, others 0. Nobody changes a role above their own."""
        return {Role.OWNER: 2, Role.ADMIN: 1}.get(self, 0)


class Scope(StrEnum):
    """What a key may be used for; a key has one or more."""

    ORGANISATION_READ = "organisation:read"
    ORGANISATION_WRITE = "organisation:write"
    DONATIONS_READ = "donations:read"
    DONATIONS_WRITE = "donations:write"
    PAYOUTS_READ = "payouts:read"
    DATA_READ = "data:read"
    DATA_WRITE = "data:write"


@dataclass(frozen=True, kw_only=True)
class Anonymous:
    """A caller without credentials."""


@dataclass(frozen=True, kw_only=True)
class PersonCaller:
    """A signed-in person.

    Attributes:
        session_id: Which of their sessions; no secret.
        signed_in_at: When the session began (UTC).
        confirmed_at: When they last showed, in this session, that it is them (password and second factor, or passkey);
            what is dangerous wants this to be some minutes ago at most.
        through: The organisation whose provider says that it is them, and nobody else does: they act there alone.
    """

    person_id: str
    session_id: str
    signed_in_at: datetime
    confirmed_at: datetime
    through: str | None = None


@dataclass(frozen=True, kw_only=True)
class KeyCaller:
    """An organisation's program, by API key. `is_live` is False for keys that move test money only."""

    key_id: str
    organization_id: str
    scopes: frozenset[Scope]
    is_live: bool


Caller = Anonymous | PersonCaller | KeyCaller


class AuthenticationRequired(AmplyError):
    """Nobody knows who asks."""

    status: ClassVar[int] = 401
    code: ClassVar[str] = "authentication_required"
    title: ClassVar[str] = "Nobody is signed in"


class CredentialNotValid(AmplyError):
    """Who asks carries something that is not good, or not any more."""

    status: ClassVar[int] = 401
    code: ClassVar[str] = "credential_not_valid"
    title: ClassVar[str] = "The credential is not valid"


class SessionNotValid(AmplyError):
    """The session is over, was ended, or never was one of ours."""

    status: ClassVar[int] = 401
    code: ClassVar[str] = "session_not_valid"
    title: ClassVar[str] = "You are not signed in"


class SignInUnavailable(Unavailable):
    """Whether somebody is signed in cannot be looked up, so that nobody is. Gifts are taken all the same."""

    code = "sign_in_unavailable"


class RequestFromElsewhere(AmplyError):
    """A page that is not ours sent this request with somebody's cookie (OWASP, cross-site request forgery)."""

    status: ClassVar[int] = 403
    code: ClassVar[str] = "request_from_elsewhere"
    title: ClassVar[str] = "The request came from another page"


class NotAllowed(AmplyError):
    """Who asks is known, and may not do this."""

    status: ClassVar[int] = 403
    code: ClassVar[str] = "not_allowed"
    title: ClassVar[str] = "Not allowed"


class ConfirmationRequired(AmplyError):
    """Who asks may do this once they have shown again that it is them."""

    status: ClassVar[int] = 403
    code: ClassVar[str] = "confirmation_required"
    title: ClassVar[str] = "Confirm that it is you"


class OrganizationHidden(NotFound):
    """No organisation has this id.

    Or who asks has nothing to do with it: to them it does not exist, in the words for one that does not.
    """

    code = "organization_not_found"

    def __init__(self) -> None:
        super().__init__("No organisation has this id; check organization_id.", param="organization_id")


class LastOwner(Conflict):
    """An organisation keeps an owner, whether they would leave, become something else or be forgotten."""

    code = "last_owner"
