"""The only variables in which a local process differs from the container it stands for, and why."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from local_cloud.cloud import ACCESS
from local_cloud.ports import LOOPBACK
from local_cloud.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What an override may look at: the run, the task, its own environment, and the local database passwords."""

    settings: Settings
    task: str
    declared: Mapping[str, str]
    database_passwords: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Override:
    """One variable. It is replaced only when the task definition declares it, unless it is `added`.

    So a variable that a task definition forgot is missing here too, and the process fails here first.
    """

    name: str
    value: Callable[[Surroundings], str]
    because: str
    added: Callable[[Surroundings], bool] = lambda _: False


def _signs_in_with_iam(around: Surroundings) -> bool:
    return around.declared.get("AMPLY_DATABASE_AUTH") == "iam"


def _auth(around: Surroundings) -> str:
    return "password" if _signs_in_with_iam(around) else around.declared["AMPLY_DATABASE_AUTH"]


def _database_password(around: Surroundings) -> str:
    return around.database_passwords[around.declared["AMPLY_DATABASE_USER"]]


def _always(_: Surroundings) -> bool:
    return True


_DATABASE_HERE = "PostgreSQL runs on this machine; the emulator has no RDS"
_CACHE_HERE = "Valkey runs on this machine; the emulator has no ElastiCache"
_CLOUD_HERE = "the AWS APIs are those of the emulator"

OVERRIDES: tuple[Override, ...] = (
    Override(name="AMPLY_DATABASE_HOST", value=lambda _: LOOPBACK, because=_DATABASE_HERE),
    Override(
        name="AMPLY_DATABASE_PORT",
        value=lambda around: str(around.settings.ports.postgres),
        because=_DATABASE_HERE,
    ),
    Override(
        name="AMPLY_DATABASE_AUTH",
        value=_auth,
        because="a PostgreSQL outside RDS does not know IAM tokens, so IAM users sign in with a password",
    ),
    Override(
        name="AMPLY_DATABASE_PASSWORD",
        value=lambda around: (
            _database_password(around)
            if _signs_in_with_iam(around)
            else around.declared["AMPLY_DATABASE_PASSWORD"]
        ),
        because="the password that stands for the IAM token",
        added=_signs_in_with_iam,
    ),
    Override(name="AMPLY_CACHE_HOST", value=lambda _: LOOPBACK, because=_CACHE_HERE),
    Override(
        name="AMPLY_CACHE_PORT",
        value=lambda around: str(around.settings.ports.valkey),
        because=_CACHE_HERE,
    ),
    Override(name="AMPLY_CACHE_TLS", value=lambda _: "false", because="nobody listens in on loopback"),
    Override(
        name="AMPLY_HEARTBEAT_PATH",
        value=lambda around: str(around.settings.heartbeats / around.task),
        because="the container's scratch volume is a directory of this run",
    ),
    Override(
        name="AWS_ENDPOINT_URL",
        value=lambda around: around.settings.cloud_url,
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


def apply(around: Surroundings) -> dict[str, str]:
    """The task's own environment with the overrides that concern it."""
    replaced = {
        override.name: override.value(around)
        for override in OVERRIDES
        if override.name in around.declared or override.added(around)
    }
    return {**around.declared, **replaced}
