"""The configuration type of an environment: frozen, and refusing unsafe combinations. Values: `environments.py`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs

from constructs_lib.durability import Durability, Loss
from constructs_lib.github import GitHubRepository
from constructs_lib.rollout import CanaryRollout
from constructs_lib.service import TaskSize
from ledger_format.notes import VerifierKey
from ledger_format.policies import parse_policy
from stacks.contracts import API_PORT
from stacks.database_choices import Connections, Insights, MasterPassword, RotatedByUs
from stacks.domain import DomainSettings
from stacks.features import Features
from stacks.images import ImageReference
from stacks.network_choices import InterfaceEndpoint, WayOut
from stacks.recovery_plan import RecoveryPlan
from stacks.signing_keys import SigningKeys
from stacks.witnesses import Witnessing, awaited_key

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
    """Stripe's event source in EventBridge (`aws.partner/stripe.com/ed_…`): another way in, and archived. None: off."""

    def __post_init__(self) -> None:
        if self.partner_event_source is not None and not _STRIPE_SOURCE.fullmatch(self.partner_event_source):
            raise ValueError(f"{self.partner_event_source!r} is no event source of Stripe's.")


@dataclass(frozen=True, kw_only=True)
class OpenIdProvider:
    """An OpenID provider for sign-in. Its client secret is in Secrets Manager under `key`; without it, it is not
    offered.
    """

    key: str
    name: str
    """As people read it on the button."""
    issuer: str
    client_id: str


@dataclass(frozen=True, kw_only=True)
class MailSettings:
    domain: str
    sender: str


@dataclass(frozen=True, kw_only=True)
class Registry:
    """The image repository, in the account of one environment."""

    readers: tuple[str, ...]
    """Accounts of the other environments, which run the same image from here."""


@dataclass(frozen=True, kw_only=True)
class DeliverySettings:
    repository: GitHubRepository
    """Whose jobs may deploy here."""
    registry: Registry | None


@dataclass(frozen=True, kw_only=True)
class BudgetSettings:
    """Monthly limit and recipients. Raises ValueError for a budget without recipients."""

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
class TraceSettings:
    """Trace sampling. Requests that change something are always traced.

    Raises ValueError for shares that are none. One environment an account: the setting behind it is the account's.
    """

    share_of_reads: float
    """Of the requests that only read, 0 to 1."""
    indexed_percent: float
    """Of the recorded traces, X-Ray's own summaries; the spans of all of them can be searched."""

    def __post_init__(self) -> None:
        if not 0 <= self.share_of_reads <= 1:
            raise ValueError(f"{self.share_of_reads} is no share of requests: say a number from 0 to 1.")
        if not 0 <= self.indexed_percent <= 100:  # noqa: PLR2004 -- per cent
            raise ValueError(
                f"{self.indexed_percent} is no percentage of traces: say a number from 0 to 100."
            )


@dataclass(frozen=True, kw_only=True)
class Lease:
    """Owner and last day of a named sandbox."""

    owner: str
    expires: date


@dataclass(frozen=True, kw_only=True)
class FixedAddresses:
    """Addresses known before deployment. Otherwise AWS's generated names are used."""

    api_url: str
    edge_url: str
    upload_url: str
    """Where signed forms are posted to: the emulated cloud, which has no hosts of buckets."""
    api_port: int


