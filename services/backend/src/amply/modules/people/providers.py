"""OpenID providers, of the whole platform or of one organisation, and their claims."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Final, Protocol

from sqlalchemy.orm import Session

from amply.kernel.errors import AmplyError, NotFound, Unavailable

SUBJECT_LENGTH_MAX: Final = 255
"""OpenID Connect Core §2."""
GROUPS_MAX: Final = 200
GROUP_LENGTH_MAX: Final = 200


class ProviderAway(Unavailable):
    """The provider does not answer, or not so that it can be read."""

    code = "provider_away"


class ProviderRefused(AmplyError):
    """What came back from the provider is not good: used, too old, for somebody else, or of another provider."""

    status: ClassVar[int] = 401
    code: ClassVar[str] = "provider_refused"
    title: ClassVar[str] = "The provider's answer was not accepted"


class ProviderForgot(ProviderRefused):
    """The provider revoked the refresh token (`invalid_grant`)."""


class ProviderNotFound(NotFound):
    """No provider is called so here."""

    code = "provider_not_found"


class NoRoleHere(AmplyError):
    """The organisation's provider says who it is, and nothing by which they would be somebody here."""

    status: ClassVar[int] = 403
    code: ClassVar[str] = "no_role_here"
    title: ClassVar[str] = "Your organisation gives you no role here"


@dataclass(frozen=True, kw_only=True)
class Provider:
    """An OpenID provider, with this platform's client registration.

    Attributes:
        key: What it is called here; of an organisation's own, the organisation's id.
        issuer: Its issuer identifier, compared character by character.
        domains: Of an organisation's: whose addresses it may speak for. None: of anybody whose address it has verified.
    """

    key: str
    name: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    domains: frozenset[str] | None = None

    @property
    def scope(self) -> str:
        """The requested scope; for an organisation's provider with offline access."""
        return "openid email" if self.domains is None else "openid email profile groups offline_access"


@dataclass(frozen=True, kw_only=True)
class Proof:
    """A provider's claims about a person who just authenticated. Never stored in plain text.

    Attributes:
        subject: Who it is there; means something with the issuer alone.
        email_verified: None where the provider does not say.
        groups: None where the provider does not say.
        refresh_token: By which its word can be asked for again.
    """

    subject: str = field(repr=False)
    email: str | None = field(repr=False)
    email_verified: bool | None
    groups: tuple[str, ...] | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class AuthorizationRequest:
    """An OpenID Connect authorization request: what ties the answer to the browser and to one use."""

    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    redirect: str


class ProviderClient(Protocol):
    """Requests to providers. May not be called inside a transaction. Every method may raise ProviderAway."""

    def address(
        self,
        provider: Provider,
        request: AuthorizationRequest,
        *,
        state: str,
        hint: str | None,
        now: datetime,
    ) -> str:
        """The authorization URL."""

    def redeem(
        self,
        provider: Provider,
        request: AuthorizationRequest,
        *,
        code: str,
        issuer: str | None,
        now: datetime,
    ) -> Proof:
        """Exchange an authorization code. `issuer`: from the response (RFC 9207).

        Raises:
            ProviderRefused: It is not good.
        """

    def renew(self, provider: Provider, *, refresh_token: str, now: datetime) -> Proof:
        """Refresh the provider's claims by a refresh token.

        Raises:
            ProviderForgot: That it does not know them any more.
            ProviderRefused: Something that cannot be believed, or that we are no client of its.
        """


def _no_connection(_key: str) -> Provider | None:
    return None


def _nobody_arrives(
    _session: Session, _provider: Provider, _person_id: str, _proof: Proof, _now: datetime
) -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class OidcSignIn:
    """OpenID Connect sign-in: the client, and the configured providers.

    Attributes:
        providers: Those of the whole platform, by key.
        redirect: Where providers send browsers back to: exactly this address.
        connection: An organisation's own, by its id. May not be called inside a transaction.
        arrived: Told who came by which provider, in the transaction that notes it; what it raises lets them not in.
    """

    client: ProviderClient
    redirect: str
    providers: Mapping[str, Provider] = field(default_factory=dict)
    connection: Callable[[str], Provider | None] = _no_connection
    arrived: Callable[[Session, Provider, str, Proof, datetime], None] = _nobody_arrives

    def provider(self, key: str) -> Provider:
        """A provider by its key.

        Raises:
            ProviderNotFound: There is none.
        """
        found = self.providers.get(key) or self.connection(key)
        if found is None:
            raise ProviderNotFound("Choose another way of signing in: there is no such provider here.")
        return found
