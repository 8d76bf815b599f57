"""Names that others rely on: SSM parameters, and the variables of each container. No CDK in here."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Parameter(StrEnum):
    """SSM parameters under `/amply/{environment}/`. Changing one affects its readers."""

    SITE_BUCKET = "edge/site-bucket"
    DISTRIBUTION_ID = "edge/distribution-id"
    EDGE_URL = "edge/url"
    API_URL = "api/url"
    PUBLIC_BUCKET = "storage/public-bucket"
    ARCHIVE_BUCKET = "storage/archive-bucket"
    DOCUMENTS_BUCKET = "storage/documents-bucket"
    KEY_TREE_BUCKET = "storage/key-tree-bucket"
    MEDIA_BUCKET = "storage/media-bucket"
    SIGNING_KEY_ARN = "ledger/signing-key-arn"
    LOG_ORIGIN = "ledger/origin"
    MASTER_SECRET_ARN = "database/master-secret-arn"  # noqa: S105 -- the name of a parameter
    STRIPE_SECRET_ARN = "stripe/secret-arn"  # noqa: S105 -- the name of a parameter
    TASK_SUBNETS = "network/task-subnets"
    TASK_ADDRESSES = "network/task-public-address"
    JOBS_GROUP = "network/jobs-group"
    CLUSTER_NAME = "api/cluster-name"
    ADMIN_ROLE_ARN = "administration/role-arn"
    ADMIN_LOG_GROUP = "administration/log-group"
    MAIL_SENDER = "mail/sender"
    MAIL_FEEDBACK_URL = "mail/feedback-url"

    def path(self, environment: str) -> str:
        return f"/amply/{environment}/{self.value}"


class RecoveryParameter(StrEnum):
    """SSM parameters in the second region, of environments with copies there.

    All but `NAMES` are written while all is well, by the stack `recovery`, and those of the lake by `lakerecovery`; what comes
    back there reads them. `NAMES` is written by what came back: the change of records that leads people to it.
    """

    HOSTED_ZONE = "recovery/hosted-zone"
    CERTIFICATE = "recovery/certificate-arn"
    COMMITMENTS = "recovery/commitments-secret-arn"
    PEOPLE = "recovery/people-secret-arn"
    PERSONAL_KEY = "recovery/personal-key-arn"
    LAKE_PSEUDONYMS = "recovery/lake-pseudonyms-key-arn"
    LAKE_CERTIFICATES = "recovery/lake-certificates-key-arn"
    LAKE_CONSENTS = "recovery/lake-consents-table"
    LAKE_DATASETS = "recovery/lake-datasets-table"
    LAKE_CONTRACTS = "recovery/lake-contracts-table"
    LAKE_USAGE = "recovery/lake-usage-table"
    LAKE_REVENUE = "recovery/lake-revenue-table"
    LAKE_GRANTS = "recovery/lake-grants-table"
    NAMES = "recovery/names"

    def path(self, environment: str) -> str:
        return f"/amply/{environment}/{self.value}"


PARAMETER_DESCRIPTIONS: Mapping[Parameter | RecoveryParameter, str] = {
    Parameter.SITE_BUCKET: "Bucket behind the edge's default behaviour: widgets and pages",
    Parameter.DISTRIBUTION_ID: "CloudFront distribution of the edge, for invalidations",
    Parameter.EDGE_URL: "Where the pages, the widgets and the log are reached",
    Parameter.API_URL: "Where the API is reached",
    Parameter.PUBLIC_BUCKET: "Bucket behind the edge's /log/*: checkpoint and tiles",
    Parameter.ARCHIVE_BUCKET: "Write-once bucket of signed checkpoints",
    Parameter.DOCUMENTS_BUCKET: "Bucket of what organisations hand in: to restore it",
    Parameter.KEY_TREE_BUCKET: "Bucket of the trees of keys: to restore one",
    Parameter.MEDIA_BUCKET: "Bucket behind the edge's /media/*: a name there never means other bytes",
    Parameter.SIGNING_KEY_ARN: "Key that signs checkpoints; its public half is what verifiers pin",
    Parameter.LOG_ORIGIN: "First line of every checkpoint: the log's name",
    Parameter.MASTER_SECRET_ARN: "Database master user (keys username, password); read by the task that makes roles alone",
    Parameter.STRIPE_SECRET_ARN: "Stripe credentials (keys secret_key, webhook_secret); filled in by people",
    Parameter.TASK_SUBNETS: "Subnets tasks run in, with commas between, for one-off tasks",
    Parameter.TASK_ADDRESSES: "ENABLED where tasks need a public address to go out with, else DISABLED",
    Parameter.JOBS_GROUP: "Security group of background and one-off tasks",
    Parameter.CLUSTER_NAME: "ECS cluster of all services, for one-off tasks",
    Parameter.ADMIN_ROLE_ARN: "Role that runs the administration's task once, for people",
    Parameter.ADMIN_LOG_GROUP: "Log group of the administration's task: what its commands print",
    Parameter.MAIL_SENDER: "Address receipts come from",
    Parameter.MAIL_FEEDBACK_URL: "Queue of bounces, complaints, delays and rejections, as SES reports them",
    RecoveryParameter.HOSTED_ZONE: "The zone, for what comes back in this region",
    RecoveryParameter.CERTIFICATE: "The edge's certificate in us-east-1, for what comes back in this region",
    RecoveryParameter.COMMITMENTS: "This region's copy of the secret that wraps donors' salts",
    RecoveryParameter.PEOPLE: "This region's copy of the secret that seals people's addresses",
    RecoveryParameter.PERSONAL_KEY: "This region's replica of the key that wraps the keys of personal data",
    RecoveryParameter.LAKE_PSEUDONYMS: "This region's replica of the key of keyed hashes and pseudonyms",
    RecoveryParameter.LAKE_CERTIFICATES: "This region's replica of the key that makes the certificates' signer",
    RecoveryParameter.LAKE_CONSENTS: "Table of consents, of which this region has a replica",
    RecoveryParameter.LAKE_DATASETS: "Table of datasets, of which this region has a replica",
    RecoveryParameter.LAKE_CONTRACTS: "Table of contracts, of which this region has a replica",
    RecoveryParameter.LAKE_USAGE: "Table of usage, of which this region has a replica",
    RecoveryParameter.LAKE_REVENUE: "Table of revenue shares, of which this region has a replica",
    RecoveryParameter.LAKE_GRANTS: "Table of grants, of which this region has a replica",
    RecoveryParameter.NAMES: "Change of records that leads people to what came back here",
}

STRIPE_WEBHOOK_PATH = "/v1/webhooks/stripe"
"""Where Stripe reports payments; no firewall rule may stand in its way."""
RUNBOOKS = "docs/runbooks/alarms"
"""Where the page of each alarm is, in this repository."""


def budget_name(environment: str) -> str:
    """The budget's name, by which `operations.cost_check` finds it."""
    return f"amply-{environment}"


