"""The environments. Production stands in full; the others say only how they differ."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs

from constructs_lib.durability import (
    DISPOSABLE,
    PERMANENT,
    RECOVERABLE,
    Durability,
    LockMode,
    Loss,
    ObjectLock,
)
from constructs_lib.github import GitHubRepository
from constructs_lib.rollout import CanaryRollout
from constructs_lib.service import TaskSize
from stacks.contracts import API_PORT
from stacks.database_choices import Connections, Insights, ManagedByRds, MasterPassword, RotatedByUs
from stacks.domain import DomainSettings
from stacks.images import ImageReference
from stacks.network_choices import InterfaceEndpoint, WayOut

EnvironmentName = Literal["production", "staging", "sandbox", "local"]
DEFAULT_PORT_BASE = 8700
_STRIPE_SOURCE = re.compile(r"aws\.partner/stripe\.com/ed_\w+")


@dataclass(frozen=True, kw_only=True)
class NetworkSettings:
    cidr: str
    way_out: WayOut
    interface_endpoints: frozenset[InterfaceEndpoint]
    flow_logs: bool

    @property
    def nat_gateway(self) -> bool:
        return self.way_out is WayOut.NAT_GATEWAY


@dataclass(frozen=True, kw_only=True)
class DatabaseSettings:
    instance_type: ec2.InstanceType
    multi_az: bool
    storage_gib: int
    storage_limit_gib: int
    """RDS grows the disk up to here by itself."""
    name: str
    maintenance_window: str
    """When RDS may restart it, in UTC; staging's comes before production's, so that a bad minor version shows there."""
    insights: Insights
    master: MasterPassword
    connections: Connections


@dataclass(frozen=True, kw_only=True)
class CacheSettings:
    node_type: str
    replicas: int
    """Standby copies in other zones; one or more makes failover automatic."""


@dataclass(frozen=True, kw_only=True)
class TaskSettings:
    size: TaskSize
    count: int
    limit: int
    """Autoscaling goes from `count` to here; equal means a fixed number."""

    def __post_init__(self) -> None:
        if not 0 <= self.count <= self.limit:
            raise ValueError(f"{self.count} tasks of at most {self.limit} is not a range.")


@dataclass(frozen=True, kw_only=True)
class TaskFleet:
    api: TaskSettings
    worker: TaskSettings
    single: TaskSize
    """Scheduler, sequencer, publisher and migrations: one task each."""
    insights: bool
    """CloudWatch Container Insights, billed per metric."""
    rollout: CanaryRollout | None
    """How a new version of the API takes over; None: task by task."""
    opens_shells: bool
    """Whether people may open a shell in a running task (`aws ecs execute-command`)."""
    idle: bool = False
    """Everything in place and nothing running: for the first deployment, before the database has a schema."""

    def at_rest(self) -> "TaskFleet":
        return replace(
            self,
            api=replace(self.api, count=0, limit=0),
            worker=replace(self.worker, count=0, limit=0),
            idle=True,
        )


@dataclass(frozen=True, kw_only=True)
class StripeSettings:
    api_url: str
    publishable_key: str
    """Public by design: it stands in web pages. The secret key lives in Secrets Manager."""
    script_url: str
    script_origins: tuple[str, ...]
    """Where Stripe.js comes from and what it opens frames of: https://docs.stripe.com/security/guide."""
    frame_origins: tuple[str, ...]
    partner_event_source: str | None = None
    """Stripe's event source in EventBridge (`aws.partner/stripe.com/ed_…`), archived beside the webhook; None: off."""

    def __post_init__(self) -> None:
        if self.partner_event_source is not None and not _STRIPE_SOURCE.fullmatch(self.partner_event_source):
            raise ValueError(f"{self.partner_event_source!r} is no event source of Stripe's.")


@dataclass(frozen=True, kw_only=True)
class MailSettings:
    domain: str
    sender: str


@dataclass(frozen=True, kw_only=True)
class Registry:
    """The repository of images, in the account of the one environment that holds it."""

    readers: tuple[str, ...]
    """Accounts of the other environments, which run the same image from here."""
    keep: int
    """Images kept; each deployment pushes one."""

    def __post_init__(self) -> None:
        if self.keep < 10:  # noqa: PLR2004 - a week of deployments, and the way back through it
            raise ValueError(f"Keeping {self.keep} images would delete one that still runs.")


