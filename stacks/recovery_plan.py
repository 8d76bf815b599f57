"""The configuration that an environment would have in the region of its copies. No CDK here.

`-c recovering=REGION` makes it so (`stacks/failover.py`); docs/runbooks/restore.md, "A region", is how.
"""

from dataclasses import dataclass
from enum import Enum

from stacks.signing_keys import EndedKey


class RestoredFrom(Enum):
    """The backup a database is restored from:
    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReplicateBackups.html.
    """

    BACKUPS = "replicated backups"
    """RDS's own, minutes behind: restored to the latest moment there is."""
    SNAPSHOT = "snapshot"
    """A recovery point that AWS Backup copied, a day behind at most: for when the replicated backups are no good."""


@dataclass(frozen=True, kw_only=True)
class RecoveryPlan:
    """Availability zones in the region of the copies, and the third region that receives copies from then on.

    Attributes:
        last_tree: How the signing key ended that is lost with its region. Nobody knows it beforehand; until it is
            written down everything may be deployed and nothing may run.
        names_moved: Whether the domain's names have been moved here. Before, they belong to what the lost region's
            stacks made, and claiming them fails; after, a distribution that did not claim them would lose them.
    """

    zones: tuple[str, ...]
    replica_region: str
    database: RestoredFrom = RestoredFrom.BACKUPS
    last_tree: EndedKey | None = None
    names_moved: bool = False