@dataclass(frozen=True, kw_only=True)
class Environment:
    """The complete configuration of one environment. Raises ValueError for unsafe combinations."""

    name: str
    account: str
    region: str
    replica_region: str | None
    """Where copies of what cannot be made again are kept; None where losing a region may lose the environment."""
    recovery: RecoveryPlan | None
    """What it would be in the region of its copies."""
    lost_region: str | None = None
    """Where it was, once it comes back where its copies are; only `stacks/failover.py` says this."""
    zones: tuple[str, ...]
    livemode: bool
    """Whether real money moves."""
    durability: Durability
    log_origin: str
    """The transparency log's name: first line of each checkpoint, for ever."""
    log_keys: tuple[str, ...] = ()
    """Verifier keys of the log that the pages pin, the former ones too; known once the signing key exists."""
    witnesses: Witnessing
    """Who must have cosigned a checkpoint before it is shown, and before the pages trust it."""
    image: ImageReference
    network: NetworkSettings
    database: DatabaseSettings
    cache: CacheSettings
    tasks: TaskFleet
    stripe: StripeSettings
    sign_in: tuple[OpenIdProvider, ...] = ()
    """The providers that sign people in, for the whole environment."""
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
    traces: TraceSettings | None
    """None: nothing is recorded, and nothing could be sent."""
    outside_view_minutes: int | None
    """How often the public API and the log are checked from outside; None: never."""
    event_archive_days: int
    budget: BudgetSettings | None
    """None where nobody could be told."""
    signing_keys: SigningKeys = SigningKeys()  # noqa: RUF009 -- frozen
    """Changed only by a rotation: docs/runbooks/signing-key-rotation.md."""
    features: Features = Features()  # noqa: RUF009 -- frozen
    """Which parts of the data platform there are."""
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
        self._check_recovery()
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
        if self.livemode:
            self._check_receipts()
        self._check_names()

    def _check_recovery(self) -> None:
        plan, lost = self.recovery, self.signing_keys.lost
        if (plan is None) != (self.replica_region is None):
            raise ValueError(
                f"{self.name}: copies in another region and a plan for coming back there are one thing."
            )
        if plan and not self.lost_region and plan.replica_region in {self.region, self.replica_region}:
            raise ValueError(f"{self.name}: once {self.region} is lost, copies go to a third region.")
        if lost is not None and not self.tasks.idle:
            raise ValueError(
                f"{self.name}: key {lost} is lost with its region, and nothing may run until `last_tree` of the "
                "recovery says where it stopped. To put everything in place first: -c idle=true"
            )

    def _check_receipts(self) -> None:
        """Where real money moves people keep receipts for years."""
        if not self.witnesses.demanded:
            raise ValueError(f"{self.name} gives out receipts for real money, so its log needs witnesses.")
        if not self.log_keys:
            raise ValueError(
                f"{self.name} gives out receipts for real money, so its pages pin the log's key."
            )
        if self.domain is None:
            raise ValueError(f"{self.name}: receipts name the log for ever, so it needs a domain of its own.")

    def _check_names(self) -> None:
        if any(VerifierKey.parse(key).name != self.log_origin for key in self.log_keys):
            raise ValueError(f"{self.name}: the pages pin keys of the log {self.log_origin} alone.")
        if self.log_keys:
            parse_policy(self.ledger_policy.encode())
        if self.domain and self.addresses:
            raise ValueError(f"{self.name}: fixed addresses and a domain are two answers to one question.")
        if self.domain and self.mail.domain != self.domain.apex:
            raise ValueError(f"{self.name}: mail comes from {self.domain.apex}, where its records can stand.")

    def _secrets_can_be_reached(self) -> bool:
        """From where functions stand: they get no public address, not even in a public subnet."""
        return self.network.nat_gateway or (
            InterfaceEndpoint.SECRETS_MANAGER in self.network.interface_endpoints
        )

    def unfinished(self) -> Iterator[str]:
        """A sentence for each placeholder that must be replaced before deployment."""
        if awaited := self.witnesses.awaited:
            yield (
                f"{self.name}: nobody can cosign for the placeholders {', '.join(awaited)}, so its ledger would publish "
                "nothing; write the witnesses who agreed into stacks/environments.py "
                "(docs/runbooks/first-deployment.md)."
            )
        if awaited_key(self.log_origin) in self.log_keys:
            yield (
                f"{self.name}: nobody can sign with the placeholder in log_keys, so its pages would trust nothing; "
                "write the log's verifier key into stacks/environments.py (docs/runbooks/first-deployment.md)."
            )

    @property
    def ledger_policy(self) -> str:
        """The witness policy for pages (https://c2sp.org/tlog-policy); empty while no key is pinned."""
        logs = "".join(f"log {key}\n" for key in self.log_keys)
        return f"{logs}{self.witnesses.policy()}" if logs else ""

    @property
    def delivered_by(self) -> DeliverySettings | None:
        """Whose jobs get roles here. Roles have names, and those of a lost region are still there: then people deploy."""
        return None if self.lost_region else self.delivery

    @property
    def kind(self) -> str:
        """The kind of its configuration: a named sandbox is a sandbox."""
        return "sandbox" if self.lease else self.name

    @property
    def owns_account(self) -> bool:
        """Whether it owns account-wide settings: named sandboxes share the shared one's."""
        return self.lease is None

    @property
    def api_port(self) -> int:
        return self.addresses.api_port if self.addresses else API_PORT
