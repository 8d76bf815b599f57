"""One environment: every stack, and what each is given."""

from pathlib import Path

import aws_cdk as cdk
from constructs import Construct

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
        network = Network(self, "network", environment=environment)
        keys = Keys(self, "keys", environment=environment)
        replica = None
        if environment.replica_region:
            replica = Replica(self, "replica", environment=environment, region=environment.replica_region)
        storage = Storage(self, "storage", environment=environment, keys=keys, replica=replica)
        database = Database(
            self, "database", environment=environment, network=network, keys=keys, replica=replica
        )
        if kept := environment.durability.kept_backups:
            Backup(
                self,
                "backup",
                environment=environment,
                kept=kept,
                keys=keys,
                database=database,
                storage=storage,
                replica=replica,
            )
        cache = Cache(self, "cache", environment=environment, network=network, keys=keys)
        queues = Queues(self, "queues", environment=environment)
        events = Events(self, "events", environment=environment)
        dns = (
            Dns(self, "dns", environment=environment, domain=environment.domain)
            if environment.domain
            else None
        )
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
        around = Surroundings(
            network=network,
            keys=keys,
            storage=storage,
            database=database,
            cache=cache,
            queues=queues,
            mail=mail,
            edge=edge,
        )
        Migrations(self, "migrations", environment=environment, around=around)
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
        if environment.delivery:
            Delivery(
                self,
                "delivery",
                environment=environment,
                delivery=environment.delivery,
                keys=keys,
                regions=[stack.region for stack in self.node.children if isinstance(stack, cdk.Stack)],
            )
        if environment.budget:
            Budget(self, "budget", environment=environment, budget=environment.budget)
        cdk.Tags.of(self).add("amply:project", "amply")
