"""How tests are dealt out to workers: a file stays together, because its servers and browsers start once a worker.

A folder or a file that shares something dearer says so with a mark of its own (`xdist_group`).
"""

import pytest


# First, so that the group's name is there when xdist reads it.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.path.name))
