"""The environments. Production is written out in full, the others as differences from it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs

from constructs_lib.durability import (
    DISPOSABLE,
    PERMANENT,
    RECOVERABLE,
    LockMode,
    ObjectLock,
)
from constructs_lib.github import GitHubRepository
from constructs_lib.rollout import CanaryRollout
from constructs_lib.service import TaskSize
from stacks.database_choices import Connections, Insights, ManagedByRds
from stacks.domain import DomainSettings
from stacks.environment import (
    BudgetSettings,
    CacheSettings,
    DatabaseSettings,
    DeliverySettings,
    Environment,
    FixedAddresses,
    MailSettings,
    NetworkSettings,
    Registry,
    StripeSettings,
    TaskFleet,
    TaskSettings,
    TraceSettings,
)
from stacks.images import ImageReference
from stacks.local_ports import DEFAULT_BASE, LOOPBACK, LocalPorts
from stacks.network_choices import InterfaceEndpoint, WayOut
from stacks.recovery_plan import RecoveryPlan
from stacks.witnesses import AWAITED, Unwitnessed, awaited_key

EnvironmentName = Literal["production", "staging", "sandbox", "local"]

REPOSITORY = GitHubRepository(
    owner="amply-example", owner_id=100000001, name="amply", repository_id=200000001
)

PRODUCTION = Environment(
    name="production",
    account="111111111111",
    region="eu-west-1",
    replica_region="eu-central-1",
    recovery=RecoveryPlan(
        zones=("eu-central-1a", "eu-central-1b", "eu-central-1c"),
        replica_region="eu-north-1",
    ),
    zones=("eu-west-1a", "eu-west-1b", "eu-west-1c"),
    livemode=True,
    durability=PERMANENT,
    log_origin="log.amply.example/production",
    log_keys=(awaited_key("log.amply.example/production"),),
    witnesses=AWAITED,
    image=ImageReference(repository="111111111111.dkr.ecr.eu-west-1.amazonaws.com/amply", digest=None),
    network=NetworkSettings(
        cidr="10.10.0.0/16",
        way_out=WayOut.NAT_GATEWAY,
        # With KMS inside and S3 by its gateway, only the witnesses are asked through the way out.
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
        registry=Registry(readers=("222222222222", "333333333333")),
    ),
    log_retention=logs.RetentionDays.ONE_YEAR,
    alarm_email="oncall@amply.example",
    # One read in twenty says how reads go; one per cent of summaries is what AWS gives away.
    traces=TraceSettings(share_of_reads=0.05, indexed_percent=1),
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
    recovery=None,
    livemode=False,
    durability=RECOVERABLE,
    log_origin="log.amply.example/staging",
    log_keys=(),
    witnesses=Unwitnessed(
        because="partners watch the log that counts; staging's must publish without them, or nothing gets past it"
    ),
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
    witnesses=Unwitnessed(because="a sandbox and its log are gone within weeks; partners watch what stays"),
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
    # Transaction Search belongs to the account, and sandboxes share theirs; a laptop names a collector of its own.
    traces=None,
    outside_view_minutes=None,
    event_archive_days=7,
    budget=BudgetSettings(monthly_usd=250, tell="sandboxes@amply.example"),
)


def local(port_base: int = DEFAULT_BASE) -> Environment:
    """The local environment, with addresses from `port_base` (`LocalPorts`)."""
    ports = LocalPorts(base=port_base)
    api_url, edge_url, stripe_url, cloud_url = (
        f"http://{LOOPBACK}:{port}" for port in (ports.api, ports.edge, ports.stripe, ports.cloud)
    )
    return replace(
        SANDBOX,
        name="local",
        account="000000000000",
        region="us-east-1",
        zones=("us-east-1a", "us-east-1b"),
        # One day of a real lock, so that what the lock breaks breaks here first.
        durability=replace(DISPOSABLE, object_lock=ObjectLock(mode=LockMode.GOVERNANCE, days=1)),
        log_origin="localhost/amply-log",
        witnesses=Unwitnessed(
            because="three are started beside it; the runner tells the publisher of their keys"
        ),
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
        addresses=FixedAddresses(
            api_url=api_url,
            edge_url=edge_url,
            upload_url=cloud_url,
            api_port=ports.api,
        ),
        delivery=None,
    )


LOCAL = local()

ENVIRONMENTS: Mapping[EnvironmentName, Environment] = {
    "production": PRODUCTION,
    "staging": STAGING,
    "sandbox": SANDBOX,
    "local": LOCAL,
}
