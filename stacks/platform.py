"""One environment: all stacks, and how they are wired."""

from pathlib import Path
from typing import TypeVar

import aws_cdk as cdk
from constructs import Construct

from stacks.administration import Administration
from stacks.api import Api
from stacks.backup import Backup
from stacks.budget import Budget
from stacks.cache import Cache
from stacks.certificate import Certificate
from stacks.containers import Foundation
from stacks.database import Database
from stacks.delivery import Delivery
from stacks.dns import Dns, KeptZone, Names
from stacks.edge import Edge
from stacks.edge_alarms import EdgeAlarms
from stacks.environment import Environment
from stacks.events import Events
from stacks.keys import Keys
from stacks.lake.control_plane import ControlPlane
from stacks.lake.copies import LakeReplica
from stacks.lake.etl import Etl
from stacks.lake.governance import LakeAndGovernance
from stacks.lake.marketplace_access import MarketplaceAccess
from stacks.lake.marketplace_api import MarketplaceApi
from stacks.lake.portal import PortalData
from stacks.lake.recovery_inputs import LakeRecoveryInputs
from stacks.lake.sharing import SharedData
from stacks.lake.terminals import Terminals
from stacks.mail import Mail
from stacks.migrations import Migrations
from stacks.network import Network
from stacks.observability import Observability
from stacks.provider_logs import keep_logs_of_providers
from stacks.queues import Queues
from stacks.recovery_inputs import RecoveryInputs
from stacks.rehearsal import Rehearsal
from stacks.replica import Replica
from stacks.stack import AmplyStack
from stacks.storage import Storage
from stacks.traces import Traces
from stacks.workers import Workers

BOUNDARY = "amply-boundary"
"""What no role may exceed, whatever its policies say; `make bootstrap` puts it into the account."""

_Copies = TypeVar("_Copies", Replica, LakeReplica)