OWNER_TAG = "amply:owner"
EXPIRES_TAG = "amply:expires"
"""Stacks with both are a named sandbox, and `operations.sandboxes` takes them away after that day."""

READ_IN_DEPLOYMENTS_TAG = "amply:read-in-deployments"
"""On the secrets that templates resolve, with the environment's name; CloudFormation may read no others (`bootstrap/`)."""

HEARTBEAT_PATH = "/run/amply/heartbeat"
API_PORT = 8080
CLIENT_ADDRESS_HEADER = "X-Amply-Client"
"""The HTTP API overwrites it with the address it saw; the API counts rate limits by it."""


class TaskName(StrEnum):
    """Also the container's name and, after the environment, the task family's: `staging-worker`."""

    API = "api"
    WORKER = "worker"
    SCHEDULER = "scheduler"
    SEQUENCER = "sequencer"
    PUBLISHER = "publisher"
    MIGRATE = "migrate"
    ROLES = "roles"
    REHEARSE = "rehearse"
    ADMIN = "admin"
    RELEASES = "releases"
    """Only where the data platform takes what comes in (`Features.etl`)."""


@dataclass(frozen=True, kw_only=True)
class ContainerContract:
    """A task's command, plain variables, and variables resolved from resources."""

    command: tuple[str, ...]
    health_check: tuple[str, ...] | None
    environment: frozenset[str]
    secrets: frozenset[str]
    database_user: str | None
    """PostgreSQL user it signs in as with an IAM token; None where the user comes from a secret."""
    past_proxy: bool = False
    """Whether it holds locks and settings of a session, which a shared connection cannot keep."""
    shared_data: frozenset[str] = frozenset()
    """What it is told beyond that where donors may let data be shared."""
    sold_data: frozenset[str] = frozenset()
    """What it is told beyond that where released data is sold."""
    portal_data: frozenset[str] = frozenset()
    """What it is told beyond that where sellers have pages."""

    @property
    def is_traced(self) -> bool:
        return self.environment >= _TRACES


