"""The four environments, synthesised once a session."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.infrastructure.assembly import Deployed, read, synthesise


# First, so that the group's name is there when xdist reads it.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One worker synthesises for the whole folder; the gate, which validates on its own, may have the other one."""
    for item in items:
        in_here = item.path.parent == Path(__file__).parent
        if in_here and item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group("infrastructure"))


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthesise(tmp_path_factory.mktemp("assembly"))


@pytest.fixture(scope="session")
def environments(assembly: Path) -> Mapping[str, Deployed]:
    return read(assembly)


@pytest.fixture(scope="session")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    """Production with everything in place and nothing running."""
    return read(synthesise(tmp_path_factory.mktemp("idle"), only="production", idle=True))["production"]


@pytest.fixture(scope="session", params=["production", "staging", "sandbox", "local"])
def deployed(request: pytest.FixtureRequest, environments: Mapping[str, Deployed]) -> Deployed:
    return environments[request.param]
