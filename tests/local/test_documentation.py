"""docs/local-cloud.md says what the code says."""

import pytest

from local_cloud.emulator.catalogue import SKIPPED
from local_cloud.overrides import OVERRIDES, Override
from local_cloud.settings import PROJECT_ROOT

PAGE = (PROJECT_ROOT / "docs" / "local-cloud.md").read_text()


@pytest.mark.parametrize("resource_type", SKIPPED)
def test_people_can_read_which_types_are_only_recorded(resource_type: str) -> None:
    assert f"| `{resource_type}` | {SKIPPED[resource_type]} |" in PAGE


@pytest.mark.parametrize("override", OVERRIDES, ids=lambda override: override.name)
def test_people_can_read_which_variables_differ(override: Override) -> None:
    assert f"`{override.name}`" in PAGE
