"""Credentials that each route accepts, for the OpenAPI document and for `WWW-Authenticate` of a 401."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final, TypeVar

from fastapi.dependencies.models import Dependant

from amply.infra.web import calls_of


class Credential(StrEnum):
    """A kind of credential: names of security schemes in the OpenAPI document."""

    SESSION = "session"
    KEY = "key"
    DONOR_LINK = "donor_link"
    INVITATION = "invitation"


_BEARER: Final = 'Bearer realm="amply"'
_NOT_VALID: Final = ', error="invalid_token"'
_SESSION: Final = 'Session realm="amply"'
"""Session cookies have no registered scheme (RFC 9110 §16.4.1); browsers ignore unknown ones."""

_TAKEN: Final = "credentials"
_OPTIONAL: Final = "is_credential_optional"


_Called = TypeVar("_Called", bound=Callable[..., Any])


def takes(*credentials: Credential, optional: bool = False) -> Callable[[_Called], _Called]:
    """Mark a dependency as accepting one of these credentials; `optional`: none is required."""

    def told(called: _Called) -> _Called:
        setattr(called, _TAKEN, credentials)
        setattr(called, _OPTIONAL, optional)
        return called

    return told


def taken_by(dependant: Dependant) -> tuple[Credential, ...]:
    """Credentials that a route accepts; empty for unauthenticated routes."""
    found = (each for call in calls_of(dependant) for each in getattr(call, _TAKEN, ()))
    return tuple(dict.fromkeys(found))


def is_optional(dependant: Dependant) -> bool:
    """Whether a route also accepts requests without credentials."""
    return any(getattr(call, _OPTIONAL, False) for call in calls_of(dependant))


def challenge(taken: tuple[Credential, ...], *, was_sent: bool) -> str:
    """The `WWW-Authenticate` value of a 401 (RFC 9110 §11.6.1).

    `was_sent`: the request had an `Authorization`, so that what it holds was not good (RFC 6750 §3.1). Where nothing is
    taken, somebody was trying to get a session.
    """
    asked = []
    if set(taken) - {Credential.SESSION}:
        asked.append(f"{_BEARER}{_NOT_VALID if was_sent else ''}")
    if Credential.SESSION in taken or not taken:
        asked.append(_SESSION)
    return ", ".join(asked)
