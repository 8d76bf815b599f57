"""The process people start: `python -m stripe_sandbox`."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
import stripe

from stripe_sandbox.settings import Settings
from tests.faults.waiting import until
from tests.ports import free_port
from tests.stripe_sandbox.onboarding import donate
from tests.stripe_sandbox.running import PUBLISHABLE_KEY, SECRET_KEY, WAIT_SECONDS_MAX, running
from tests.stripe_sandbox.subscribing import at, donor

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

SOURCES = Path(__file__).parents[2] / "services/stripe_sandbox/src"


def start(port: int, state: Path) -> "subprocess.Popen[bytes]":
    environment = os.environ | {
        "PYTHONPATH": str(SOURCES),
        "STRIPE_SANDBOX_PORT": str(port),
        "STRIPE_SANDBOX_STATE": str(state),
        "STRIPE_SANDBOX_SECRET_KEY": SECRET_KEY,
        "STRIPE_SANDBOX_PUBLISHABLE_KEY": PUBLISHABLE_KEY,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "stripe_sandbox"], env=environment, stderr=subprocess.DEVNULL
    )
    until(lambda: answers(process, port), otherwise="the sandbox did not answer", seconds=WAIT_SECONDS_MAX)
    return process


def answers(process: "subprocess.Popen[bytes]", port: int) -> bool:
    try:
        answer = httpx2.get(f"http://127.0.0.1:{port}/_sandbox/health", trust_env=False)
    except httpx2.TransportError:
        assert process.poll() is None, "the sandbox did not start"
        return False
    return answer.status_code == 200


@pytest.fixture
def alone(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """What `make stripe-sandbox` starts, on a free port."""
    with subprocess.Popen(
        [sys.executable, "-m", "stripe_sandbox.alone"],
        env=os.environ | {"PYTHONPATH": str(SOURCES), "STRIPE_SANDBOX_PORT": str(free_port())},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        yield process
        process.kill()


def test_alone_it_tells_how_to_pay_and_ends_with_ctrl_c(alone: "subprocess.Popen[str]") -> None:
    assert alone.stdout is not None
    told = ""
    while "Ctrl-C" not in told:
        line = alone.stdout.readline()
        assert line, told
        told += line
    command = told[told.index("curl ") : told.index("Ctrl-C")]
    paid = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert json.loads(paid.stdout)["status"] == "succeeded"
    alone.send_signal(signal.SIGINT)
    assert alone.wait(WAIT_SECONDS_MAX) == 0


def test_alone_it_names_the_port_it_cannot_have(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "stripe_sandbox.alone"],
            env={"PYTHONPATH": str(SOURCES), "STRIPE_SANDBOX_PORT": str(port)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith(f"stripe-sandbox: port {port} cannot be used")


def test_a_killed_process_loses_nothing(tmp_path: Path) -> None:
    port, state = free_port(), tmp_path / "deep/er/stripe.sqlite3"
    client = stripe.StripeClient(
        SECRET_KEY, base_addresses={"api": f"http://127.0.0.1:{port}"}, http_client=stripe.UrllibClient()
    )
    process = start(port, state)
    paid = donate(client)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process = start(port, state)
    try:
        found = client.v1.payment_intents.retrieve(paid.id, {"expand": ["latest_charge.balance_transaction"]})
        assert found.status == "succeeded"
        assert len(client.v1.events.list().data) == 4
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def test_a_subscription_goes_on_after_its_process_was_killed(tmp_path: Path) -> None:
    port, state = free_port(), tmp_path / "stripe.sqlite3"
    client = stripe.StripeClient(
        SECRET_KEY, base_addresses={"api": f"http://127.0.0.1:{port}"}, http_client=stripe.UrllibClient()
    )
    process = start(port, state)
    try:
        grace = donor(client, at(2027, 1, 31))
        made = grace.subscribe(grace.price(1000))
        grace.advance(at(2027, 2, 28))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process = start(port, state)
        grace.advance(at(2027, 3, 31, 12))
        assert [invoice.status for invoice in grace.invoices(made.id)] == ["paid", "paid", "paid"]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def test_a_state_file_of_an_earlier_release_is_brought_up_to_date(settings: Settings) -> None:
    with running(replace(settings, settlement_delay=timedelta(hours=1))) as sandbox:
        charge = str(donate(sandbox.client()).latest_charge)
    with closing(sqlite3.connect(settings.state)) as state, state:
        state.execute("ALTER TABLE due_work RENAME COLUMN subject TO charge")
    with running(settings) as sandbox:
        sandbox.hook("clock", {"seconds": 3600})
        assert sandbox.client().v1.charges.retrieve(charge).balance_transaction is not None


def test_a_missing_setting_is_named_in_one_sentence() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "stripe_sandbox"],
        env={"PYTHONPATH": str(SOURCES), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("stripe_sandbox: STRIPE_SANDBOX_STATE, STRIPE_SANDBOX_SECRET_KEY")


def test_webhooks_never_leave_this_machine(settings: Settings) -> None:
    with pytest.raises(ValueError, match="loopback"):
        replace(settings, webhook_url="https://amply.example/v1/webhooks/stripe")


def test_a_live_key_is_refused(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "stripe_sandbox"],
        env={
            "PYTHONPATH": str(SOURCES),
            "PATH": os.environ["PATH"],
            "STRIPE_SANDBOX_STATE": str(tmp_path / "state"),
            "STRIPE_SANDBOX_SECRET_KEY": "sk_live_real",
            "STRIPE_SANDBOX_PUBLISHABLE_KEY": PUBLISHABLE_KEY,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "never sees a live key" in done.stderr) == (1, True)