@dataclass(frozen=True, kw_only=True)
class DeliverySettings:
    repository: GitHubRepository
    """Whose jobs may deploy here."""
    registry: Registry | None


@dataclass(frozen=True, kw_only=True)
class BudgetSettings:
    """What a month may cost before people are told. Raises ValueError for a budget nobody would hear of."""

    monthly_usd: int
    tell: str
    """The address that is told."""
    shares_account: bool = False
    """Whether others spend in the same account: then only what is tagged as this environment's counts."""

    def __post_init__(self) -> None:
        if self.monthly_usd < 1:
            raise ValueError(f"A budget of {self.monthly_usd} USD is spent before the month begins.")
        if "@" not in self.tell:
            raise ValueError(f"A budget tells someone by e-mail, and {self.tell!r} is no address.")


@dataclass(frozen=True, kw_only=True)
class Lease:
    """Whose a named sandbox is, and the last day it is there."""

    owner: str
    expires: date


@dataclass(frozen=True, kw_only=True)
class FixedAddresses:
    """Addresses known before anything is deployed. Without them AWS's generated names are used."""

    api_url: str
    edge_url: str
    api_port: int


@dataclass(frozen=True, kw_only=True)
class Environment:
    """Everything one environment decides. Raises ValueError for what must never be deployed."""

    name: str
    account: str
    region: str
    replica_region: str | None
    """Where copies of what cannot be made again are kept; None where losing a region may lose the environment."""
    zones: tuple[str, ...]
    livemode: bool
    """Whether real money moves."""
    durability: Durability
    log_origin: str
    """The transparency log's name: first line of each checkpoint, for ever."""
    image: ImageReference
    network: NetworkSettings
    database: DatabaseSettings
    cache: CacheSettings
    tasks: TaskFleet
    stripe: StripeSettings
    mail: MailSettings
    domain: DomainSettings | None
    """Without one AWS's generated names are used, and nothing need be delegated before the first deployment."""
    addresses: FixedAddresses | None
    delivery: DeliverySettings | None
    """None where nothing is delivered to: on a laptop, and in whatever shares an account that already has it."""
    log_retention: logs.RetentionDays
    alarm_email: str | None
    sentry_dsn: str = ""
    """Where errors nobody anticipated are sent; empty sends none. Like every DSN it may only write, so it is no secret."""
    outside_view_minutes: int | None
    """How often the public API and the log are checked from outside; None: never."""
    event_archive_days: int
    budget: BudgetSettings | None
    """None where nobody could be told."""
    lease: Lease | None = None
    """Only named sandboxes have one; see `stacks/sandboxes.py`."""

    def __post_init__(self) -> None:
        if self.livemode and self.durability.loss is not Loss.NEVER:
            raise ValueError(f"{self.name} moves real money, so its data can never be lost.")
        if self.livemode != self.stripe.publishable_key.startswith("pk_live_"):
            raise ValueError(f"{self.name}: a live Stripe key and live mode belong together.")
        if self.livemode and self.replica_region is None:
            raise ValueError(f"{self.name} moves real money, so its data needs copies in another region.")
        if self.replica_region == self.region:
            raise ValueError(f"{self.name}: copies in {self.region} itself would be lost with it.")
        if isinstance(self.database.master, RotatedByUs) and not self._secrets_can_be_reached():
            raise ValueError(
                f"{self.name}: rotating the master password needs a NAT gateway or a secretsmanager endpoint."
            )
        if self.tasks.opens_shells and self.kind != "sandbox":
            raise ValueError(f"{self.name}: only the sandbox lets people into its tasks.")
        if any(not zone.startswith(self.region) for zone in self.zones):
            raise ValueError(f"{self.name}: zones {self.zones} are not all in {self.region}.")
        if self.cache.replicas >= len(self.zones):
            raise ValueError(
                f"{self.name}: {self.cache.replicas} cache replicas need more than {self.zones}."
            )
        self._check_names()

    def _check_names(self) -> None:
        if self.livemode and self.domain is None:
            raise ValueError(f"{self.name}: receipts name the log for ever, so it needs a domain of its own.")
        if self.domain and self.addresses:
            raise ValueError(f"{self.name}: fixed addresses and a domain are two answers to one question.")
        if self.domain and self.mail.domain != self.domain.apex:
            raise ValueError(f"{self.name}: mail comes from {self.domain.apex}, where its records can stand.")

    def _secrets_can_be_reached(self) -> bool:
        """From where functions stand: they get no public address, not even in a public subnet."""
        return self.network.nat_gateway or (
            InterfaceEndpoint.SECRETS_MANAGER in self.network.interface_endpoints
        )

    @property
    def kind(self) -> str:
        """What it is configured as: a named sandbox is a sandbox."""
        return SANDBOX.name if self.lease else self.name

    @property
    def api_port(self) -> int:
        return self.addresses.api_port if self.addresses else API_PORT


