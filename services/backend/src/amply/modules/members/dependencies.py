"""What members need of the application besides its other parts."""

from dataclasses import dataclass

from amply.modules.members.invitations import JoinKey
from amply.modules.members.ports import People


@dataclass(frozen=True, kw_only=True)
class Dependencies:
    """What members need of the application besides its other parts. `people` is None where nobody lets people in."""

    key: JoinKey
    people: People | None = None
