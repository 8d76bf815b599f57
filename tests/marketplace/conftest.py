"""Emulated DynamoDB and S3 with a market, once for the folder; tests are marked `allow_hosts(["127.0.0.1"])`."""

from collections.abc import Iterator

import pytest

from tests.backend.contract.emulated_cloud import emulated_cloud
from tests.marketplace.market import Market
from tests.ports import free_port


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One worker starts the emulator for the whole folder."""
    for item in items:
        if item.path.parent.name == "marketplace":
            item.add_marker(pytest.mark.xdist_group("marketplace"))


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with emulated_cloud(port=free_port(), directory=tmp_path_factory.mktemp("market")) as found:
        yield found


@pytest.fixture(scope="session")
def market(emulator: str) -> Market:
    return Market(emulator)
