"""The local stand-in for RDS: a PostgreSQL with the deployed master user, parameters and service users."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

import psycopg
from psycopg import sql

from local_cloud import credentials, postgres
from local_cloud.cloud import Cloud
from local_cloud.failures import LocalCloudError
from local_cloud.postgres import PostgresCluster, PostgresError
from local_cloud.settings import Settings

SERVICE_USERS = (
    *("amply_api", "amply_app", "amply_migrate"),
    *("amply_operator", "amply_sequencer", "amply_read"),
)
_REFUSED = "password authentication failed"
_OUTSIDE = Path("/var/lib/amply-local")


def cluster(cloud: Cloud) -> PostgresCluster:
    """The cluster, whose master user is that of the deployed secret."""
    master = json.loads(cloud.secret(cloud.parameter("database/master-secret-arn")))
    return PostgresCluster(
        directory=directory(cloud.settings),
        port=cloud.settings.ports.postgres,
        superuser=master["username"],
        password=master["password"],
        parameters=_deployed_parameters(cloud),
    )


def directory(settings: Settings) -> Path:
    """Under the state directory; for root, when `nobody` cannot get there, in a place of this run's own."""
    inside = settings.state / "postgres"
    if os.geteuid() != 0 or postgres.readable_by_others(settings.state):
        return inside
    return _OUTSIDE / hashlib.sha256(str(settings.state).encode()).hexdigest()[:12]


def _deployed_parameters(cloud: Cloud) -> dict[str, str]:
    """What the deployed parameter group sets, but for the `rds.` ones, which only RDS knows."""
    settings: dict[str, str] = {}
    for instance in cloud.rds.describe_db_instances()["DBInstances"]:
        for group in instance["DBParameterGroups"]:
            pages = cloud.rds.get_paginator("describe_db_parameters").paginate(
                DBParameterGroupName=group["DBParameterGroupName"], Source="user"
            )
            settings |= {
                parameter["ParameterName"]: parameter["ParameterValue"]
                for page in pages
                for parameter in page["Parameters"]
                if "ParameterValue" in parameter and not parameter["ParameterName"].startswith("rds.")
            }
    return settings


def initialise(cluster: PostgresCluster) -> None:
    try:
        cluster.initialise()
    except PostgresError as error:
        raise LocalCloudError(f"The database could not be made: {error}") from error


def service_passwords(settings: Settings) -> dict[str, str]:
    """Passwords in place of IAM tokens, generated once for each run."""
    path = settings.credentials / "database.json"
    return credentials.kept(path, dict.fromkeys(SERVICE_USERS, credentials.new_password))


def prepare(cluster: PostgresCluster, *, name: str, passwords: Mapping[str, str]) -> None:
    """Create the database and its service users. Idempotent."""
    try:
        # Passwords are part of these statements, which must not be written to the server's log for being slow.
        with psycopg.connect(
            cluster.url, autocommit=True, options="-c log_min_duration_statement=-1"
        ) as connection:
            _make_database(connection, name)
            for user, password in passwords.items():
                _make_user(connection, user, password)
    except psycopg.OperationalError as error:
        raise LocalCloudError(_why_not(str(error).strip())) from error


def _why_not(said: str) -> str:
    """A connection that fails carries no SQLSTATE, only the server's words; their language is the one we chose."""
    if _REFUSED in said:
        return (
            f"The master user cannot sign in to the database ({said}): its data belongs to another deployment; "
            "'make clean' starts afresh."
        )
    return (
        f"The database and its users could not be made ({said}): mend that ('make logs PART=postgres' says more), then "
        "type 'make local' again."
    )


def _make_database(connection: psycopg.Connection, name: str) -> None:
    found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
    if found is None:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def _make_user(connection: psycopg.Connection, user: str, password: str) -> None:
    found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [user]).fetchone()
    statement = "ALTER ROLE {} LOGIN PASSWORD {}" if found else "CREATE ROLE {} LOGIN PASSWORD {}"
    connection.execute(sql.SQL(statement).format(sql.Identifier(user), sql.Literal(password)))
