"""Every environment has a budget that tells someone in time."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from operations.cost import estimate
from stacks.budget import Budget
from stacks.contracts import budget_name
from stacks.environment import BudgetSettings
from stacks.environments import PRODUCTION
from tests.infrastructure.assembly import Deployed


def _budget(deployed: Deployed) -> Mapping[str, object]:
    data = deployed.the("AWS::Budgets::Budget").properties["Budget"]
    assert isinstance(data, dict)
    return data


def test_people_are_told_at_half_near_and_at_the_limit_and_when_it_is_foreseen(deployed: Deployed) -> None:
    told = deployed.the("AWS::Budgets::Budget").properties["NotificationsWithSubscribers"]
    assert [
        (entry["Notification"]["NotificationType"], entry["Notification"]["Threshold"]) for entry in told
    ] == [("ACTUAL", 50), ("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100)]
    for entry in told:
        (subscriber,) = entry["Subscribers"]
        assert subscriber["SubscriptionType"] == "EMAIL"
        assert "@" in subscriber["Address"]


def test_a_budget_has_the_name_the_check_asks_for(deployed: Deployed) -> None:
    assert _budget(deployed)["BudgetName"] == budget_name(deployed.name)


def test_what_is_expected_stays_below_the_budget(deployed: Deployed) -> None:
    """A budget below the estimate rings every month, and is soon heard by nobody."""
    limit = _budget(deployed)["BudgetLimit"]
    assert isinstance(limit, dict)
    assert limit["Unit"] == "USD"
    assert estimate(deployed).total_usd < Decimal(str(limit["Amount"]))


def _made(budget: BudgetSettings) -> Template:
    app = cdk.App(builtin_cloud_formation_validation=False)
    environment = replace(PRODUCTION, budget=budget)
    return Template.from_stack(Budget(app, "budget", environment=environment, budget=budget))


def test_an_account_of_its_own_counts_whole_and_a_shared_one_by_tag() -> None:
    alone = BudgetSettings(monthly_usd=10, tell="a@example.org")
    _made(replace(alone, shares_account=True)).has_resource_properties(
        "AWS::Budgets::Budget",
        {"Budget": {"CostFilters": {"TagKeyValue": ["user:amply:environment$production"]}}},
    )
    (body,) = _made(alone).find_resources("AWS::Budgets::Budget").values()
    assert "CostFilters" not in body["Properties"]["Budget"]


def test_a_budget_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="before the month begins"):
        BudgetSettings(monthly_usd=0, tell="a@example.org")


def test_a_budget_nobody_would_hear_of_is_refused() -> None:
    with pytest.raises(ValueError, match="no address"):
        BudgetSettings(monthly_usd=10, tell="oncall")
