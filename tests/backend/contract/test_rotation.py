"""The rotation of the master password against a real PostgreSQL behind TLS and the emulated Secrets Manager."""

import json
import re
import ssl
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from pg8000.exceptions import InterfaceError

from amply_rotation import handler as entrypoint
from amply_rotation.errors import PasswordUnknown, RotationRefused
from amply_rotation.server import Server
from amply_rotation.steps import Rotation
from amply_rotation.versions import CURRENT, PENDING, PREVIOUS, Credentials, Secret
from tests.backend.conftest import Server as Postgres
from tests.backend.contract.tls_front import Authority, tls_front

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")


class Crash(Exception):
    """What ends a Lambda in the middle of a step."""


class CrashingServer(Server):
    """Gives the password, and then the function is no more."""

    def set_password(self, new: Credentials, *, signed_in: Credentials) -> None:
        super().set_password(new, signed_in=signed_in)
        raise Crash


@dataclass(frozen=True)
class World:
    """One user, its secret, and a rotation that Secrets Manager has begun: a pending version with nothing in it."""

    postgres: Postgres
    client: "SecretsManagerClient"
    arn: str
    user: str
    server: Server

    @property
    def secret(self) -> Secret:
        return Secret(self.client, self.arn)

    def begin(self) -> str:
        token = str(uuid.uuid4())
        self.client.put_secret_value(SecretId=self.arn, ClientRequestToken=token, VersionStages=[PENDING])
        return token

    def rotation(self, token: str, *, server: Server | None = None) -> Rotation:
        return Rotation(secret=self.secret, server=server or self.server, token=token)

    def held(self, stage: str) -> Credentials:
        found = self.secret.read(stage)
        assert found is not None
        return found


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("authority"), "Amazon RDS of the tests")


@pytest.fixture
def front(authority: Authority, server: Postgres) -> Iterator[int]:
    with tls_front(authority.context("127.0.0.1"), behind=server.running.cluster.port) as port:
        yield port


@pytest.fixture
def world(cloud: str, server: Postgres, authority: Authority, front: int) -> Iterator[World]:
    client = boto3.client("secretsmanager", endpoint_url=cloud)
    user = f"rotated_{uuid.uuid4().hex[:8]}"
    server.run(f"CREATE ROLE {user} LOGIN PASSWORD 'the-first'")
    contents = {"username": user, "password": "the-first", "engine": "postgres"}
    arn = client.create_secret(Name=user, SecretString=json.dumps(contents))["ARN"]
    client.rotate_secret(SecretId=arn, RotationRules={"AutomaticallyAfterDays": 7})
    reached = Server(host="127.0.0.1", port=front, name="postgres", roots=authority.roots)
    yield World(server, client, arn, user, reached)
    server.run(f"DROP ROLE {user}")


def test_four_steps_give_the_user_another_password(world: World) -> None:
    before, token = world.held(CURRENT), world.begin()
    for step in STEPS:
        world.rotation(token).run(step)

    after = world.held(CURRENT)
    assert after.password != before.password
    assert len(after.password) == 48
    assert after.contents["engine"] == "postgres", "what else the stack put there stays"
    assert world.server.accepts(after)
    assert not world.server.accepts(before)
    assert world.held(PREVIOUS) == before


def test_each_step_may_be_repeated_and_none_changes_what_was_done(world: World) -> None:
    token = world.begin()
    passwords = []
    for step in STEPS:
        for _ in range(3):
            world.rotation(token).run(step)
            found = world.secret.read(PENDING, version=token)
            passwords.append(found and found.password)
    for step in STEPS:
        world.rotation(token).run(step)

    assert len(set(passwords)) == 1
    assert world.held(CURRENT).password == passwords[0]
    assert world.server.accepts(world.held(CURRENT))


def test_a_function_that_ends_after_the_database_changed_is_taken_up_where_it_stopped(world: World) -> None:
    token = world.begin()
    world.rotation(token).run("createSecret")
    with pytest.raises(Crash):
        world.rotation(token, server=CrashingServer(**vars(world.server))).run("setSecret")
    assert not world.server.accepts(world.held(CURRENT)), "the moment in which the secret is behind"

    for step in STEPS[1:]:
        world.rotation(token).run(step)
    assert world.server.accepts(world.held(CURRENT))


def test_a_secret_ahead_of_the_database_is_mended_with_the_previous_password(world: World) -> None:
    """Somebody wrote a new version by hand and never told PostgreSQL."""
    wrong = world.held(CURRENT).with_password("never-set")
    world.client.put_secret_value(SecretId=world.arn, SecretString=json.dumps(dict(wrong.contents)))
    token = world.begin()
    for step in STEPS:
        world.rotation(token).run(step)
    assert world.server.accepts(world.held(CURRENT))


def test_where_no_password_is_good_nothing_becomes_current(world: World) -> None:
    before, token = world.held(CURRENT), world.begin()
    world.postgres.run(f"ALTER ROLE {world.user} PASSWORD 'from-elsewhere'")
    world.rotation(token).run("createSecret")
    for step in ("setSecret", "testSecret"):
        with pytest.raises(PasswordUnknown):
            world.rotation(token).run(step)
    assert world.held(CURRENT) == before


