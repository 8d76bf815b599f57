"""The emulated cloud, for tests marked `allow_hosts(["127.0.0.1"])`."""

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from amply.entrypoints import admin_recorded
from amply.infra.database import Database
from tests.backend.conftest import Databases
from tests.backend.contract.control_world import Control, control_in
from tests.backend.contract.emulated_cloud import emulated_cloud
from tests.backend.contract.scim_directory import Directory
from tests.backend.contract.whole_way import cache, gifts, platform  # noqa: F401 -- fixtures of the tests beside
from tests.backend.federation_world import FederationWorld, federation_world
from tests.backend.people_world import PeopleWorld, people_cache, world  # noqa: F401 -- the same
from tests.ports import free_port


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its address. Clients made with boto3 speak to it."""
    directory: Path = tmp_path_factory.mktemp("cloud")
    with (
        emulated_cloud(port=free_port(), directory=directory) as address,
        pytest.MonkeyPatch.context() as environment,
    ):
        for name, value in {
            "AWS_ENDPOINT_URL": address,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }.items():
            environment.setenv(name, value)
        # What was made before keeps whoever was signed in then.
        environment.setattr(boto3, "DEFAULT_SESSION", None)
        yield address


@pytest.fixture(scope="module")
def control(cloud: str) -> Control:
    return control_in(cloud)


@pytest.fixture
def operator(control: Control, databases: Databases, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """Commands of this process run as the administration's task, and are told of the tables."""
    databases.sign_commands_in(monkeypatch, user="amply_operator")
    monkeypatch.delenv("ECS_CONTAINER_METADATA_URI_V4", raising=False)
    for name in ("contracts", "datasets", "grants"):
        monkeypatch.setenv(f"AMPLY_LAKE_{name.upper()}_TABLE", control.tables[name])
    admin_recorded._task_id.cache_clear()
    opened = databases.as_role("amply_operator")
    yield opened
    opened.close()


@pytest.fixture
def river(
    world: PeopleWorld,  # noqa: F811 -- the fixture imported above, asked for by its name
    database: Database,
    databases: Databases,
) -> Iterator[FederationWorld]:
    """An organisation whose provider is set up and whose domain is shown."""
    with federation_world(world, database, databases) as made:
        assert made.set_up().is_success
        assert made.show_domain().is_success
        yield made


@pytest.fixture
def directory(river: FederationWorld) -> Directory:
    return Directory(river)
