"""One platform of real processes for each worker; a failing test prints the end of each process's log."""

from collections.abc import Generator, Iterator

import pytest

from tests.faults.books import Books
from tests.faults.platform import Organization, Platform, running_platform


@pytest.fixture(scope="package")
def platform() -> Iterator[Platform]:
    with running_platform() as started:
        yield started


@pytest.fixture(scope="package")
def organization(platform: Platform) -> Organization:
    return platform.organization()


@pytest.fixture
def books(platform: Platform, organization: Organization) -> Books:
    return Books(platform=platform, organization=organization)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    platform = getattr(item, "funcargs", {}).get("platform")
    if report.failed and isinstance(platform, Platform):
        for process in platform.processes.values():
            report.sections.append((f"log of {process.name}", process.log_tail()))
    return report
