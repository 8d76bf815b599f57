"""Possible environments that no current one uses."""

from dataclasses import replace
from typing import Final

from stacks.database_choices import Connections, Insights, RotatedByUs
from stacks.environment import Environment
from stacks.environments import PRODUCTION, SANDBOX, STAGING
from stacks.features import Features
from stacks.network_choices import InterfaceEndpoint

WHOLE_PLATFORM: Final = Features(marketplace=True, etl=True, iot=True, data_seller_portal=True)

EXTENDED: Final[Environment] = replace(
    STAGING,
    database=replace(
        STAGING.database,
        master=RotatedByUs(days=30, read_replica=True),
        connections=Connections.RDS_PROXY,
        insights=Insights.ADVANCED,
    ),
    network=replace(STAGING.network, interface_endpoints=frozenset(InterfaceEndpoint)),
    tasks=replace(STAGING.tasks, worker=SANDBOX.tasks.worker),
    features=WHOLE_PLATFORM,
)
"""Staging with everything a network and a database can have beside them, and the data platform beside a worker as small as a sandbox's."""

UPGRADING: Final[Environment] = replace(
    PRODUCTION, database=replace(PRODUCTION.database, master=RotatedByUs())
)
"""Production as docs/runbooks/database-upgrade.md has it for the days of a blue/green upgrade."""

SELLING: Final[Environment] = replace(PRODUCTION, features=WHOLE_PLATFORM)
"""Production with the data platform, which keeps copies in a second region there."""
