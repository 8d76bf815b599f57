"""Dependencies of the member routes, beyond those that all routes share."""

from dataclasses import dataclass

from amply.modules.members.invitations import JoinKey
from amply.modules.members.ports import People


@dataclass(frozen=True, kw_only=True)
class Dependencies:
    """Dependencies of the member routes. `people` is None where nobody can sign in."""

    key: JoinKey
    people: People | None = None