class AmplyPlatform(cdk.Stage):
    """Each stack depends only on stacks above it."""

    def __init__(self, scope: Construct, *, environment: Environment, site: Path) -> None:
        super().__init__(
            scope,
            environment.name,
            env=cdk.Environment(account=environment.account, region=environment.region),
            permissions_boundary=cdk.PermissionsBoundary.from_name(BOUNDARY),
        )
        self._environment = environment
        foundation = self._make_foundation(site)
        self._make_what_runs(foundation)
        self._make_delivery(foundation.keys, foundation.replica)
        self._make_budget()
        if not environment.image.is_named:
            self._begin_with(foundation.network)
        for stack in self.node.children:
            if isinstance(stack, AmplyStack):
                keep_logs_of_providers(stack)
        cdk.Tags.of(self).add("amply:project", "amply")

    def _begin_with(self, network: Network) -> None:
        """Nothing is deployed before it, so that what it refuses costs nobody anything."""
        for stack in self.node.children:
            if isinstance(stack, AmplyStack) and stack is not network:
                stack.add_stack_dependency(network)

    def _make_foundation(self, site: Path) -> Foundation:
        """What tasks stand among: the network, what holds data, and the doors to the world."""
        environment = self._environment
        network = Network(self, "network", environment=environment)
        keys = Keys(self, "keys", environment=environment)
        former, replica = self._make_copies(Replica, "replica", "copies")
        storage = Storage(
            self,
            "storage",
            environment=environment,
            keys=keys,
            replica=None if former else replica,
            former=former,
        )
        database = Database(
            self, "database", environment=environment, network=network, keys=keys, replica=replica
        )
        backup = self._make_backup(keys=keys, database=database, storage=storage, replica=replica)
        cache = Cache(self, "cache", environment=environment, network=network, keys=keys)
        queues = Queues(self, "queues", environment=environment)
        events = Events(self, "events", environment=environment)
        dns = self._make_dns()
        mail = Mail(self, "mail", environment=environment, dns=dns)
        certificate = self._make_certificate(dns)
        self._make_recovery_inputs(keys, dns, certificate)
        edge = Edge(
            self,
            "edge",
            environment=environment,
            storage=storage,
            site=site,
            dns=dns,
            certificate=certificate,
        )
        if dns:
            # As with the certificate: a sandbox needs nothing in a second region, and nobody relies on its edge.
            EdgeAlarms(self, "edgealarms", environment=environment, edge=edge)
        shared, marketplace, portal = self._make_data_platform(storage)
        return Foundation(
            network=network,
            keys=keys,
            storage=storage,
            database=database,
            cache=cache,
            queues=queues,
            events=events,
            mail=mail,
            edge=edge,
            replica=replica,
            backup=backup,
            shared=shared,
            marketplace=marketplace,
            portal=portal,
        )

    def _make_what_runs(self, foundation: Foundation) -> None:
        """The tasks, and who watches all of it."""
        environment = self._environment
        if environment.traces:
            Traces(self, "traces", environment=environment, traces=environment.traces)
        Migrations(self, "migrations", environment=environment, foundation=foundation)
        if foundation.backup:
            Rehearsal(self, "rehearsal", environment=environment, foundation=foundation)
        Administration(self, "administration", environment=environment, foundation=foundation)
        api = Api(self, "api", environment=environment, foundation=foundation)
        workers = Workers(self, "workers", environment=environment, foundation=foundation, api=api)
        if foundation.shared:
            Etl(
                self, "etl", environment=environment, foundation=foundation, shared=foundation.shared, api=api
            )
        Observability(
            self,
            "observability",
            environment=environment,
            foundation=foundation,
            api=api,
            workers=workers,
        )

    def _make_data_platform(
        self, storage: Storage
    ) -> tuple[SharedData | None, MarketplaceAccess | None, PortalData | None]:
        """What is bought, what is released and what sellers see stand on the same lake; none is needed for another.

        Donors are asked where what they share is anonymised: not where data of others alone is sold.
        """
        environment, features = self._environment, self._environment.features
        if not features.any:
            return None, None, None
        lake, control = self._make_lake(storage)
        market = None
        if features.marketplace:
            market = MarketplaceApi(self, "marketplace", environment=environment, lake=lake, control=control)
        if features.iot:
            handed_on = control if features.etl else None
            Terminals(self, "iot", environment=environment, lake=lake, control=handed_on)
        return (
            SharedData(lake=lake, control=control) if features.etl else None,
            MarketplaceAccess(lake=lake, control=control, plan=market.plan) if market else None,
            PortalData(lake=lake, control=control) if features.data_seller_portal else None,
        )

    def _make_lake(self, storage: Storage) -> tuple[LakeAndGovernance, ControlPlane]:
        """With copies as the platform's own stores have them, in the same regions."""
        environment, region = self._environment, self._environment.replica_region
        # In stacks of their own: a flag that is off leaves nothing in others.
        former, replica = self._make_copies(LakeReplica, "lakereplica", "lakecopies")
        lake = LakeAndGovernance(
            self,
            "lake",
            environment=environment,
            storage=storage,
            replica=None if former else replica,
            former=former,
        )
        control = ControlPlane(
            self, "controlplane", environment=environment, lake=lake, replica=None if former else replica
        )
        if region and not environment.lost_region:
            LakeRecoveryInputs(
                self, "lakerecovery", environment=environment, region=region, lake=lake, control=control
            )
        return lake, control

    def _make_copies(
        self, kind: type[_Copies], first_id: str, second_id: str
    ) -> tuple[_Copies | None, _Copies | None]:
        """Where copies go; before it, what were copies and is now all there is."""
        environment, region = self._environment, self._environment.replica_region
        if not region:
            return None, None
        if not environment.lost_region:
            return None, kind(self, first_id, environment=environment, region=region)
        former = kind(self, first_id, environment=environment, region=environment.region)
        copies = kind(self, second_id, environment=environment, region=region)
        former.pass_on(copies)
        return former, copies

    def _make_dns(self) -> Names | None:
        environment, domain = self._environment, self._environment.domain
        if domain is None:
            return None
        return (
            KeptZone(domain)
            if environment.lost_region
            else Dns(self, "dns", environment=environment, domain=domain)
        )

    def _make_certificate(self, dns: Names | None) -> Certificate | None:
        """Its stack stands in us-east-1, and goes on standing there."""
        if dns is None or self._environment.lost_region:
            return None
        return Certificate(self, "certificate", environment=self._environment, dns=dns)

    def _make_recovery_inputs(self, keys: Keys, dns: Names | None, certificate: Certificate | None) -> None:
        environment, region = self._environment, self._environment.replica_region
        if region and not environment.lost_region:
            RecoveryInputs(
                self,
                "recovery",
                environment=environment,
                region=region,
                keys=keys,
                dns=dns,
                certificate=certificate,
            )

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

    def _make_budget(self) -> None:
        """The account's, so the one of a lost region still counts."""
        budget = self._environment.budget
        if budget and not self._environment.lost_region:
            Budget(self, "budget", environment=self._environment, budget=budget)

    def _make_delivery(self, keys: Keys, replica: Replica | None) -> None:
        """Last, because it lets jobs deploy to every region a stack of this stage stands in."""
        if delivery := self._environment.delivered_by:
            Delivery(
                self,
                "delivery",
                environment=self._environment,
                delivery=delivery,
                keys=keys,
                replica=replica,
                regions=[stack.region for stack in self.node.children if isinstance(stack, cdk.Stack)],
            )
