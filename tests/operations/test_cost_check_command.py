"""The command line of the check: its exit status is the verdict, and whatever else happens does not look like one."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from operations.cost_check import cli
from operations.cost_check.billing import Billing
from operations.cost_check.verdict import Exit
from tests.operations.billing_double import (
    ACCOUNT,
    TODAY,
    RecordedSession,
    UnreachableSession,
    page,
    recorded_session,
)

ROOT = Path(__file__).parents[2]
PROGRAM = ("-m", "operations.cost_check")
NOBODY_THERE = "http://127.0.0.1:1"


@pytest.fixture
def session() -> Iterator[RecordedSession]:
    with recorded_session() as recorded:
        yield recorded


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
    session.stubs["ce"].add_response("get_cost_and_usage", page({"Amazon RDS": spent}))
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
            "GetCostAndUsage": page({"Amazon RDS": self.spent}),
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
