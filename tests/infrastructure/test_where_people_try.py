"""People make test organisations by themselves on laptops and in sandboxes, and never where gifts or rehearsals are real."""

from typing import Any

import pytest

from amply.entrypoints.http import trial_dependencies
from amply.infra.settings import ServiceSettings, StripeSettings
from amply.modules import trials
from stacks.environments import LOCAL, PRODUCTION, SANDBOX, STAGING


@pytest.mark.parametrize(
    ("environment", "is_offered"),
    [(PRODUCTION, False), (STAGING, False), (SANDBOX, True), (LOCAL, True)],
)
def test_an_environments_own_name_decides(environment: Any, is_offered: bool) -> None:  # noqa: FBT001 -- of the table above
    assert trials.are_offered(environment=environment.name, livemode=False) is is_offered
    assert trials.are_offered(environment=environment.name, livemode=True) is False, "never with live money"


def test_a_sandbox_with_a_name_is_one_and_what_is_called_alike_is_none() -> None:
    assert trials.are_offered(environment="sandbox-ada", livemode=False)
    assert not trials.are_offered(environment="sandboxed", livemode=False)
    assert not trials.are_offered(environment="", livemode=False)


@pytest.mark.parametrize("name", ["production", "staging"])
def test_the_api_there_has_no_part_for_it(name: str) -> None:
    service = ServiceSettings(service="api", environment=name, livemode=name == "production")
    accounts: Any = None
    assert trial_dependencies(service, accounts, StripeSettings()) is None
