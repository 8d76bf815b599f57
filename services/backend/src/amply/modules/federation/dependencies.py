"""Dependencies of federated sign-in, beyond those that all routes share."""

from dataclasses import dataclass, field

from amply.modules import people
from amply.modules.federation.ports import DomainRecords


@dataclass(frozen=True, kw_only=True)
class Dependencies:
    """Dependencies of federated sign-in.

    `redirect` is what organisations register at their providers. `allows_loopback`: a provider may be this machine (laptops).
    """

    key: people.PeopleKey = field(repr=False)
    records: DomainRecords
    redirect: str
    allows_loopback: bool = False