REPOSITORY = GitHubRepository(
    owner="amply-example", owner_id=100000001, name="amply", repository_id=200000001
)

PRODUCTION = Environment(
    name="production",
    account="111111111111",
    region="eu-west-1",
    replica_region="eu-central-1",
    zones=("eu-west-1a", "eu-west-1b", "eu-west-1c"),
    livemode=True,
    durability=PERMANENT,
    log_origin="log.amply.example/production",
    image=ImageReference(repository="111111111111.dkr.ecr.eu-west-1.amazonaws.com/amply", digest=None),
    network=NetworkSettings(
        cidr="10.10.0.0/16",
        way_out=WayOut.NAT_GATEWAY,
        # With KMS inside and S3 by its gateway, the ledger is signed and published even without a way out.
        interface_endpoints=frozenset({InterfaceEndpoint.KMS}),
        flow_logs=True,
    ),
    database=DatabaseSettings(
        instance_type=ec2.InstanceType.of(ec2.InstanceClass.M7G, ec2.InstanceSize.LARGE),
        multi_az=True,
        storage_gib=100,
        storage_limit_gib=1000,
        name="amply",
        maintenance_window="sun:03:30-sun:04:30",
        insights=Insights.STANDARD,
        master=ManagedByRds(),
        connections=Connections.DIRECT,
    ),
    cache=CacheSettings(node_type="cache.t4g.small", replicas=1),
    tasks=TaskFleet(
        api=TaskSettings(size=TaskSize(cpu=1024, memory_mib=2048), count=2, limit=10),
        worker=TaskSettings(size=TaskSize(cpu=512, memory_mib=1024), count=2, limit=10),
        single=TaskSize(cpu=256, memory_mib=512),
        insights=True,
        rollout=CanaryRollout(percent=10, canary_minutes=5, bake_minutes=10),
        opens_shells=False,
    ),
    stripe=StripeSettings(
        api_url="https://api.stripe.com",
        publishable_key="pk_live_amply",
        script_url="https://js.stripe.com/v3/",
        script_origins=("https://js.stripe.com", "https://*.js.stripe.com"),
        frame_origins=("https://js.stripe.com", "https://*.js.stripe.com", "https://hooks.stripe.com"),
    ),
    mail=MailSettings(domain="amply.example", sender="receipts@amply.example"),
    domain=DomainSettings(apex="amply.example", dmarc="quarantine", reports="postmaster@amply.example"),
    addresses=None,
    delivery=DeliverySettings(
        repository=REPOSITORY,
        registry=Registry(readers=("222222222222", "333333333333"), keep=50),
    ),
    log_retention=logs.RetentionDays.ONE_YEAR,
    alarm_email="oncall@amply.example",
    outside_view_minutes=5,
    event_archive_days=400,
    budget=BudgetSettings(monthly_usd=1500, tell="oncall@amply.example"),
)

