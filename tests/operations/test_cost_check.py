"""The check asks AWS what it should, judges what comes back, and never takes silence for good news."""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from operations.cost_check import billing, questions
from operations.cost_check.billing import Billing, CouldNotCheckError
from operations.cost_check.verdict import (
    Exit,
    Month,
    Thresholds,
    complaints,
    exit_status,
    extrapolate,
    outgrown,
)
from stacks.contracts import budget_name
from tests.operations.billing_double import (
    ACCOUNT,
    TODAY,
    RecordedSession,
    UnreachableSession,
    page,
    recorded_session,
)


@pytest.fixture
def session() -> Iterator[RecordedSession]:
    with recorded_session() as recorded:
        yield recorded


def _month(session: RecordedSession, *, today: date = TODAY) -> Month:
    return Billing(session).month("sandbox", shared=False, today=today)


def test_a_month_is_what_aws_says_of_it(session: RecordedSession) -> None:
    session.knows(limit="100")
    session.has_spent(page({"Amazon RDS": "20.10", "Tax": "4.90"}))
    session.foresees("15.5")
    session.tells_of_free_tier()

    month = _month(session)

    assert (month.limit, month.spent, month.foreseen) == (Decimal(100), Decimal("25.00"), Decimal("40.50"))
    assert exit_status(month, Thresholds()) is Exit.WITHIN


def test_what_comes_on_several_pages_is_added_up(session: RecordedSession) -> None:
    question = questions.spent("sandbox", shared=False, today=TODAY)
    assert question is not None
    session.knows()
    session.has_spent(page({"Amazon RDS": "1"}, token="more"), question.arguments)
    session.has_spent(page({"Amazon RDS": "2", "Tax": "4"}), {**question.arguments, "NextPageToken": "more"})
    session.foresees("0")
    session.tells_of_free_tier()
    assert _month(session).spent_by_service == {"Amazon RDS": Decimal(3), "Tax": Decimal(4)}


