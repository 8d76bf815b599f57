"""Dependencies of the people module, and the addresses of its pages."""

import ipaddress
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from sqlalchemy.orm import Session

from amply.infra.counters import Counters
from amply.infra.database import Database
from amply.modules.people.breaches import BreachList
from amply.modules.people.links import LetterLinks
from amply.modules.people.passwords import Hashing
from amply.modules.people.providers import OidcSignIn
from amply.modules.people.sealing import PeopleKey
from amply.modules.people.sessions import SessionStore

_LOOPBACK: Final = "localhost"


@dataclass(frozen=True, kw_only=True)
class Site:
    """Addresses of people's pages.

    Attributes:
        origins: Of the pages that may send somebody's cookie along.
        relying_party: The domain that passkeys are for (WebAuthn §5.1.2). Addresses of numbers are none: on a laptop it is
            `localhost`, whose origin counts too.
        is_secure: Whether cookies go over https alone; they are named by it.
    """

    origins: tuple[str, ...]
    relying_party: str
    is_secure: bool

    @classmethod
    def of(cls, url: str) -> Self:
        """The site at this address."""
        parts = urllib.parse.urlsplit(url)
        origin, host = f"{parts.scheme}://{parts.netloc}", parts.hostname or ""
        if not _is_number(host):
            return cls(origins=(origin,), relying_party=host, is_secure=parts.scheme == "https")
        port = f":{parts.port}" if parts.port else ""
        origins = (origin, f"{parts.scheme}://{_LOOPBACK}{port}")
        return cls(origins=origins, relying_party=_LOOPBACK, is_secure=parts.scheme == "https")

    @property
    def session_cookie(self) -> str:
        """Name of the session cookie."""
        return self._named("session")

    @property
    def device_cookie(self) -> str:
        """Name of the cookie by which a browser is recognised."""
        return self._named("device")

    def _named(self, what: str) -> str:
        """Browsers take the prefix over https alone, for exactly this host and every path (RFC 6265bis §4.1.3.2)."""
        return f"__Host-amply-{what}" if self.is_secure else f"amply-{what}"


Leaving = Callable[[Session, str, datetime], None]
"""Called in the transaction that deletes an account; an exception keeps the account."""


def _nobody_minds(_session: Session, _person_id: str, _now: datetime) -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class Dependencies:
    """Dependencies of the people routes.

    `before_leaving` is told whose account is about to be deleted and when, in the transaction that does it; what it raises
    keeps the account. Rooms that know what a person is needed for have their say there. `before_session` is told who is about
    to be signed in otherwise than by an organisation's provider; what it raises lets them not in. `oidc_sign_in` is None where
    nobody is signed in by providers.
    """

    database: Database
    key: PeopleKey
    links: LetterLinks
    sessions: SessionStore
    counters: Counters
    hashing: Hashing
    breaches: BreachList
    site: Site
    before_leaving: Leaving = _nobody_minds
    before_session: Callable[[Session, str, datetime], None] = _nobody_minds
    oidc_sign_in: OidcSignIn | None = None


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
