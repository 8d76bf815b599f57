"""The four environments, synthesised once a session."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.infrastructure.assembly import Deployed, read, synthesise


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthesise(tmp_path_factory.mktemp("assembly"))


@pytest.fixture(scope="session")
def environments(assembly: Path) -> Mapping[str, Deployed]:
    return read(assembly)


@pytest.fixture(scope="session", params=["production", "staging", "sandbox", "local"])
def deployed(request: pytest.FixtureRequest, environments: Mapping[str, Deployed]) -> Deployed:
    return environments[request.param]
