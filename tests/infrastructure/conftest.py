"""The four environments and a named sandbox beside them, synthesised once a session."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from stacks.database_choices import Connections, Insights, RotatedByUs
from stacks.environments import ENVIRONMENTS, PRODUCTION, STAGING
from stacks.network_choices import InterfaceEndpoint
from tests.infrastructure.assembly import ASKED, NAMED, Deployed, read, synthesise, synthesise_one


# First, so that the group's name is there when xdist reads it.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One worker synthesises for the whole folder; whatever validates on its own shares the other one with the gate."""
    for item in items:
        in_here = item.path.parent == Path(__file__).parent
        if in_here and item.get_closest_marker("xdist_group") is None:
            validates = "chosen" in getattr(item, "fixturenames", ())
            item.add_marker(pytest.mark.xdist_group("gate" if validates else "infrastructure"))


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthesise(tmp_path_factory.mktemp("assembly"), **ASKED)


@pytest.fixture(scope="session")
def synthesised(assembly: Path) -> Mapping[str, Deployed]:
    """All of them by name, the named sandbox included."""
    return read(assembly)


@pytest.fixture(scope="session")
def environments(synthesised: Mapping[str, Deployed]) -> Mapping[str, Deployed]:
    """Those that are always there."""
    return {name: synthesised[name] for name in ENVIRONMENTS}


@pytest.fixture(scope="session")
def named(synthesised: Mapping[str, Deployed]) -> Deployed:
    return synthesised[NAMED]


@pytest.fixture(scope="session")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    """Production with everything in place and nothing running."""
    return read(synthesise(tmp_path_factory.mktemp("idle"), only="production", idle=True))["production"]


@pytest.fixture(scope="session", params=[*ENVIRONMENTS, NAMED])
def deployed(request: pytest.FixtureRequest, synthesised: Mapping[str, Deployed]) -> Deployed:
    return synthesised[request.param]


@pytest.fixture(scope="session")
def chosen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Staging with everything a network and a database can have beside them."""
    database = replace(
        STAGING.database,
        master=RotatedByUs(days=30, read_replica=True),
        connections=Connections.RDS_PROXY,
        insights=Insights.ADVANCED,
    )
    network = replace(STAGING.network, interface_endpoints=frozenset(InterfaceEndpoint))
    environment = replace(STAGING, database=database, network=network)
    return synthesise_one(tmp_path_factory.mktemp("chosen"), environment, validated=True)


@pytest.fixture(scope="session")
def extended(chosen: Path) -> Deployed:
    return read(chosen)["staging"]


@pytest.fixture(scope="session")
def upgrading(tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    """Production as docs/runbooks/database-upgrade.md has it for the days of a blue/green upgrade."""
    database = replace(PRODUCTION.database, master=RotatedByUs())
    environment = replace(PRODUCTION, database=database)
    return read(synthesise_one(tmp_path_factory.mktemp("upgrading"), environment))["production"]