def test_no_log_of_statements_ever_holds_the_password(world: World) -> None:
    world.postgres.run(f"ALTER ROLE {world.user} SET log_statement = 'all'")
    token = world.begin()
    for step in STEPS:
        world.rotation(token).run(step)

    log = world.postgres.running.cluster.log.read_text()
    assert re.search(rf'ALTER ROLE "?{world.user}"? PASSWORD .SCRAM-SHA-256\$', log)
    assert world.held(CURRENT).password not in log


def test_a_step_before_its_time_is_refused(world: World) -> None:
    token = world.begin()
    with pytest.raises(RotationRefused, match="createSecret comes first"):
        world.rotation(token).run("setSecret")
    with pytest.raises(RotationRefused, match="no step"):
        world.rotation(token).run("dropSecret")
    with pytest.raises(RotationRefused, match="no version"):
        world.rotation(str(uuid.uuid4())).run("createSecret")


def test_a_version_that_is_not_pending_is_refused_and_the_current_one_is_left_alone(world: World) -> None:
    stages = world.secret.stages()
    (current,) = (version for version, held in stages.items() if CURRENT in held)
    before = world.held(CURRENT)
    for step in STEPS:
        world.rotation(current).run(step)
    assert world.held(CURRENT) == before

    token = world.begin()
    world.client.update_secret_version_stage(
        SecretId=world.arn, VersionStage=PENDING, RemoveFromVersionId=token
    )
    with pytest.raises(RotationRefused, match=r"not the pending one|no version"):
        world.rotation(token).run("createSecret")


def test_another_user_is_never_given_a_password(world: World) -> None:
    """Whoever can write a version could otherwise have any user's password changed."""
    token = str(uuid.uuid4())
    other = {"username": "master", "password": "chosen-by-somebody"}
    world.client.put_secret_value(
        SecretId=world.arn, ClientRequestToken=token, SecretString=json.dumps(other), VersionStages=[PENDING]
    )
    with pytest.raises(RotationRefused, match="another user"):
        world.rotation(token).run("setSecret")


@pytest.mark.parametrize("text", ["not json", "[]", '{"username": "x"}'])
def test_a_secret_of_another_shape_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(RotationRefused) as refused:
        Credentials.parse(text)
    assert text not in str(refused.value)


def test_a_password_is_sent_to_nobody_who_cannot_prove_himself(
    world: World, authority: Authority, tmp_path: Path
) -> None:
    stranger = Authority.make(tmp_path, "Somebody else")
    port = world.postgres.running.cluster.port
    known = world.held(CURRENT)

    with pytest.raises(InterfaceError, match="refuses SSL"):
        Server(host="127.0.0.1", port=port, name="postgres", roots=authority.roots).accepts(known)
    for context in (stranger.context("127.0.0.1"), authority.context("127.0.0.2")):
        with tls_front(context, behind=port) as front:
            server = Server(host="127.0.0.1", port=front, name="postgres", roots=authority.roots)
            with pytest.raises(ssl.SSLCertVerificationError):
                server.accepts(known)


def test_an_outage_is_no_wrong_password(world: World, authority: Authority) -> None:
    away = Server(host="127.0.0.1", port=1, name="postgres", roots=authority.roots)
    with pytest.raises(InterfaceError):
        away.accepts(world.held(CURRENT))
    nowhere = Server(host="127.0.0.1", port=world.server.port, name="no_such", roots=authority.roots)
    with pytest.raises(Exception, match="no_such"):
        nowhere.accepts(world.held(CURRENT))


def test_one_call_is_told_everything_by_its_environment(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {
        "AMPLY_SECRET_ARN": world.arn,
        "AMPLY_DATABASE_HOST": world.server.host,
        "AMPLY_DATABASE_PORT": str(world.server.port),
        "AMPLY_DATABASE_NAME": world.server.name,
        "AMPLY_DATABASE_ROOTS": str(world.server.roots),
    }.items():
        monkeypatch.setenv(name, value)
    token = world.begin()
    for step in STEPS:
        entrypoint.handler({"Step": step, "SecretId": world.arn, "ClientRequestToken": token}, None)

    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["step"] for line in said] == list(STEPS)
    assert world.server.accepts(world.held(CURRENT))
    with pytest.raises(RotationRefused, match="another"):
        entrypoint.handler({"Step": "setSecret", "SecretId": "arn:other", "ClientRequestToken": token}, None)


def test_nothing_is_done_while_rotation_is_switched_off(world: World) -> None:
    """As on the night of an upgrade: PostgreSQL does not carry a role's password to the other side."""
    text = json.dumps(dict(world.held(CURRENT).contents))
    unscheduled = world.client.create_secret(Name=f"{world.user}-unscheduled", SecretString=text)["ARN"]
    rotation = Rotation(secret=Secret(world.client, unscheduled), server=world.server, token="any")
    with pytest.raises(RotationRefused, match="switched off"):
        rotation.run("createSecret")
