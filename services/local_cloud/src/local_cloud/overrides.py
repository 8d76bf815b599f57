"""The environment variables in which a local process differs from its container, each with the reason."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from local_cloud.cloud import ACCESS
from local_cloud.settings import Settings
from stacks.local_ports import LOOPBACK


@dataclass(frozen=True, kw_only=True)
class Laptop:
    """What stands on this machine in the cloud's place.

    `database_passwords` are by user. `processor` is empty while the Stripe sandbox is the processor; otherwise
    it holds the variables that name the account someone brought. `collector` is where spans go; empty: nowhere.
    """

    settings: Settings
    database_passwords: Mapping[str, str]
    processor: Mapping[str, str]
    collector: str


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What an override may look at: the machine, the task's name, and what the task definition declares."""

    laptop: Laptop
    task: str
    declared: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Override:
    """One variable. It is replaced only when the task definition declares it, unless it is `added`.

    So a variable that a task definition forgot is missing here too, and the process fails here first.
    """

    name: str
    value: Callable[[Surroundings], str]
    because: str
    added: Callable[[Surroundings], bool] = lambda _: False


def apply(around: Surroundings) -> dict[str, str]:
    """The task's environment, with its overrides."""
    replaced = {
        override.name: override.value(around)
        for override in OVERRIDES
        if override.name in around.declared or override.added(around)
    }
    return {**around.declared, **replaced}


def _signs_in_with_iam(around: Surroundings) -> bool:
    return around.declared.get("AMPLY_DATABASE_AUTH") == "iam"


def _database_auth(around: Surroundings) -> str:
    return "password" if _signs_in_with_iam(around) else around.declared["AMPLY_DATABASE_AUTH"]


def _database_password(around: Surroundings) -> str:
    if not _signs_in_with_iam(around):
        return around.declared["AMPLY_DATABASE_PASSWORD"]
    return around.laptop.database_passwords[around.declared["AMPLY_DATABASE_USER"]]


def _of_the_processor(name: str) -> Callable[[Surroundings], str]:
    return lambda around: around.laptop.processor.get(name, around.declared[name])


def _always(_: Surroundings) -> bool:
    return True


_DATABASE_HERE = "PostgreSQL runs on this machine; the emulator has no RDS"
_CACHE_HERE = "Valkey runs on this machine; the emulator has no ElastiCache"
_CLOUD_HERE = "the AWS APIs are those of the emulator"
COLLECTOR = "OTEL_EXPORTER_OTLP_ENDPOINT"
"""OpenTelemetry's own name for it: services read it where their task definition names no place for spans."""
_OTHER_PROCESSOR = "when STRIPE_SECRET_KEY is set, that Stripe account stands where the sandbox does"

OVERRIDES: tuple[Override, ...] = (
    Override(name="AMPLY_DATABASE_HOST", value=lambda _: LOOPBACK, because=_DATABASE_HERE),
    Override(
        name="AMPLY_DATABASE_PORT",
        value=lambda around: str(around.laptop.settings.ports.postgres),
        because=_DATABASE_HERE,
    ),
    Override(
        name="AMPLY_DATABASE_AUTH",
        value=_database_auth,
        because="a PostgreSQL outside RDS knows no IAM tokens: those users sign in with a password",
    ),
    Override(
        name="AMPLY_DATABASE_PASSWORD",
        value=_database_password,
        because="the password that stands for the IAM token",
        added=_signs_in_with_iam,
    ),
    Override(name="AMPLY_CACHE_HOST", value=lambda _: LOOPBACK, because=_CACHE_HERE),
    Override(
        name="AMPLY_CACHE_PORT",
        value=lambda around: str(around.laptop.settings.ports.valkey),
        because=_CACHE_HERE,
    ),
    Override(name="AMPLY_CACHE_TLS", value=lambda _: "false", because="nobody listens in on loopback"),
    Override(
        name="AMPLY_WITNESS_POLICY",
        value=lambda around: around.laptop.settings.policy.read_text(),
        because="the three witnesses of this run made their keys when they first started",
    ),
    Override(
        name="AMPLY_HEARTBEAT_PATH",
        value=lambda around: str(around.laptop.settings.heartbeats / around.task),
        because="the container's scratch volume is a directory of this run",
    ),
    *(
        Override(name=name, value=_of_the_processor(name), because=_OTHER_PROCESSOR)
        for name in ("AMPLY_STRIPE_API_URL", "AMPLY_STRIPE_PUBLISHABLE_KEY")
    ),
    Override(
        name=COLLECTOR,
        value=lambda around: around.laptop.collector,
        because="when it is set, spans go to that collector; otherwise nothing is recorded here",
        added=lambda around: bool(around.laptop.collector),
    ),
    Override(
        name="AWS_ENDPOINT_URL",
        value=lambda around: around.laptop.settings.cloud_url,
        because=_CLOUD_HERE,
        added=_always,
    ),
    Override(
        name="AWS_ACCESS_KEY_ID",
        value=lambda _: ACCESS["AWS_ACCESS_KEY_ID"],
        because=_CLOUD_HERE,
        added=_always,
    ),
    Override(
        name="AWS_SECRET_ACCESS_KEY",
        value=lambda _: ACCESS["AWS_SECRET_ACCESS_KEY"],
        because=_CLOUD_HERE,
        added=_always,
    ),
)
