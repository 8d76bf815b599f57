"""One rehearsal from start to end. The temporary instance is deleted whatever happens."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from botocore.exceptions import BotoCoreError, ClientError

from operations.restore.checks import check_ledger, check_revision, check_root, read_head
from operations.restore.instance import (
    Backup,
    Rds,
    Restored,
    enable_managed_password,
    restore,
    take_away,
    wait_until_available,
)
from operations.restore.migrations import Migrations
from operations.restore.outcome import Exit, Finding, NotChecked, Verdict, judge
from operations.restore.published import check_published
from operations.restore.waiting import Patience

IN_THE_WAY = (NotChecked, ClientError, BotoCoreError, psycopg.Error, OSError)
Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """The three services a rehearsal talks to, as boto3's clients."""

    rds: Rds
    s3: Any
    secrets: Any


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be rehearsed; `through` is a loopback port that leads to the instance, for who stands outside."""

    environment: str
    name: str
    backup: Backup
    archive: str
    key: str
    migrations: Migrations
    tls_roots: str
    through: int | None
    arriving: Patience
    leaving: Patience


def rehearse(cloud: Cloud, plan: Plan, say: Say, sign_in: "SignIn | None" = None) -> Exit:
    """Restore, check, take away; says each step and finding as it comes. Signs in over TLS unless told otherwise."""
    begun = time.monotonic()
    say(f"Restoring {plan.backup.source} as of {plan.backup.taken_at.isoformat()} to {plan.name}.")
    findings: list[Finding] = []
    try:
        restore(cloud.rds, plan.backup, name=plan.name, environment=plan.environment)
        wait_until_available(cloud.rds, plan.name, plan.arriving)
        restored = enable_managed_password(cloud.rds, plan.name, plan.arriving)
        say(f"It is there after {(time.monotonic() - begun) / 60:.0f} minutes. Checking.")
        for finding in _check(cloud, plan, restored, sign_in or connect):
            say(_line(finding))
            findings.append(finding)
    except IN_THE_WAY as reason:
        # What was found wrong before stays wrong, whatever came in the way after.
        findings.append(Finding(check="all", verdict=Verdict.NOT_CHECKED, sentence=str(reason).strip()))
        say(_line(findings[-1]))
    finally:
        gone = take_away(cloud.rds, plan.name, plan.leaving)
        if not gone:
            say(
                f"{plan.name} is still there and costs: aws rds delete-db-instance "
                f"--db-instance-identifier {plan.name} --skip-final-snapshot"
            )
    result = judge(findings)
    return Exit.LEFT_BEHIND if result is Exit.REHEARSED and not gone else result


def _check(cloud: Cloud, plan: Plan, restored: Restored, sign_in: "SignIn") -> Iterator[Finding]:
    with sign_in(cloud, plan, restored) as connection:
        yield from check_database(connection, plan.migrations)
        head = read_head(connection)
    if head is None:
        yield Finding(
            check="published",
            verdict=Verdict.NOT_CHECKED,
            sentence="this database has published nothing yet: there is nothing to hold it against",
        )
        return
    yield check_published(cloud.s3, archive=plan.archive, head=head, key=plan.key)


def check_database(connection: psycopg.Connection, migrations: Migrations) -> Iterator[Finding]:
    """Every check that needs the database alone."""
    yield check_revision(connection, migrations.known, migrations.newest)
    yield from check_ledger(connection)
    head = read_head(connection)
    if head is not None:
        yield check_root(connection, head)


def connect(cloud: Cloud, plan: Plan, restored: Restored) -> psycopg.Connection:
    """As its master user, over TLS, for reading only."""
    secret = json.loads(cloud.secrets.get_secret_value(SecretId=restored.secret_arn)["SecretString"])
    # The certificate names the instance, so its name stays; only the way to it is another.
    way = {"hostaddr": "127.0.0.1", "port": plan.through} if plan.through else {"port": restored.port}
    return psycopg.connect(
        host=restored.host,
        dbname=plan.backup.database,
        user=secret["username"],
        password=secret["password"],
        sslmode="verify-full",
        sslrootcert=plan.tls_roots,
        connect_timeout=10,
        application_name="restore-rehearsal",
        options="-c default_transaction_read_only=on -c statement_timeout=0",
        autocommit=True,
        **way,
    )


def _line(finding: Finding) -> str:
    return f"{finding.verdict.value}: {finding.check}: {finding.sentence}"


SignIn = Callable[[Cloud, Plan, Restored], psycopg.Connection]
