"""Recorded answers of AWS's billing services, without network."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any

import boto3
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber

from operations.cost_check import questions

TODAY = date(2026, 11, 26)
ACCOUNT = "333333333333"
SERVICES = ("sts", "budgets", "ce", "freetier")


class RecordedSession:
    """boto3 clients whose answers are recorded beforehand and checked against the services' own models."""

    def __init__(self) -> None:
        real: Any = boto3.session.Session(
            region_name="us-east-1", aws_access_key_id="recorded", aws_secret_access_key="recorded"
        )
        self._clients = {name: real.client(name) for name in SERVICES}
        self.stubs = {name: Stubber(client) for name, client in self._clients.items()}

    def client(self, name: str, **_settings: object) -> Any:
        return self._clients[name]

    def knows(self, *, limit: str = "100", unit: str = "USD") -> None:
        self.stubs["sts"].add_response("get_caller_identity", {"Account": ACCOUNT}, {})
        budget = {
            "BudgetName": "amply-sandbox",
            "BudgetType": "COST",
            "TimeUnit": "MONTHLY",
            "BudgetLimit": {"Amount": limit, "Unit": unit},
        }
        asked = {"AccountId": ACCOUNT, "BudgetName": "amply-sandbox"}
        self.stubs["budgets"].add_response("describe_budget", {"Budget": budget}, asked)

    def has_spent(self, page: Mapping[str, Any], arguments: Mapping[str, Any] | None = None) -> None:
        self.stubs["ce"].add_response("get_cost_and_usage", page, arguments)

    def foresees(self, usd: str) -> None:
        answer = {"Total": {"Amount": usd, "Unit": "USD"}, "ForecastResultsByTime": []}
        self.stubs["ce"].add_response("get_cost_forecast", answer)

    def tells_of_free_tier(self, *usages: Mapping[str, Any]) -> None:
        self.stubs["freetier"].add_response("get_free_tier_usage", {"freeTierUsages": list(usages)}, {})


@contextmanager
def recorded_session() -> Iterator[RecordedSession]:
    """One whose every recorded answer has to be asked for before it ends."""
    recorded = RecordedSession()
    for stub in recorded.stubs.values():
        stub.activate()
    yield recorded
    for stub in recorded.stubs.values():
        stub.assert_no_pending_responses()


def page(costs: Mapping[str, str], *, token: str | None = None) -> dict[str, Any]:
    """An answer of Cost Explorer: US dollars by service."""
    groups = [
        {"Keys": [service], "Metrics": {questions.METRIC: {"Amount": usd, "Unit": "USD"}}}
        for service, usd in costs.items()
    ]
    answer: dict[str, Any] = {"ResultsByTime": [{"Groups": groups, "Estimated": True}]}
    return {**answer, "NextPageToken": token} if token else answer


class UnreachableSession:
    """Every call ends as it does without a network."""

    def client(self, _name: str, **_settings: object) -> Any:
        return self

    def get_caller_identity(self) -> Mapping[str, Any]:
        raise EndpointConnectionError(endpoint_url="https://sts.us-east-1.amazonaws.com")
