"""Callers of the API, as whoever lets them in knows them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """What a person is in an organisation; each person has one in each."""

    OWNER = "owner"
    ADMIN = "admin"
    FINANCE = "finance"
    CONTENT = "content"
    VIEWER = "viewer"


class Scope(StrEnum):
    """What a key may be used for; a key has one or more."""

    ORGANISATION_READ = "organisation:read"
    ORGANISATION_WRITE = "organisation:write"
    DONATIONS_READ = "donations:read"
    DONATIONS_WRITE = "donations:write"
    PAYOUTS_READ = "payouts:read"


@dataclass(frozen=True, kw_only=True)
class Anonymous:
    """Anybody: the request carries nothing that says who asks."""


@dataclass(frozen=True, kw_only=True)
class PersonCaller:
    """Somebody who is signed in.

    Attributes:
        session_id: Which of their sessions; no secret.
        signed_in_at: When the session began (UTC).
        confirmed_at: When they last showed, in this session, that it is them (password and second factor, or passkey);
            what is dangerous wants this to be some minutes ago at most.
    """

    person_id: str
    session_id: str
    signed_in_at: datetime
    confirmed_at: datetime


@dataclass(frozen=True, kw_only=True)
class KeyCaller:
    """A program of an organisation's, by its API key. `is_live` is False for keys that move test money only."""

    key_id: str
    organization_id: str
    scopes: frozenset[Scope]
    is_live: bool


Caller = Anonymous | PersonCaller | KeyCaller
