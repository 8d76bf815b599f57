"""Dependencies of the SCIM endpoint."""

from dataclasses import dataclass, field
from typing import Final

from amply.infra.database import Database
from amply.kernel.clock import Clock
from amply.modules import people

PREFIX: Final = "/scim/v2"


@dataclass(frozen=True, kw_only=True)
class Dependencies:
    """Dependencies of the SCIM endpoint. `is_secure`: clients use https, although TLS ends before us."""

    database: Database
    key: people.PeopleKey = field(repr=False)
    sessions: people.SessionStore
    clock: Clock
    is_secure: bool = True