def test_pages_without_end_are_given_up(session: RecordedSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(billing, "PAGES_MAX", 2)
    session.knows()
    for _ in range(2):
        session.has_spent(page({"Tax": "1"}, token="more"))
    with pytest.raises(CouldNotCheckError, match="does not end after 2 pages"):
        _month(session)


def test_on_the_first_of_a_month_nothing_is_spent_and_the_forecast_alone_is_asked(
    session: RecordedSession,
) -> None:
    session.knows()
    session.foresees("70")
    session.tells_of_free_tier()
    month = _month(session, today=date(2026, 12, 1))
    assert (month.spent, month.foreseen) == (Decimal(0), Decimal(70))


def test_without_a_forecast_the_month_goes_on_at_its_pace(session: RecordedSession) -> None:
    session.knows(limit="100")
    session.has_spent(page({"Amazon RDS": "75"}))
    session.stubs["ce"].add_client_error(
        "get_cost_forecast", "DataUnavailableException", "too little history"
    )
    session.tells_of_free_tier()
    month = _month(session)
    assert month.rest_is_a_guess
    assert month.foreseen == Decimal(90)


@pytest.mark.parametrize(
    ("spent", "rest", "status"),
    [
        ("80", "0", Exit.WITHIN),
        ("80.01", "0", Exit.ABOVE),
        ("50", "50", Exit.WITHIN),
        ("50", "50.01", Exit.ABOVE),
    ],
)
def test_a_threshold_itself_is_within_and_a_cent_more_is_above(spent: str, rest: str, status: Exit) -> None:
    month = Month(
        environment="sandbox",
        limit=Decimal(100),
        spent_by_service={"Amazon RDS": Decimal(spent)},
        rest=Decimal(rest),
        rest_is_a_guess=False,
        free_tier=None,
    )
    assert exit_status(month, Thresholds()) is status
    assert len(list(complaints(month, Thresholds()))) == (status is Exit.ABOVE)


def test_nothing_is_extrapolated_from_nothing() -> None:
    assert extrapolate(Decimal(0), days_spent=0, days_left=31) == 0


FREE: Mapping[str, Any] = {
    "service": "AWS Lambda",
    "usageType": "Global-Request",
    "unit": "Requests",
    "actualUsageAmount": 900000.0,
    "forecastedUsageAmount": 1100000.0,
    "limit": 1000000.0,
}


def test_leaving_the_free_tier_is_told_and_fails_nothing(session: RecordedSession) -> None:
    session.knows()
    session.has_spent(page({}))
    session.foresees("0")
    session.tells_of_free_tier(FREE, {**FREE, "service": "AWS Glue", "forecastedUsageAmount": 1.0})
    month = _month(session)
    (sentence,) = outgrown(month)
    assert "AWS Lambda will leave the free tier" in sentence
    assert exit_status(month, Thresholds()) is Exit.WITHIN


def test_an_account_without_a_free_tier_is_checked_all_the_same(session: RecordedSession) -> None:
    session.knows()
    session.has_spent(page({}))
    session.foresees("0")
    session.stubs["freetier"].add_client_error("get_free_tier_usage", "ValidationException", "no plan")
    assert _month(session).free_tier is None


def test_a_missing_budget_says_which_stack_to_deploy(session: RecordedSession) -> None:
    session.stubs["sts"].add_response("get_caller_identity", {"Account": ACCOUNT})
    session.stubs["budgets"].add_client_error("describe_budget", "NotFoundException", "none")
    with pytest.raises(CouldNotCheckError, match="npx cdk deploy sandbox/budget --exclusively"):
        _month(session)


def test_an_answer_in_another_currency_is_not_compared(session: RecordedSession) -> None:
    session.knows(unit="EUR")
    with pytest.raises(CouldNotCheckError, match="answered in EUR"):
        _month(session)


def test_a_budget_without_a_limit_is_not_compared_with(session: RecordedSession) -> None:
    session.knows(limit="0")
    with pytest.raises(CouldNotCheckError, match="no limit"):
        _month(session)


@pytest.mark.parametrize(
    ("service", "operation"), [("sts", "get_caller_identity"), ("budgets", "describe_budget")]
)
def test_a_refusal_is_a_month_that_was_not_checked(
    session: RecordedSession, service: str, operation: str
) -> None:
    if service != "sts":
        session.stubs["sts"].add_response("get_caller_identity", {"Account": ACCOUNT})
    session.stubs[service].add_client_error(operation, "AccessDeniedException", "not authorized")
    with pytest.raises(CouldNotCheckError, match="not authorized"):
        _month(session)


def test_a_refused_forecast_is_a_month_that_was_not_checked(session: RecordedSession) -> None:
    session.knows()
    session.has_spent(page({}))
    session.stubs["ce"].add_client_error("get_cost_forecast", "LimitExceededException", "slow down")
    with pytest.raises(CouldNotCheckError, match="slow down"):
        _month(session)


def test_without_a_network_the_month_was_not_checked() -> None:
    with pytest.raises(CouldNotCheckError, match="could not be asked for GetCallerIdentity"):
        Billing(UnreachableSession()).month("sandbox", shared=False, today=TODAY)


def test_aws_is_not_waited_for_long() -> None:
    patience: Any = billing.PATIENCE
    assert patience.connect_timeout + patience.read_timeout <= 30
    assert patience.retries["max_attempts"] <= 5


def test_only_a_named_sandbox_is_told_apart_by_its_tag() -> None:
    whole = questions.foreseen("production", shared=False, today=TODAY).arguments
    named = questions.foreseen("sandbox-ada", shared=True, today=TODAY).arguments
    assert "Filter" not in whole
    assert named["Filter"]["Tags"]["Values"] == ["sandbox-ada"]


@pytest.mark.parametrize(
    ("today", "end"), [(date(2026, 12, 31), "2027-01-01"), (date(2028, 2, 29), "2028-03-01")]
)
def test_a_month_ends_where_the_next_begins(today: date, end: str) -> None:
    asked = questions.foreseen("production", shared=False, today=today).arguments["TimePeriod"]
    assert asked == {"Start": today.isoformat(), "End": end}


def test_the_budget_is_asked_for_by_the_name_its_stack_gives_it() -> None:
    assert questions.limit("staging").arguments["BudgetName"] == budget_name("staging")