_EVERY = frozenset({"AMPLY_SERVICE", "AMPLY_ENVIRONMENT", "AMPLY_LIVEMODE", "AMPLY_SENTRY_DSN", "AWS_REGION"})
_DATABASE = frozenset({f"AMPLY_DATABASE_{part}" for part in ("HOST", "PORT", "NAME", "USER", "AUTH", "TLS")})
_CACHE = frozenset({f"AMPLY_CACHE_{part}" for part in ("HOST", "PORT", "TLS")})
_QUEUES = frozenset({"AMPLY_QUEUE_HIGH_URL", "AMPLY_QUEUE_LOW_URL"})
_STRIPE = frozenset({"AMPLY_STRIPE_API_URL", "AMPLY_STRIPE_PUBLISHABLE_KEY"})
_MAIL = frozenset({"AMPLY_MAIL_SENDER", "AMPLY_MAIL_CONFIGURATION_SET", "AMPLY_MAIL_FEEDBACK_URL"})
_DOCUMENTS = frozenset({"AMPLY_DOCUMENTS_BUCKET"})
_SOLD = frozenset({"AMPLY_LAKE_CONTRACTS_TABLE", "AMPLY_LAKE_DATASETS_TABLE"})
_TRACES = frozenset({"AMPLY_TRACES_URL"})
"""Of those whose work belongs to one gift; the ledger's processes work on all of them at once."""
_INSTALLED = "/opt/amply/lib/python3.11/site-packages/amply"
"""Where the image has the backend."""
_BEATING = ("CMD", "python", "-m", "amply.entrypoints.health", "heartbeat")


def _entrypoint(name: str) -> tuple[str, ...]:
    return ("python", "-m", f"amply.entrypoints.{name}")


