"""docs/cost.md says what the templates cost today.

After a change on purpose: `AMPLY_WRITE_GOLDEN=1 pytest tests/infrastructure/test_cost_page.py`, and read the diff.
"""

import os
from collections.abc import Mapping

from operations.cost import estimate
from operations.cost.document import document
from tests.infrastructure.assembly import ROOT, Deployed

PAGE = ROOT / "docs" / "cost.md"
ORDER = ("production", "staging", "sandbox", "local")


def test_the_page_is_what_the_program_prints(environments: Mapping[str, Deployed]) -> None:
    printed = document([estimate(environments[name]) for name in ORDER])
    if os.environ.get("AMPLY_WRITE_GOLDEN"):
        PAGE.write_text(printed)
    assert PAGE.read_text() == printed


def test_every_resource_of_every_environment_is_priced_or_known_to_be_free(deployed: Deployed) -> None:
    assert (estimate(deployed).total_usd > 0) is (deployed.name != "local")


def test_production_costs_more_than_staging_and_staging_more_than_a_sandbox(
    environments: Mapping[str, Deployed],
) -> None:
    totals = [estimate(environments[name]).total_usd for name in ORDER]
    assert totals == sorted(totals, reverse=True)
