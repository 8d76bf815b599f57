"""What `POST /v1/donations` costs, against what it would cost at least.

Baselines: the same application, middleware and request model, with a handler that does nothing, and with one that makes the
same rows and the same call by hand (`apparatus/gift_by_hand.py`). Ours: the whole of the donate flow, with the counters of a
real cache, on a real PostgreSQL, with the client of the processor that production has. The processor is a process of its own
that answers at once. All are served by one process and driven over loopback by the same clients, in turns.

Beside the rates stands the processor time that a request takes, in the application's process and in PostgreSQL's: it hardly
depends on what else the machine does. `--quick` takes one short turn, to see that it runs.
"""

import http.client
import itertools
import json
import multiprocessing
import signal
import statistics
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final

import uvicorn
from fastapi import FastAPI, Header
from fastapi.responses import JSONResponse
from pydantic import SecretStr

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from amply.adapters.stripe import StripeProcessor
from amply.entrypoints import application
from amply.entrypoints.gift_concurrency import CONCURRENT_GIFTS_MAX
from amply.entrypoints.slow_request_limits import SlowRequestLimits
from amply.infra import logging
from amply.infra.counters import CacheCounters, Counters, Hit, HitCount
from amply.infra.database import Database, connect
from amply.infra.settings import CacheSettings, StripeSettings
from amply.kernel.clock import system_clock
from amply.modules import defence
from amply.modules.donations import DonationIn
from benchmarks.apparatus.cache import cache
from benchmarks.apparatus.gift_by_hand import ByHand
from benchmarks.apparatus.postgresql import Server, free_port, server
from benchmarks.apparatus.processor_time import seconds_of, seconds_with_children
from benchmarks.apparatus.quick_processor import quick_processor
from tests.backend.fake_method_cloning import FakeMethodCloning
from tests.backend.key_service import keyring
from tests.backend.world import FakeProcessor, NoLimit, ready_organization

CONNECTIONS = 16
IS_QUICK = "--quick" in sys.argv
REQUESTS = 64 if IS_QUICK else 1_600
TURNS = 1 if IS_QUICK else 3
CROWD = 64 if IS_QUICK else 1_000
"""Donors who give to one campaign at the same moment, each over a connection of their own."""

_ADDRESS: Final = "x-client-address"
_EMPTY, _BY_HAND, _OURS = "/baseline", "/baseline/by-hand", "/v1/donations"
_NAMES: Final = {_EMPTY: "empty handler", _BY_HAND: "the flow by hand", _OURS: "POST /v1/donations"}
_CREATED: Final = 201
_BUSY: Final = 503


@dataclass(frozen=True)
class Run:
    """One turn: requests a second, and every request's milliseconds."""

    rate: float
    milliseconds: list[float]


@dataclass(frozen=True)
class Used:
    """Milliseconds of processor time that a request took."""

    application: float
    postgresql: float


@dataclass(frozen=True)
class Ready:
    """What whoever drives the server has to know."""

    organization_id: str
    pid: int
    postgresql_pid: int