CONTAINERS: Mapping[TaskName, ContainerContract] = {
    TaskName.API: ContainerContract(
        command=_entrypoint("http"),
        health_check=("CMD", "python", "-m", "amply.entrypoints.health", "http"),
        environment=_EVERY
        | _DATABASE
        | _CACHE
        | _STRIPE
        | _DOCUMENTS
        | _TRACES
        | {
            "AMPLY_TRACED_READS",
            "AMPLY_PERSONAL_KEY_ARN",
            "AMPLY_KEY_TREE_BUCKET",
            "AMPLY_API_HOST",
            "AMPLY_API_PORT",
            "AMPLY_API_TLS",
            "AMPLY_EDGE_URL",
            "AMPLY_LOG_URL",
            "AMPLY_CLIENT_ADDRESS_HEADER",
            "AMPLY_SIGN_IN_PROVIDERS",
            "AMPLY_EXPORTS_BUCKET",
        },
        secrets=frozenset(
            {
                "AMPLY_STRIPE_SECRET_KEY",
                "AMPLY_STRIPE_WEBHOOK_SECRET",
                "AMPLY_LINK_KEY",
                "AMPLY_PEOPLE_KEY",
                "AMPLY_SIGN_IN_SECRETS",
                "AMPLY_CACHE_PASSWORD",
            }
        ),
        database_user="amply_api",
        shared_data=frozenset({"AMPLY_LAKE_CONSENT_TABLE", "AMPLY_LAKE_RAW_BUCKET"}),
        portal_data=frozenset(
            {
                f"AMPLY_LAKE_{what}"
                for what in ("CURATED_BUCKET", "DATASETS_TABLE", "REVENUE_TABLE", "USAGE_TABLE")
            }
        ),
    ),
    TaskName.WORKER: ContainerContract(
        command=_entrypoint("worker"),
        health_check=_BEATING,
        environment=_EVERY
        | _DATABASE
        | _QUEUES
        | _STRIPE
        | _MAIL
        | _DOCUMENTS
        | _TRACES
        | {
            *("AMPLY_STRIPE_EVENTS_URL", "AMPLY_EDGE_URL", "AMPLY_ARCHIVE_BUCKET", "AMPLY_EXPORTS_BUCKET"),
            "AMPLY_MEDIA_BUCKET",
            "AMPLY_HEARTBEAT_PATH",
            "AMPLY_PERSONAL_KEY_ARN",
            "AMPLY_KEY_TREE_BUCKET",
        },
        secrets=frozenset(
            {"AMPLY_STRIPE_SECRET_KEY", "AMPLY_COMMITMENT_KEY", "AMPLY_LINK_KEY", "AMPLY_PEOPLE_KEY"}
        ),
        database_user="amply_app",
        shared_data=frozenset(
            {"AMPLY_LAKE_CONSENT_TABLE", "AMPLY_LAKE_DATASETS_TABLE", "AMPLY_LAKE_RAW_BUCKET"}
        ),
        sold_data=_SOLD | {"AMPLY_LAKE_USAGE_TABLE", "AMPLY_LAKE_REVENUE_TABLE"},
    ),
    TaskName.SCHEDULER: ContainerContract(
        command=_entrypoint("scheduler"),
        health_check=_BEATING,
        environment=_EVERY | _DATABASE | _QUEUES | _TRACES | {"AMPLY_EVENT_BUS", "AMPLY_HEARTBEAT_PATH"},
        secrets=frozenset(),
        database_user="amply_app",
    ),
    TaskName.SEQUENCER: ContainerContract(
        command=_entrypoint("sequencer"),
        health_check=_BEATING,
        environment=_EVERY | _DATABASE | {"AMPLY_LOG_ORIGIN", "AMPLY_HEARTBEAT_PATH"},
        secrets=frozenset(),
        database_user="amply_sequencer",
    ),
    TaskName.PUBLISHER: ContainerContract(
        command=_entrypoint("publisher"),
        health_check=_BEATING,
        environment=_EVERY
        | _DATABASE
        | {
            "AMPLY_LOG_ORIGIN",
            "AMPLY_PUBLIC_BUCKET",
            "AMPLY_ARCHIVE_BUCKET",
            "AMPLY_SIGNING_KEY_ARN",
            "AMPLY_OVERLAPPING_KEY_ARN",
            "AMPLY_FORMER_KEYS",
            "AMPLY_WITNESS_POLICY",
            "AMPLY_HEARTBEAT_PATH",
        },
        secrets=frozenset(),
        database_user="amply_sequencer",
    ),
    TaskName.MIGRATE: ContainerContract(
        command=(*_entrypoint("admin"), "migrate"),
        health_check=None,
        environment=_EVERY | _DATABASE,
        secrets=frozenset(),
        database_user="amply_migrate",
        past_proxy=True,
    ),
    TaskName.ROLES: ContainerContract(
        command=(*_entrypoint("admin"), "roles"),
        health_check=None,
        environment=_EVERY | (_DATABASE - {"AMPLY_DATABASE_USER"}),
        secrets=frozenset({"AMPLY_DATABASE_USER", "AMPLY_DATABASE_PASSWORD"}),
        database_user=None,
        past_proxy=True,
    ),
    TaskName.REHEARSE: ContainerContract(
        command=(
            *("python", "-m", "operations.restore", "rehearse"),
            *("--migrations", f"{_INSTALLED}/migrations/versions"),
        ),
        health_check=None,
        environment=frozenset({"AMPLY_ENVIRONMENT", "AMPLY_LOG_KEYS", "AWS_REGION"}),
        secrets=frozenset(),
        database_user=None,
    ),
    # Whoever may run this may run anything with it, so that its database user holds them: it can neither open nor erase a
    # donor. It has no key of commitments and no queues, and opens no envelope keys but those of organisations' own data.
    TaskName.ADMIN: ContainerContract(
        command=(*_entrypoint("admin"), "--help"),
        health_check=None,
        environment=(
            _EVERY | _DATABASE | _STRIPE | _DOCUMENTS | {"AMPLY_ARCHIVE_BUCKET", "AMPLY_PERSONAL_KEY_ARN"}
        ),
        secrets=frozenset({"AMPLY_STRIPE_SECRET_KEY"}),
        database_user="amply_operator",
        sold_data=_SOLD | {"AMPLY_LAKE_GRANTS_TABLE", "AMPLY_LAKE_USAGE_PLAN"},
    ),
    TaskName.RELEASES: ContainerContract(
        command=("python", "-m", "amply_releases"),
        health_check=_BEATING,
        environment=frozenset({"AMPLY_ENVIRONMENT", "AMPLY_HEARTBEAT_PATH", "AWS_REGION"}),
        secrets=frozenset(),
        database_user=None,
        shared_data=frozenset(
            {
                "AMPLY_LAKE_ARRIVALS_URL",
                "AMPLY_LAKE_RAW_BUCKET",
                "AMPLY_LAKE_CURATED_BUCKET",
                "AMPLY_LAKE_LEDGER_BUCKET",
                "AMPLY_LAKE_DATASETS_TABLE",
                "AMPLY_LAKE_CONSENT_TABLE",
                "AMPLY_LAKE_CONTRACTS_TABLE",
                "AMPLY_LAKE_GRANTS_TABLE",
                "AMPLY_LAKE_CATALOGUE",
                "AMPLY_LAKE_PSEUDONYM_KEY_ARN",
                "AMPLY_LAKE_CERTIFICATE_KEY_ARN",
                "AMPLY_LAKE_CERTIFICATE_NAME",
                "AMPLY_LAKE_COPIES",
            }
        ),
    ),
}
