"""The check asks AWS what it should, judges what comes back, and never takes silence for good news."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber

from operations.cost_check import billing, cli, questions
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

ROOT = Path(__file__).parents[2]
PROGRAM = ("-m", "operations.cost_check")
NOBODY_THERE = "http://127.0.0.1:1"
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


@pytest.fixture
def session() -> Iterator[RecordedSession]:
    recorded = RecordedSession()
    for stub in recorded.stubs.values():
        stub.activate()
    yield recorded
    for stub in recorded.stubs.values():
        stub.assert_no_pending_responses()


def _page(costs: Mapping[str, str], *, token: str | None = None) -> dict[str, Any]:
    groups = [
        {"Keys": [service], "Metrics": {questions.METRIC: {"Amount": usd, "Unit": "USD"}}}
        for service, usd in costs.items()
    ]
    page: dict[str, Any] = {"ResultsByTime": [{"Groups": groups, "Estimated": True}]}
    return {**page, "NextPageToken": token} if token else page


def _month(session: RecordedSession, *, today: date = TODAY) -> Month:
    return Billing(session).month("sandbox", shared=False, today=today)


def test_a_month_is_what_aws_says_of_it(session: RecordedSession) -> None:
    session.knows(limit="100")
    session.has_spent(_page({"Amazon RDS": "20.10", "Tax": "4.90"}))
    session.foresees("15.5")
    session.tells_of_free_tier()

    month = _month(session)

    assert (month.limit, month.spent, month.foreseen) == (Decimal(100), Decimal("25.00"), Decimal("40.50"))
    assert exit_status(month, Thresholds()) is Exit.WITHIN


def test_what_comes_on_several_pages_is_added_up(session: RecordedSession) -> None:
    question = questions.spent("sandbox", shared=False, today=TODAY)
    assert question is not None
    session.knows()
    session.has_spent(_page({"Amazon RDS": "1"}, token="more"), question.arguments)
    session.has_spent(_page({"Amazon RDS": "2", "Tax": "4"}), {**question.arguments, "NextPageToken": "more"})
    session.foresees("0")
    session.tells_of_free_tier()
    assert _month(session).spent_by_service == {"Amazon RDS": Decimal(3), "Tax": Decimal(4)}


def test_pages_without_end_are_given_up(session: RecordedSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(billing, "PAGES_MAX", 2)
    session.knows()
    for _ in range(2):
        session.has_spent(_page({"Tax": "1"}, token="more"))
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
    session.has_spent(_page({"Amazon RDS": "75"}))
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
    session.has_spent(_page({}))
    session.foresees("0")
    session.tells_of_free_tier(FREE, {**FREE, "service": "AWS Glue", "forecastedUsageAmount": 1.0})
    month = _month(session)
    (sentence,) = outgrown(month)
    assert "AWS Lambda will leave the free tier" in sentence
    assert exit_status(month, Thresholds()) is Exit.WITHIN


def test_an_account_without_a_free_tier_is_checked_all_the_same(session: RecordedSession) -> None:
    session.knows()
    session.has_spent(_page({}))
    session.foresees("0")
    session.stubs["freetier"].add_client_error("get_free_tier_usage", "ValidationException", "no plan")
    assert _month(session).free_tier is None


def test_a_missing_budget_says_which_stack_to_deploy(session: RecordedSession) -> None:
    session.stubs["sts"].add_response("get_caller_identity", {"Account": ACCOUNT})
    session.stubs["budgets"].add_client_error("describe_budget", "NotFoundException", "none")
    with pytest.raises(CouldNotCheckError, match="cdk deploy sandbox/budget"):
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
    session.has_spent(_page({}))
    session.stubs["ce"].add_client_error("get_cost_forecast", "LimitExceededException", "slow down")
    with pytest.raises(CouldNotCheckError, match="slow down"):
        _month(session)


class UnreachableSession:
    """Every call ends as it does without a network."""

    def client(self, _name: str, **_settings: object) -> Any:
        return self

    def get_caller_identity(self) -> Mapping[str, Any]:
        raise EndpointConnectionError(endpoint_url="https://sts.us-east-1.amazonaws.com")


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


def _run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    status = ended.value.code
    assert isinstance(status, int)
    return status


def test_a_dry_run_shows_every_question_and_asks_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("--environment", "staging", "--dry-run") == 0
    shown = [line.partition(" ") for line in capsys.readouterr().out.splitlines()]
    names = [name for name, _, _ in shown]
    assert names[0] == "budgets:DescribeBudget"
    assert names[-2:] == ["ce:GetCostForecast", "freetier:GetFreeTierUsage"]
    assert all(isinstance(json.loads(arguments), dict) for _, _, arguments in shown)


@pytest.mark.parametrize("arguments", [(), ("--environment",), ("--environment", "x", "--spent", "much")])
def test_a_mistake_on_the_command_line_does_not_look_like_a_verdict(arguments: tuple[str, ...]) -> None:
    assert _run(*arguments) == Exit.COULD_NOT_CHECK


@pytest.mark.parametrize(("spent", "status"), [("10", 0), ("90", 2)])
def test_the_exit_status_is_the_verdict(
    session: RecordedSession,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    spent: str,
    status: int,
) -> None:
    session.knows(limit="100")
    session.stubs["ce"].add_response("get_cost_and_usage", _page({"Amazon RDS": spent}))
    session.foresees("0")
    session.tells_of_free_tier()
    monkeypatch.setattr(cli, "Billing", lambda: Billing(session))
    monkeypatch.setattr(cli, "today", lambda: TODAY)
    assert _run("--environment", "sandbox", "--json") == status
    said = json.loads(capsys.readouterr().out)
    assert (said["status"], said["spent_usd"]) == ("within" if status == 0 else "above", spent)
    assert len(said["above"]) == (status == 2)


def test_a_month_that_could_not_be_checked_says_why_and_is_no_good_news(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "Billing", lambda: Billing(UnreachableSession()))
    assert _run("--environment", "sandbox") == Exit.COULD_NOT_CHECK
    assert capsys.readouterr().err.startswith("Could not check: ")


@dataclass(frozen=True)
class Answers:
    """A month as AWS would tell it over HTTP, so that the program itself can be started."""

    spent: str
    """And as much to come: on the first of a month nothing is asked but the forecast."""

    def to(self, body: str, target: str) -> str:
        if "GetCallerIdentity" in body:
            return (
                "<GetCallerIdentityResponse><GetCallerIdentityResult>"
                f"<Account>{ACCOUNT}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
            )
        usd = {"Amount": "100", "Unit": "USD"}
        told: Mapping[str, Mapping[str, Any]] = {
            "DescribeBudget": {
                "Budget": {"BudgetName": "b", "BudgetType": "COST", "TimeUnit": "MONTHLY", "BudgetLimit": usd}
            },
            "GetCostAndUsage": _page({"Amazon RDS": self.spent}),
            "GetCostForecast": {
                "Total": {"Amount": self.spent, "Unit": "USD"},
                "ForecastResultsByTime": [],
            },
            "GetFreeTierUsage": {"freeTierUsages": []},
        }
        return json.dumps(told[target.rpartition(".")[2]])


@contextmanager
def _aws(answers: Answers) -> Iterator[str]:
    """A server on this machine that answers the four questions; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            answer = answers.to(body, self.headers.get("X-Amz-Target", "")).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the library's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def _start(command: list[str], address: str) -> subprocess.CompletedProcess[str]:
    asked = {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    return subprocess.run(
        command, cwd=ROOT, env=os.environ | asked, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.mark.allow_hosts(["127.0.0.1"])
@pytest.mark.parametrize(("spent", "code"), [("1", 0), ("2000", 2)])
def test_the_program_ends_with_the_verdict(spent: str, code: int) -> None:
    with _aws(Answers(spent)) as address:
        ended = _start([sys.executable, *PROGRAM, "--environment", "sandbox"], address)
    assert ended.returncode == code, ended.stderr


def test_the_program_ends_with_3_where_nobody_answers() -> None:
    ended = _start([sys.executable, *PROGRAM, "--environment", "sandbox"], NOBODY_THERE)
    assert ended.returncode == 3
    assert ended.stderr.startswith("Could not check: ")


def test_the_command_people_type_tells_the_programs_own_code() -> None:
    ended = _start(["make", "cost-check", "ENVIRONMENT=sandbox"], NOBODY_THERE)
    *_, told, makes_own = ended.stderr.splitlines()
    assert told == "cost-check: the program's exit code is 3 (2 above and 3 could not check)"
    assert makes_own.startswith("make")
    assert ended.returncode == 2