class CountedInVain:
    """The real counters, asked and not believed: one organisation gets more gifts here than anybody would let pass."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters

    def count(self, hits: Sequence[Hit], *, now: datetime) -> HitCount:
        counted = self._counters.count(hits, now=now)
        return HitCount(numbers=tuple(1 for _ in hits), is_shared=counted.is_shared)


@contextmanager
def database(pg: Server) -> Iterator[Database]:
    """As the API opens it, with its role and its keys."""
    api = connect(pg.settings("amply_api"), application="benchmark", pool_size=CONCURRENT_GIFTS_MAX)
    api.keyring = keyring(api)
    try:
        yield api
    finally:
        api.close()


def organization(pg: Server) -> str:
    """One that takes gifts."""
    app = connect(pg.settings("amply_app"), application="benchmark")
    app.keyring = keyring(app)
    made = ready_organization(app, FakeProcessor())
    app.close()
    return made


def serve(port: int, ready: Any) -> None:
    """The server process: the real application and, beside it, the handlers to compare with."""
    # Uvicorn raises the signal again once it has stopped: leave by an exception, so that PostgreSQL is stopped too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    # Lines are made as production makes them, and nobody reads them.
    sys.stdout = open("/dev/null", "w")  # noqa: PTH123, SIM115 -- for as long as the process lives
    logging.configure(service="benchmark")
    with ExitStack() as stack:
        pg = stack.enter_context(server())
        counters = stack.enter_context(cache())
        processor_url = stack.enter_context(quick_processor())
        made = organization(pg)
        opened = stack.enter_context(database(pg))
        app = application_with(opened, counters, processor_url)
        assert opened.keyring is not None  # noqa: S101 -- `database` gave it one
        by_hand = ByHand(
            pg.settings("amply_api"), opened.keyring, processor_url, connections=CONCURRENT_GIFTS_MAX
        )
        stack.callback(by_hand.close)
        add_baselines(app, by_hand)
        config = uvicorn.Config(
            app, host="127.0.0.1", port=port, http=SlowRequestLimits, log_config=None, access_log=False
        )
        told = Ready(made, multiprocessing.current_process().pid or 0, pg.pid)
        threading.Thread(target=lambda: ready.put(told), daemon=True).start()
        uvicorn.Server(config).run()


def application_with(opened: Database, counters: CacheSettings, processor_url: str) -> FastAPI:
    stripe = StripeSettings(
        api_url=processor_url, secret_key=SecretStr("sk_test_benchmark"), publishable_key="pk_test_benchmark"
    )
    return application.create(
        application.Parts(
            database=opened,
            processor=StripeProcessor(stripe),
            method_cloning=FakeMethodCloning(),
            verifier=None,
            limiter=NoLimit(),
            gate=defence.gate(opened, CountedInVain(CacheCounters(counters))),
            clock=system_clock,
            livemode=False,
            log_url="http://127.0.0.1/log",
            allowed_origins=(),
            client_address_header=_ADDRESS,
        )
    )


def add_baselines(app: FastAPI, by_hand: ByHand) -> None:
    @app.post(_EMPTY, status_code=_CREATED)
    def empty(body: DonationIn) -> JSONResponse:
        return JSONResponse({"id": body.organization_id}, status_code=_CREATED)

    @app.post(_BY_HAND, status_code=_CREATED)
    def written(body: DonationIn, idempotency_key: Annotated[str, Header()]) -> JSONResponse:
        return JSONResponse(by_hand.give(body, key=idempotency_key), status_code=_CREATED)


_numbers = itertools.count()


def asked(organization_id: str) -> tuple[str, dict[str, str]]:
    """A gift of somebody who has not given yet: body and headers."""
    number = next(_numbers)
    body = {
        "organization_id": organization_id,
        "amount": {"minor_units": "2500", "currency": "EUR"},
        "donor": {"name": "Ada", "email": f"ada{number}@example.org"},
    }
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": uuid.uuid4().hex,
        _ADDRESS: f"198.{18 + number // 65_536 % 2}.{number // 256 % 256}.{number % 256}",
    }
    return json.dumps(body), headers


def drive(
    port: int, path: str, organization_id: str, *, requests: int = REQUESTS, connections: int = CONNECTIONS
) -> Run:
    """Send requests over kept-alive connections that are all used at once; every answer must be a 201."""
    taken: list[float] = []

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        for _ in range(requests // connections):
            body, headers = asked(organization_id)
            start = time.perf_counter()
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status == _CREATED:
                taken.append((time.perf_counter() - start) * 1_000)
        connection.close()

    seconds = at_once([client] * connections)
    if len(taken) < requests // connections * connections:
        raise SystemExit(f"{path}: {requests - len(taken)} of {requests} gifts were not taken")
    return Run(len(taken) / seconds, taken)


def at_once(clients: Sequence[Any]) -> float:
    """Let all begin together; seconds until the last has ended."""
    threads = [threading.Thread(target=client) for client in clients]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - start


@dataclass
class Crowd:
    """Donors who all give at once, and come again when they are told to.

    Attributes:
        first: Milliseconds until each had its first answer.
        taken: Milliseconds until each gift was taken, whoever had to come again included.
        waited: Milliseconds of the longest single wait for an answer.
        asked_again: How many answers were "come again".
        most_tries: Of the donor who came most often; a donation page gives up after four.
    """

    first: list[float] = field(default_factory=list)
    taken: list[float] = field(default_factory=list)
    waited: float = 0.0
    asked_again: int = 0
    most_tries: int = 0


def crowd(port: int, path: str, organization_id: str) -> Crowd:
    """Every donor once; all must have given in the end."""
    seen = Crowd()
    began = time.perf_counter()

    def donor() -> None:
        body, headers = asked(organization_id)
        for tries in itertools.count(1):
            start = time.perf_counter()
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            answer.read()
            connection.close()
            now = time.perf_counter()
            if start - began < 1:
                seen.first.append((now - start) * 1_000)
            seen.waited = max(seen.waited, (now - start) * 1_000)
            if answer.status == _CREATED:
                seen.taken.append((now - began) * 1_000)
                seen.most_tries = max(seen.most_tries, tries)
                return
            if answer.status != _BUSY:
                raise SystemExit(f"{path}: answered {answer.status}")
            seen.asked_again += 1
            time.sleep(float(answer.headers["Retry-After"]))

    at_once([donor] * CROWD)
    if len(seen.taken) < CROWD:
        raise SystemExit(f"{path}: {CROWD - len(seen.taken)} of {CROWD} gifts were not taken")
    return seen


def p99(runs: list[Run]) -> float:
    return quantile([value for run in runs for value in run.milliseconds], 99)


def quantile(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100)[percent - 1]


def wait_for(port: int) -> None:
    """Return once the server accepts connections."""
    for _ in range(200):
        try:
            http.client.HTTPConnection("127.0.0.1", port, timeout=1).connect()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit("the server did not start")


def measured(port: int, path: str, ready: Ready) -> tuple[Run, Used]:
    """One turn with what it used."""
    before = seconds_of(ready.pid), seconds_with_children(ready.postgresql_pid)
    run = drive(port, path, ready.organization_id)
    after = seconds_of(ready.pid), seconds_with_children(ready.postgresql_pid)
    each = [(late - early) * 1_000 / len(run.milliseconds) for early, late in zip(before, after, strict=True)]
    return run, Used(application=each[0], postgresql=each[1])


def main() -> None:
    port = free_port()
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=serve, args=(port, queue))
    process.start()
    try:
        ready: Ready = queue.get(timeout=120)
        wait_for(port)
        for path in _NAMES:
            drive(port, path, ready.organization_id)  # warm up
        turns: dict[str, list[tuple[Run, Used]]] = {path: [] for path in _NAMES}
        for _ in range(TURNS):
            for path, done in turns.items():
                done.append(measured(port, path, ready))
        crowds = {path: crowd(port, path, ready.organization_id) for path in (_EMPTY, _OURS)}
    finally:
        process.terminate()
        process.join()
    report(turns, crowds)


def report(turns: Mapping[str, list[tuple[Run, Used]]], crowds: Mapping[str, Crowd]) -> None:
    rates = {path: statistics.median(run.rate for run, _ in done) for path, done in turns.items()}
    slowest = {path: p99([run for run, _ in done]) for path, done in turns.items()}
    used = {path: statistics.median(each.application for _, each in done) for path, done in turns.items()}
    stored = {path: statistics.median(each.postgresql for _, each in done) for path, done in turns.items()}
    print(f"{REQUESTS} requests a turn, {CONNECTIONS} connections, {TURNS} turns each, median")
    print(f"{'':34}{'requests/s':>12}{'p99 ms':>10}{'processor ms':>14}{'PostgreSQL ms':>15}")
    for path, name in _NAMES.items():
        print(f"{name:34}{rates[path]:>12.0f}{slowest[path]:>10.1f}{used[path]:>14.2f}{stored[path]:>15.2f}")
    print(
        f"{CROWD} at once{'':23}{'all taken s':>12}{'p99 ms':>10}{'longest wait ms':>17}{'asked again':>13}"
    )
    for path, seen in crowds.items():
        all_taken = max(seen.taken) / 1_000
        print(
            f"{_NAMES[path]:34}{all_taken:>12.1f}{quantile(seen.first, 99):>10.0f}{seen.waited:>17.0f}{seen.asked_again:>13}"
        )
    ours, least = used[_OURS] + stored[_OURS], used[_BY_HAND] + stored[_BY_HAND]
    print(
        json.dumps(
            {
                "benchmark": "donate",
                "ratio": round(rates[_OURS] / rates[_EMPTY], 3),
                "baseline": "the same request to an empty handler in the same application",
                "of_by_hand": round(least / ours, 3),
                "requests_per_second": round(rates[_OURS]),
                "p99_ms": round(slowest[_OURS], 1),
                "processor_ms": round(used[_OURS], 2),
                "postgresql_ms": round(stored[_OURS], 2),
                "by_hand_requests_per_second": round(rates[_BY_HAND]),
                "by_hand_processor_ms": round(used[_BY_HAND], 2),
                "by_hand_postgresql_ms": round(stored[_BY_HAND], 2),
                "baseline_requests_per_second": round(rates[_EMPTY]),
                "baseline_p99_ms": round(slowest[_EMPTY], 1),
                "baseline_processor_ms": round(used[_EMPTY], 2),
                "crowd": CROWD,
                "crowd_all_taken_seconds": round(max(crowds[_OURS].taken) / 1_000, 1),
                "crowd_p99_ms": round(quantile(crowds[_OURS].first, 99)),
                "crowd_longest_wait_ms": round(crowds[_OURS].waited),
                "crowd_asked_again": crowds[_OURS].asked_again,
                "crowd_most_tries": crowds[_OURS].most_tries,
            }
        )
    )


if __name__ == "__main__":
    main()
