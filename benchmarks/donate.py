"""How much of the framework's own speed `POST /v1/donations` keeps.

Baseline: the same application, middleware and request model, with a handler that does nothing. Ours: the whole of the
donate flow (three transactions on PostgreSQL) with a processor that answers at once. Both are served by one process
and driven over loopback by the same clients, in turns. `--quick` takes one short turn, to see that it runs.
"""

import http.client
import json
import multiprocessing
import signal
import statistics
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from fastapi.responses import JSONResponse

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from amply.entrypoints import application
from amply.infra.database import Database, connect
from amply.kernel.clock import system_clock
from amply.modules import defence
from amply.modules.donations.schemas import DonationIn
from benchmarks.apparatus.postgresql import free_port, server
from tests.backend.key_service import keyring
from tests.backend.sharing_world import FakeSharing
from tests.backend.world import CountsNothing, FakeProcessor, NoLimit, ready_organization

CONNECTIONS = 16
IS_QUICK = "--quick" in sys.argv
REQUESTS = 64 if IS_QUICK else 1_600
TURNS = 1 if IS_QUICK else 3
CROWD = 64 if IS_QUICK else 1_000
"""Donors who give to one campaign at the same moment, each over a connection of their own."""


@dataclass(frozen=True)
class Run:
    """One turn: requests a second, and every request's milliseconds."""

    rate: float
    milliseconds: list[float]


@contextmanager
def database() -> Iterator[Database]:
    """A PostgreSQL of its own, as the application's role."""
    with server() as pg:
        app = connect(pg.settings("amply_app"), application="benchmark", pool_size=20)
        app.keyring = keyring(app)
        try:
            yield app
        finally:
            app.close()


def serve(port: int, ready: Any) -> None:
    """The server process: the real application and, beside it, the handler that does nothing."""
    # Uvicorn raises the signal again once it has stopped: leave by an exception, so that PostgreSQL is stopped too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with database() as opened:
        processor = FakeProcessor()
        organization_id = ready_organization(opened, processor)
        app: FastAPI = application.create(
            application.Parts(
                database=opened,
                processor=processor,
                sharing=FakeSharing(),
                verifier=None,
                limiter=NoLimit(),
                gate=defence.gate(opened, CountsNothing()),
                clock=system_clock,
                livemode=False,
                log_url="http://127.0.0.1/log",
                allowed_origins=(),
                client_address_header="",
            )
        )

        @app.post("/baseline", status_code=201)
        def baseline(body: DonationIn) -> JSONResponse:
            return JSONResponse({"id": body.organization_id}, status_code=201)

        config = uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, access_log=False)
        server = uvicorn.Server(config)
        threading.Thread(target=lambda: ready.put(organization_id), daemon=True).start()
        server.run()


def drive(
    port: int, path: str, organization_id: str, *, requests: int = REQUESTS, connections: int = CONNECTIONS
) -> Run:
    """Send requests over kept-alive connections that are all used at once; every answer must be a 201."""
    body = json.dumps(
        {
            "organization_id": organization_id,
            "amount": {"minor_units": "2500", "currency": "EUR"},
            "donor": {"name": "Ada", "email": "ada@example.org"},
        }
    )
    taken: list[float] = []

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        for _ in range(requests // connections):
            headers = {"Content-Type": "application/json", "Idempotency-Key": uuid.uuid4().hex}
            start = time.perf_counter()
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status == 201:  # noqa: PLR2004 -- created
                taken.append((time.perf_counter() - start) * 1_000)
        connection.close()

    threads = [threading.Thread(target=client) for _ in range(connections)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - start
    if len(taken) < requests // connections * connections:
        raise SystemExit(f"{path}: {requests - len(taken)} of {requests} gifts were not taken")
    return Run(len(taken) / seconds, taken)


def p99(runs: list[Run]) -> float:
    return statistics.quantiles([value for run in runs for value in run.milliseconds], n=100)[98]


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


def main() -> None:
    port = free_port()
    context = multiprocessing.get_context("spawn")
    ready = context.Queue()
    server = context.Process(target=serve, args=(port, ready))
    server.start()
    try:
        organization_id = ready.get(timeout=60)
        wait_for(port)
        drive(port, "/baseline", organization_id)  # warm up, both ways
        drive(port, "/v1/donations", organization_id)
        runs: dict[str, list[Run]] = {"/baseline": [], "/v1/donations": []}
        for _ in range(TURNS):
            for path, done in runs.items():
                done.append(drive(port, path, organization_id))
        crowds = [drive(port, path, organization_id, requests=CROWD, connections=CROWD) for path in runs]
    finally:
        server.terminate()
        server.join()
    report(runs["/baseline"], runs["/v1/donations"], crowds)


def report(baseline: list[Run], ours: list[Run], crowds: list[Run]) -> None:
    rates = {
        name: statistics.median(run.rate for run in runs) for name, runs in (("b", baseline), ("o", ours))
    }
    print(f"{REQUESTS} requests a turn, {CONNECTIONS} connections, {TURNS} turns each, median")
    print(f"{'':34}{'requests/s':>12}{'p99 ms':>10}")
    print(f"{'empty handler, same framework':34}{rates['b']:>12.0f}{p99(baseline):>10.1f}")
    print(f"{'POST /v1/donations':34}{rates['o']:>12.0f}{p99(ours):>10.1f}")
    for name, crowd in zip(("empty handler", "POST /v1/donations"), crowds, strict=True):
        print(f"{f'{name}, {CROWD} at once':34}{crowd.rate:>12.0f}{p99([crowd]):>10.1f}")
    print(
        json.dumps(
            {
                "benchmark": "donate",
                "ratio": round(rates["o"] / rates["b"], 3),
                "baseline": "the same request to an empty handler in the same application",
                "requests_per_second": round(rates["o"]),
                "p99_ms": round(p99(ours), 1),
                "baseline_requests_per_second": round(rates["b"]),
                "baseline_p99_ms": round(p99(baseline), 1),
                "crowd": CROWD,
                "crowd_requests_per_second": round(crowds[1].rate),
                "crowd_p99_ms": round(p99([crowds[1]]), 1),
                "crowd_baseline_p99_ms": round(p99([crowds[0]]), 1),
            }
        )
    )


if __name__ == "__main__":
    main()
