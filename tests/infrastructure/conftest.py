"""All environments and a named sandbox, synthesised once for the session.

What needs the CDK is imported where it is used: the process that only deals tests out to workers reads this file too,
and starting the library takes it as long as half a synthesis.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from operations.assembly import Deployed, read

ALWAYS: Final = ("production", "staging", "sandbox", "local")
VALIDATED: Final = frozenset({"chosen", "lake_at_home", "lake_back"})
"""Fixtures that run the gate's checkers."""
NAMED: Final = "sandbox-ada"
"""As `stacks.environments` and `tests.infrastructure.assembly` say; a test holds them together."""


# First, so that the group's name is there when xdist reads it.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One worker synthesises for the whole folder; whatever validates on its own shares the other one with the gate."""
    for item in items:
        in_here = item.path.parent == Path(__file__).parent
        if in_here and item.get_closest_marker("xdist_group") is None:
            validates = not VALIDATED.isdisjoint(getattr(item, "fixturenames", ()))
            item.add_marker(pytest.mark.xdist_group("gate" if validates else "infrastructure"))


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.infrastructure.assembly import ASKED, synthesise  # noqa: PLC0415 -- as said above

    return synthesise(tmp_path_factory.mktemp("assembly"), **ASKED)


@pytest.fixture(scope="session")
def synthesised(assembly: Path) -> Mapping[str, Deployed]:
    """All of them by name, the named sandbox included."""
    return read(assembly)


@pytest.fixture(scope="session")
def environments(synthesised: Mapping[str, Deployed]) -> Mapping[str, Deployed]:
    """Those that are always there."""
    return {name: synthesised[name] for name in ALWAYS}


@pytest.fixture(scope="session")
def named(synthesised: Mapping[str, Deployed]) -> Deployed:
    return synthesised[NAMED]


@pytest.fixture(scope="session")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    """Production with everything in place, an image that was named, and nothing running."""
    from tests.infrastructure.assembly import synthesise  # noqa: PLC0415 -- as said above

    image = "111111111111.dkr.ecr.eu-west-1.amazonaws.com/amply@sha256:" + "5" * 64
    folder = tmp_path_factory.mktemp("idle")
    return read(synthesise(folder, only="production", idle=True, image=image))["production"]


@pytest.fixture(scope="session", params=[*ALWAYS, NAMED])
def deployed(request: pytest.FixtureRequest, synthesised: Mapping[str, Deployed]) -> Deployed:
    return synthesised[request.param]


@pytest.fixture(scope="session")
def chosen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Staging with everything a network and a database can have beside them, and the data platform."""
    from tests.infrastructure.assembly import synthesise_one  # noqa: PLC0415 -- as said above
    from tests.infrastructure.chosen import EXTENDED  # noqa: PLC0415 -- as said above

    return synthesise_one(tmp_path_factory.mktemp("chosen"), EXTENDED, validated=True)


@pytest.fixture(scope="session")
def extended(chosen: Path) -> Deployed:
    return read(chosen)["staging"]


@pytest.fixture(scope="session")
def upgrading(tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    """Production for the days of a blue/green upgrade."""
    from tests.infrastructure.assembly import synthesise_one  # noqa: PLC0415 -- as said above
    from tests.infrastructure.chosen import UPGRADING  # noqa: PLC0415 -- as said above

    return read(synthesise_one(tmp_path_factory.mktemp("upgrading"), UPGRADING))["production"]


@pytest.fixture(scope="session")
def at_home(environments: Mapping[str, Deployed]) -> Deployed:
    """Production where it always stood."""
    return environments["production"]


@pytest.fixture(scope="session")
def back(tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    """Production after the loss of its region: running, before the domain's names are moved."""
    from tests.infrastructure.recovered import read_recovered, recovered  # noqa: PLC0415 -- as said above

    return read_recovered(tmp_path_factory.mktemp("recovered"), recovered())


@pytest.fixture(scope="session")
def lake_at_home(tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    """Production with the data platform; a finding of the checkers that no waiver answers ends it."""
    from tests.infrastructure.chosen import SELLING  # noqa: PLC0415 -- as said above
    from tests.infrastructure.recovered import read_checked  # noqa: PLC0415 -- as said above

    return read_checked(tmp_path_factory.mktemp("lake"), SELLING)


@pytest.fixture(scope="session")
def lake_back(tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    """The same after the loss of its region, checked as well."""
    from tests.infrastructure.chosen import SELLING  # noqa: PLC0415 -- as said above
    from tests.infrastructure.recovered import read_checked, recovered  # noqa: PLC0415 -- as said above

    return read_checked(tmp_path_factory.mktemp("recovered"), recovered(of=SELLING))