# Three zones as in production: subnets cost nothing, the gateway is one, and how tasks spread and how a failover goes
# is what staging is there to show.
STAGING = replace(
    PRODUCTION,
    name="staging",
    account="222222222222",
    replica_region=None,
    livemode=False,
    durability=RECOVERABLE,
    log_origin="log.amply.example/staging",
    network=replace(PRODUCTION.network, cidr="10.20.0.0/16"),
    database=replace(
        PRODUCTION.database,
        instance_type=ec2.InstanceType.of(ec2.InstanceClass.T4G, ec2.InstanceSize.MEDIUM),
        storage_gib=20,
        storage_limit_gib=100,
        maintenance_window="wed:03:30-wed:04:30",
    ),
    cache=replace(PRODUCTION.cache, node_type="cache.t4g.micro"),
    stripe=replace(PRODUCTION.stripe, publishable_key="pk_test_amply_staging"),
    mail=MailSettings(domain="staging.amply.example", sender="receipts@staging.amply.example"),
    domain=DomainSettings(
        apex="staging.amply.example", dmarc="quarantine", reports="postmaster@amply.example"
    ),
    delivery=DeliverySettings(repository=REPOSITORY, registry=None),
    log_retention=logs.RetentionDays.ONE_MONTH,
    event_archive_days=30,
    budget=BudgetSettings(monthly_usd=900, tell="oncall@amply.example"),
)

SANDBOX = replace(
    STAGING,
    name="sandbox",
    account="333333333333",
    zones=("eu-west-1a", "eu-west-1b"),
    durability=DISPOSABLE,
    log_origin="log.amply.example/sandbox",
    network=NetworkSettings(
        cidr="10.30.0.0/16",
        way_out=WayOut.PUBLIC_ADDRESS,
        interface_endpoints=frozenset(),
        flow_logs=False,
    ),
    database=replace(
        STAGING.database,
        instance_type=ec2.InstanceType.of(ec2.InstanceClass.T4G, ec2.InstanceSize.MICRO),
        multi_az=False,
        storage_limit_gib=50,
        insights=Insights.NONE,
    ),
    cache=replace(STAGING.cache, replicas=0),
    tasks=TaskFleet(
        api=TaskSettings(size=TaskSize(cpu=256, memory_mib=512), count=1, limit=1),
        worker=TaskSettings(size=TaskSize(cpu=256, memory_mib=512), count=1, limit=1),
        single=TaskSize(cpu=256, memory_mib=512),
        insights=False,
        rollout=None,
        opens_shells=True,
    ),
    stripe=replace(STAGING.stripe, publishable_key="pk_test_amply_sandbox"),
    mail=MailSettings(domain="sandbox.amply.example", sender="receipts@sandbox.amply.example"),
    # Whoever wants a sandbox wants it today: nobody waits for a parent zone to delegate.
    domain=None,
    log_retention=logs.RetentionDays.ONE_WEEK,
    alarm_email=None,
    outside_view_minutes=None,
    event_archive_days=7,
    budget=BudgetSettings(monthly_usd=250, tell="sandboxes@amply.example"),
)


def local(port_base: int = DEFAULT_PORT_BASE) -> Environment:
    """The environment on a laptop, its addresses counted from `port_base`: API +0, edge +1, Stripe +2."""
    if not 1024 <= port_base <= 65528:  # noqa: PLR2004 - unprivileged, and seven ports fit above
        raise ValueError(f"port_base {port_base} leaves no room for seven unprivileged ports.")
    api_url, edge_url, stripe_url = (f"http://127.0.0.1:{port_base + offset}" for offset in range(3))
    return replace(
        SANDBOX,
        name="local",
        account="000000000000",
        region="us-east-1",
        zones=("us-east-1a", "us-east-1b"),
        # One day of a real lock, so that what the lock breaks breaks here first.
        durability=replace(DISPOSABLE, object_lock=ObjectLock(mode=LockMode.GOVERNANCE, days=1)),
        log_origin="localhost/amply-log",
        image=ImageReference(repository="localhost/amply", digest="sha256:" + "0" * 64),
        tasks=replace(SANDBOX.tasks, opens_shells=False),
        stripe=StripeSettings(
            api_url=stripe_url,
            publishable_key="pk_test_amply_local",
            script_url=f"{stripe_url}/v3/",
            script_origins=(stripe_url,),
            frame_origins=(stripe_url,),
        ),
        mail=MailSettings(domain="local.amply.example", sender="receipts@local.amply.example"),
        addresses=FixedAddresses(api_url=api_url, edge_url=edge_url, api_port=port_base),
        delivery=None,
    )


LOCAL = local()

ENVIRONMENTS: Mapping[EnvironmentName, Environment] = {
    "production": PRODUCTION,
    "staging": STAGING,
    "sandbox": SANDBOX,
    "local": LOCAL,
}
