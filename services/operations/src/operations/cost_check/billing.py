"""Queries the billing services of AWS, with bounded time, attempts and pages."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from operations.cost_check import questions
from operations.cost_check.questions import Question
from operations.cost_check.verdict import FreeTier, Month, extrapolate

REGION = "us-east-1"
"""Where all billing services answer."""
PATIENCE = Config(connect_timeout=5, read_timeout=20, retries={"max_attempts": 3, "mode": "standard"})
PAGES_MAX = 20
_NO_FORECAST = "DataUnavailableException"
_NO_BUDGET = "NotFoundException"
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")


class CouldNotCheckError(Exception):
    """Nothing is known about the month; the message says why."""


class Billing:
    """The account's own answers. `session` is boto3's; its clients are known by name only, so they are untyped."""

    def __init__(self, session: Any = None) -> None:
        self._session: Any = session or boto3.session.Session(region_name=REGION)
        self._clients: dict[str, Any] = {}

    def month(self, environment: str, *, shared: bool, today: date) -> Month:
        """Everything the verdict needs.

        Raises:
            CouldNotCheckError: AWS could not be asked, or did not answer in USD.
        """
        limit = self._limit(environment)
        by_service = self._spent(questions.spent(environment, shared=shared, today=today))
        rest = self._foreseen(questions.foreseen(environment, shared=shared, today=today))
        days_left = (questions.next_month(today) - today).days
        guess = extrapolate(
            sum(by_service.values(), Decimal(0)), days_spent=today.day - 1, days_left=days_left
        )
        return Month(
            environment=environment,
            limit=limit,
            spent_by_service=by_service,
            rest=guess if rest is None else rest,
            rest_is_a_guess=rest is None,
            free_tier=self._free_tier(),
        )

    def _limit(self, environment: str) -> Decimal:
        question = questions.limit(environment)
        account = self._ask(Question(service="sts", operation="GetCallerIdentity", arguments={}))["Account"]
        arguments = {**question.arguments, "AccountId": account}
        try:
            answer = self._call(question.service, question.operation, arguments)
        except ClientError as refusal:
            if _code(refusal) == _NO_BUDGET:
                raise CouldNotCheckError(
                    f"There is no budget {arguments['BudgetName']}; deploy it: "
                    f"npx cdk deploy {environment}/budget --exclusively"
                ) from refusal
            raise _sentence(question, refusal) from refusal
        limit = _usd(answer["Budget"]["BudgetLimit"])
        if limit <= 0:
            raise CouldNotCheckError(f"The budget {arguments['BudgetName']} has no limit to compare with.")
        return limit

    def _spent(self, question: Question | None) -> Mapping[str, Decimal]:
        found: dict[str, Decimal] = {}
        if question is None:
            return found
        for page in self._pages(question, "NextPageToken"):
            for result in page["ResultsByTime"]:
                for group in result["Groups"]:
                    name = " ".join(group["Keys"])
                    found[name] = found.get(name, Decimal(0)) + _usd(group["Metrics"][questions.METRIC])
        return found

    def _foreseen(self, question: Question) -> Decimal | None:
        """None where AWS has too little history to foresee anything."""
        try:
            answer = self._call(question.service, question.operation, question.arguments)
        except ClientError as refusal:
            if _code(refusal) == _NO_FORECAST:
                return None
            raise _sentence(question, refusal) from refusal
        return _usd(answer["Total"])

    def _free_tier(self) -> list[FreeTier] | None:
        """None where AWS does not tell: no account needs to have a free tier, and the budget counts on none."""
        question = questions.free_tier()
        try:
            usages = [
                usage for page in self._pages(question, "nextToken") for usage in page["freeTierUsages"]
            ]
        except CouldNotCheckError:
            return None
        return [
            FreeTier(
                service=usage["service"],
                usage=usage["usageType"],
                unit=usage["unit"],
                used=Decimal(str(usage["actualUsageAmount"])),
                foreseen=Decimal(str(usage["forecastedUsageAmount"])),
                limit=Decimal(str(usage["limit"])),
            )
            for usage in usages
        ]

    def _pages(self, question: Question, token_name: str) -> Iterator[Mapping[str, Any]]:
        token: str | None = None
        for _ in range(PAGES_MAX):
            arguments = {**question.arguments, **({token_name: token} if token else {})}
            page = self._ask(
                Question(service=question.service, operation=question.operation, arguments=arguments)
            )
            yield page
            token = page.get(token_name)
            if not token:
                return
        raise CouldNotCheckError(f"{question.operation} does not end after {PAGES_MAX} pages.")

    def _ask(self, question: Question) -> Mapping[str, Any]:
        try:
            return self._call(question.service, question.operation, question.arguments)
        except ClientError as refusal:
            raise _sentence(question, refusal) from refusal

    def _call(self, service: str, operation: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Raises ClientError where AWS refuses: what that means depends on the question."""
        if service not in self._clients:
            self._clients[service] = self._session.client(service, region_name=REGION, config=PATIENCE)
        method = getattr(self._clients[service], _WORDS.sub("_", operation).lower())
        try:
            answer: Mapping[str, Any] = method(**arguments)
        except BotoCoreError as failure:
            raise CouldNotCheckError(f"AWS could not be asked for {operation}: {failure}") from failure
        return answer


def _code(refusal: ClientError) -> str:
    return str(refusal.response["Error"]["Code"])


def _sentence(question: Question, refusal: ClientError) -> CouldNotCheckError:
    return CouldNotCheckError(f"AWS refused {question.operation}: {refusal.response['Error']['Message']}")


def _usd(amount: Mapping[str, str]) -> Decimal:
    if amount["Unit"] != "USD":
        raise CouldNotCheckError(f"AWS answered in {amount['Unit']}, and the budget is in USD.")
    return Decimal(amount["Amount"])
