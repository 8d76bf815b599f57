"""AWS Budgets: notifications at half of the monthly limit, near it, at it, and by forecast."""

from aws_cdk import aws_budgets as budgets
from constructs import Construct

from stacks.contracts import budget_name
from stacks.environment import BudgetSettings, Environment
from stacks.stack import AmplyStack

TOLD_AT_PERCENT = (50, 80, 100)
FORESEEN_AT_PERCENT = 100


class Budget(AmplyStack):
    """Notifies only. Nothing is stopped: a donation platform that switches itself off would be worse than a bill."""

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, budget: BudgetSettings
    ) -> None:
        super().__init__(scope, construct_id, environment=environment, description="Amply: budget")
        told = [_at(percent, "ACTUAL", budget.tell) for percent in TOLD_AT_PERCENT]
        foreseen = _at(FORESEEN_AT_PERCENT, "FORECASTED", budget.tell)
        # Tags in a filter count from the day the payer has made `amply:environment` a cost allocation tag.
        tagged = {"TagKeyValue": [f"user:amply:environment${environment.name}"]}
        budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_name=budget_name(environment.name),
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=budget.monthly_usd, unit="USD"),
                cost_filters=tagged if budget.shares_account else None,
            ),
            notifications_with_subscribers=[*told, foreseen],
        )


def _at(percent: int, kind: str, address: str) -> budgets.CfnBudget.NotificationWithSubscribersProperty:
    return budgets.CfnBudget.NotificationWithSubscribersProperty(
        notification=budgets.CfnBudget.NotificationProperty(
            notification_type=kind,
            comparison_operator="GREATER_THAN",
            threshold=percent,
            threshold_type="PERCENTAGE",
        ),
        subscribers=[budgets.CfnBudget.SubscriberProperty(subscription_type="EMAIL", address=address)],
    )
