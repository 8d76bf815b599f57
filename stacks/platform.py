"""One environment: every stack, and what each is given."""

from pathlib import Path

import aws_cdk as cdk
from constructs import Construct

from stacks.api import Api
from stacks.cache import Cache
from stacks.certificate import Certificate
from stacks.containers import Surroundings
from stacks.database import Database
from stacks.dns import Dns
from stacks.edge import Edge
from stacks.environments import Environment
from stacks.keys import Keys
from stacks.mail import Mail
from stacks.network import Network
from stacks.observability import Observability
from stacks.queues import Queues
from stacks.storage import Storage
from stacks.workers import Workers


class AmplyPlatform(cdk.Stage):
    """Stacks stand on the ones above them; nothing points back up."""

    def __init__(self, scope: Construct, *, environment: Environment, site: Path) -> None:
        super().__init__(
            scope,
            environment.name,
            env=cdk.Environment(account=environment.account, region=environment.region),
        )
        network = Network(self, "network", environment=environment)
        keys = Keys(self, "keys", environment=environment)
        storage = Storage(self, "storage", environment=environment, keys=keys)
        database = Database(self, "database", environment=environment, network=network, keys=keys)
        cache = Cache(self, "cache", environment=environment, network=network, keys=keys)
        queues = Queues(self, "queues", environment=environment)
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
        api = Api(self, "api", environment=environment, around=around)
        workers = Workers(self, "workers", environment=environment, around=around, api=api)
        Observability(
            self,
            "observability",
            environment=environment,
            api=api,
            workers=workers,
            database=database,
            queues=queues,
            mail=mail,
        )
        cdk.Tags.of(self).add("amply:project", "amply")
