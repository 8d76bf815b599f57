"""Dependencies of the member routes, beyond those that all routes share."""

from dataclasses import dataclass

from amply.modules.members.invitations import JoinKey
from amply.modules.members.ports import People


@dataclass(frozen=True, kw_only=True)
class Dependencies:
    """What the routes of members depend on, beside what all routes have. `people` is None where nobody lets people in."""

    key: JoinKey
    people: People | None = None
