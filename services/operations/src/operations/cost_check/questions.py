"""Requests to AWS as plain data: `--dry-run` prints them, and tests compare them.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_Operations_AWS_Cost_Explorer_Service.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

METRIC = "UnblendedCost"
"""The account's own prices, as they stand on the bill of the month."""
CREDENTIALS_ACCOUNT = "the account of the credentials"
"""Stands in a question until the credentials have said which account they are of."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """One call: `service` as boto3 names its client, `operation` as the API reference names it."""

    service: str
    operation: str
    arguments: Mapping[str, Any]


def spent(environment: str, *, shared: bool, today: date) -> Question | None:
    """The month up to yesterday, by service. On the first of a month there is nothing to ask yet."""
    if today.day == 1:
        return None
    return Question(
        service="ce",
        operation="GetCostAndUsage",
        arguments={
            "TimePeriod": _period(today.replace(day=1), today),
            "Granularity": "MONTHLY",
            "Metrics": [METRIC],
            "GroupBy": [{"Type": "DIMENSION", "Key": "SERVICE"}],
            **_filter(environment, shared=shared),
        },
    )


def foreseen(environment: str, *, shared: bool, today: date) -> Question:
    """What today and the days until the month's end will cost."""
    return Question(
        service="ce",
        operation="GetCostForecast",
        arguments={
            "TimePeriod": _period(today, next_month(today)),
            "Granularity": "MONTHLY",
            "Metric": "UNBLENDED_COST",
            **_filter(environment, shared=shared),
        },
    )


def limit(environment: str) -> Question:
    return Question(
        service="budgets",
        operation="DescribeBudget",
        arguments={"AccountId": CREDENTIALS_ACCOUNT, "BudgetName": f"amply-{environment}"},
    )


def free_tier() -> Question:
    return Question(service="freetier", operation="GetFreeTierUsage", arguments={})


def next_month(today: date) -> date:
    return (today.replace(day=28) + timedelta(days=4)).replace(day=1)


def _period(start: date, end: date) -> Mapping[str, str]:
    """`end` is not part of it."""
    return {"Start": start.isoformat(), "End": end.isoformat()}


def _filter(environment: str, *, shared: bool) -> Mapping[str, Any]:
    if not shared:
        return {}
    tag = {"Key": "amply:environment", "Values": [environment], "MatchOptions": ["EQUALS"]}
    return {"Filter": {"Tags": tag}}
