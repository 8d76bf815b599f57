"""Distribution of tests to workers: a file stays together, because its servers and browsers start once for each worker.

A folder or a file that shares something dearer says so with a mark of its own (`xdist_group`).
"""

import gc
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests import hypothesis_profiles
from tests.browser import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def pytest_configure(config: pytest.Config) -> None:
    """Before any test is loaded, for a property takes its settings then."""
    settings.load_profile(
        hypothesis_profiles.BY_NIGHT
        if hypothesis_profiles.is_night(config.option.markexpr)
        else hypothesis_profiles.BY_DAY
    )


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Loading the tests makes objects that stay: the garbage collector would look through them again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


# First, so that the group's name is there when xdist reads it.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    _leave_stripe_alone(config, items)
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.path.name))
    # They take longest: whoever is still free then does the many short ones.
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def _leave_stripe_alone(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What runs at Stripe itself is for those who ask for it by its mark, `-m real_stripe`."""
    if "real_stripe" in config.option.markexpr:
        return
    elsewhere = [item for item in items if item.get_closest_marker("real_stripe") is not None]
    if elsewhere:
        config.hook.pytest_deselected(items=elsewhere)
        items[:] = [item for item in items if item.get_closest_marker("real_stripe") is None]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Without groups every worker would start everything; nothing fails then, it only takes twice as long.

    What was loaded until now stays to the end, and is not looked through again.
    """
    gc.freeze()
    is_grouping = getattr(session.config.option, "loadgroup", False)
    if is_grouping and not all("@" in item.nodeid for item in session.items):
        raise pytest.UsageError("Tests are not kept together: pytest and pytest-xdist do not fit each other.")


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """One browser a worker: Playwright runs once in a thread. Pages that must not share anything open profiles."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 -- most runs open no browser, and it loads slowly

    found = chromium.find()
    if found is None:
        pytest.fail("There is no browser: run `make browser`.")
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=found.path, args=list(found.arguments)) as launched,
    ):
        yield launched
