"""Dependencies of the SCIM endpoint."""

from dataclasses import dataclass, field
from typing import Final

from amply.infra.database import Database
from amply.kernel.clock import Clock
from amply.modules import people

PREFIX: Final = "/scim/v2"


@dataclass(frozen=True, kw_only=True)
class Dependencies:
    """What directories are answered with. `is_secure`: they reach us over https, though it ends before us."""

    database: Database
    key: people.PeopleKey = field(repr=False)
    sessions: people.SessionStore
    clock: Clock
    is_secure: bool = True
