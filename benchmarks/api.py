"""How much of the framework's own speed reading from the API keeps, and how much of plain SQL's.

Baselines, in the same application behind the same middleware: a handler that does nothing, and one that runs the one
statement which the answer needs, written by hand, and returns its rows. Ours: an organisation's public profile, and a page
of its ledger. Each is driven over loopback by the same clients, in turns. Gifts have `benchmarks/donate.py`. `--quick`
takes one short turn, to see that it runs.
"""

import http.client
import json
import multiprocessing
import signal
import statistics
import sys
import threading
import time
from pathlib import Path
from typing import Any, Final

import uvicorn
from fastapi import FastAPI
from sqlalchemy import text

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from amply.entrypoints import application
from amply.infra.database import Database, connect
from amply.kernel.clock import system_clock
from amply.modules import defence, ledger
from benchmarks.apparatus.postgresql import free_port, server
from benchmarks.donate import Run, p99, wait_for
from tests.backend.ledger_world import ORG, LedgerWorld
from tests.backend.sharing_world import FakeSharing
from tests.backend.world import CountsNothing, FakeProcessor, NoLimit, ready_organization

CONNECTIONS: Final = 8
IS_QUICK: Final = "--quick" in sys.argv
REQUESTS: Final = 64 if IS_QUICK else 2_400
TURNS: Final = 1 if IS_QUICK else 3
ENTRIES: Final = 64 if IS_QUICK else 2_000

_PROFILE: Final = text("SELECT id, slug, name, country FROM organization WHERE id = :id")
_PAGE: Final = text(
    """
    SELECT entry_id, idx, org_seq, bytes
    FROM leaf
    WHERE org = :id
    ORDER BY org_seq DESC
    LIMIT 20
    """
)


def serve(port: int, ready: Any) -> None:
    """The server process: the real application and, beside it, the handlers to compare with."""
    # Uvicorn raises the signal again once it has stopped: leave by an exception, so that PostgreSQL is stopped too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with server() as pg:
        opened = connect(pg.settings("amply_app"), application="benchmark", pool_size=20)
        books = LedgerWorld(
            app=opened, sequencer=connect(pg.settings("amply_sequencer"), application="benchmark")
        )
        books.post_many(ENTRIES)
        books.sequence()
        books.publish()
        ledger.fold_days(opened)
        organization_id = ready_organization(opened, FakeProcessor())
        app = _application(opened)
        _add_baselines(app, opened, organization_id)
        config = uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, access_log=False)
        threading.Thread(target=lambda: ready.put(organization_id), daemon=True).start()
        uvicorn.Server(config).run()


def _application(opened: Database) -> FastAPI:
    return application.create(
        application.Parts(
            database=opened,
            processor=FakeProcessor(),
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


def _add_baselines(app: FastAPI, opened: Database, organization_id: str) -> None:
    @app.get("/baseline/empty")
    def empty() -> dict[str, str]:
        return {}

    @app.get("/baseline/profile")
    def profile() -> list[Any]:
        return _rows(opened, _PROFILE, organization_id)

    @app.get("/baseline/page")
    def page() -> list[Any]:
        return _rows(opened, _PAGE, ORG)


def _rows(opened: Database, statement: Any, organization_id: str) -> list[Any]:
    with opened.transaction() as session:
        return [[str(value) for value in row] for row in session.execute(statement, {"id": organization_id})]


def drive(port: int, path: str) -> Run:
    """Send requests over kept-alive connections that are all used at once; every answer must be a 200."""
    taken: list[float] = []

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        for _ in range(REQUESTS // CONNECTIONS):
            start = time.perf_counter()
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            if answer.status == http.HTTPStatus.OK:
                taken.append((time.perf_counter() - start) * 1_000)
        connection.close()

    threads = [threading.Thread(target=client) for _ in range(CONNECTIONS)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(taken) < REQUESTS:
        raise SystemExit(f"{path}: {REQUESTS - len(taken)} of {REQUESTS} requests were not answered with 200")
    return Run(len(taken) / (time.perf_counter() - start), taken)


def measure(port: int, paths: list[str]) -> dict[str, list[Run]]:
    """Every path in turns, after one turn that nobody counts."""
    for path in paths:
        drive(port, path)
    runs: dict[str, list[Run]] = {path: [] for path in paths}
    for _ in range(TURNS):
        for path, done in runs.items():
            done.append(drive(port, path))
    return runs


def main() -> None:
    port = free_port()
    context = multiprocessing.get_context("spawn")
    ready = context.Queue()
    process = context.Process(target=serve, args=(port, ready))
    process.start()
    try:
        organization_id = ready.get(timeout=180)
        wait_for(port)
        profile = f"/v1/public/organisations/{organization_id}"
        page = f"/v1/public/organisations/{ORG}/ledger"
        runs = measure(port, ["/baseline/empty", "/baseline/profile", profile, "/baseline/page", page])
    finally:
        process.terminate()
        process.join()
    report(list(runs.items()))


def report(measured: list[tuple[str, list[Run]]]) -> None:
    """A table, and the ratios as JSON in the last line."""
    names = ("empty handler", "profile by hand", "public profile", "ledger page by hand", "ledger page")
    rates = [statistics.median(run.rate for run in runs) for _, runs in measured]
    print(f"{REQUESTS} requests a turn, {CONNECTIONS} connections, {TURNS} turns each, median")
    print(f"{'':24}{'requests/s':>12}{'p99 ms':>10}{'of empty':>10}")
    for name, rate, (_, runs) in zip(names, rates, measured, strict=True):
        print(f"{name:24}{rate:>12.0f}{p99(runs):>10.1f}{rate / rates[0]:>10.2f}")
    print(
        json.dumps(
            {
                "benchmark": "api",
                "ratio": round(rates[2] / rates[0], 3),
                "baseline": "an empty handler in the same application; ratio is the public profile's",
                "profile_of_sql": round(rates[2] / rates[1], 3),
                "page_of_empty": round(rates[4] / rates[0], 3),
                "page_of_sql": round(rates[4] / rates[3], 3),
                "profile_requests_per_second": round(rates[2]),
                "profile_p99_ms": round(p99(measured[2][1]), 1),
                "page_requests_per_second": round(rates[4]),
                "page_p99_ms": round(p99(measured[4][1]), 1),
            }
        )
    )


if __name__ == "__main__":
    main()
