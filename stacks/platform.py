"""One environment: every stack, and what each is given."""

from pathlib import Path

import aws_cdk as cdk
from constructs import Construct

from stacks.administration import Administration
from stacks.api import Api
from stacks.backup import Backup
from stacks.budget import Budget
from stacks.cache import Cache
from stacks.certificate import Certificate
from stacks.containers import Surroundings
from stacks.database import Database
from stacks.delivery import Delivery
from stacks.dns import Dns
from stacks.edge import Edge
from stacks.edge_alarms import EdgeAlarms
from stacks.environment import Environment
from stacks.events import Events
from stacks.keys import Keys
from stacks.mail import Mail
from stacks.migrations import Migrations
from stacks.network import Network
from stacks.observability import Observability
from stacks.queues import Queues
from stacks.replica import Replica
from stacks.storage import Storage
from stacks.traces import Traces
from stacks.workers import Workers

BOUNDARY = "amply-boundary"
"""What no role may exceed, whatever its policies say; `make bootstrap` puts it into the account."""


class AmplyPlatform(cdk.Stage):
    """Stacks stand on the ones above them; nothing points back up."""

    def __init__(self, scope: Construct, *, environment: Environment, site: Path) -> None:
        super().__init__(
            scope,
            environment.name,
            env=cdk.Environment(account=environment.account, region=environment.region),
            permissions_boundary=cdk.PermissionsBoundary.from_name(BOUNDARY),
        )
        self._environment = environment
        around = self._make_surroundings(site)
        self._make_what_runs(around)
        self._make_delivery(around.keys)
        if environment.budget:
            Budget(self, "budget", environment=environment, budget=environment.budget)
        cdk.Tags.of(self).add("amply:project", "amply")

    def _make_surroundings(self, site: Path) -> Surroundings:
        """What tasks stand among: the network, what holds data, and the doors to the world."""
        environment = self._environment
        network = Network(self, "network", environment=environment)
        keys = Keys(self, "keys", environment=environment)
        replica = self._make_replica()
        storage = Storage(self, "storage", environment=environment, keys=keys, replica=replica)
        database = Database(
            self, "database", environment=environment, network=network, keys=keys, replica=replica
        )
        backup = self._make_backup(keys=keys, database=database, storage=storage, replica=replica)
        cache = Cache(self, "cache", environment=environment, network=network, keys=keys)
        queues = Queues(self, "queues", environment=environment)
        dns = self._make_dns()
        mail = Mail(self, "mail", environment=environment, dns=dns)
        certificate = Certificate(self, "certificate", environment=environment, dns=dns) if dns else None
        edge = Edge(
            self,
            "edge",
            environment=environment,
            storage=storage,
            site=site,
            dns=dns,
            certificate=certificate,
        )
        if certificate:
            # As with the certificate: a sandbox needs nothing in a second region, and nobody relies on its edge.
            EdgeAlarms(self, "edgealarms", environment=environment, edge=edge)
        return Surroundings(
            network=network,
            keys=keys,
            storage=storage,
            database=database,
            cache=cache,
            queues=queues,
            mail=mail,
            edge=edge,
            backup=backup,
        )

    def _make_what_runs(self, around: Surroundings) -> None:
        """The tasks, the bus their facts may leave by, and who watches all of it."""
        environment = self._environment
        events = Events(self, "events", environment=environment)
        if environment.traces:
            Traces(self, "traces", environment=environment, traces=environment.traces)
        Migrations(self, "migrations", environment=environment, around=around)
        Administration(self, "administration", environment=environment, around=around)
        api = Api(self, "api", environment=environment, around=around)
        workers = Workers(self, "workers", environment=environment, around=around, api=api)
        Observability(
            self,
            "observability",
            environment=environment,
            around=around,
            api=api,
            workers=workers,
            events=events,
        )

    def _make_replica(self) -> Replica | None:
        region = self._environment.replica_region
        return Replica(self, "replica", environment=self._environment, region=region) if region else None

    def _make_dns(self) -> Dns | None:
        domain = self._environment.domain
        return Dns(self, "dns", environment=self._environment, domain=domain) if domain else None

    def _make_backup(
        self, *, keys: Keys, database: Database, storage: Storage, replica: Replica | None
    ) -> Backup | None:
        if (kept := self._environment.durability.kept_backups) is None:
            return None
        return Backup(
            self,
            "backup",
            environment=self._environment,
            kept=kept,
            keys=keys,
            database=database,
            storage=storage,
            replica=replica,
        )

    def _make_delivery(self, keys: Keys) -> None:
        """Last, because it lets jobs deploy to every region a stack of this stage stands in."""
        if delivery := self._environment.delivery:
            Delivery(
                self,
                "delivery",
                environment=self._environment,
                delivery=delivery,
                keys=keys,
                regions=[stack.region for stack in self.node.children if isinstance(stack, cdk.Stack)],
            )
