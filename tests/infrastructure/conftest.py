"""The four environments and a named sandbox beside them, synthesised once a session."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from stacks.environments import ENVIRONMENTS
from tests.infrastructure.assembly import ASKED, NAMED, Deployed, read, synthesise


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
