"""How much of the framework's own speed reading from the API keeps, and how much of plain SQL's, with a million gifts there.

Baselines, in the same application behind the same middleware: a handler that does nothing, and for each of ours one that asks
the one thing which the answer needs, written by hand. Ours: an organisation's public profile, a page of its ledger, and being
known by a session and by an API key, by handlers that do nothing else. Each is driven over loopback by the same clients, in
turns. Besides: how long a process takes until it answers, and what it holds. Gifts have `benchmarks/donate.py`.

The database is that of `make seed-large` (`--directory`), which is filled first where it is not. `--quick` takes one short
turn over a small one of its own, to see that it runs.
"""

import argparse
import http.client
import json
import multiprocessing
import signal
import statistics
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import uvicorn
from fastapi import Depends, FastAPI, Request
from sqlalchemy import text

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from amply.entrypoints import application
from amply.infra.database import Database, connect
from amply.infra.settings import CacheSettings
from amply.kernel.clock import system_clock
from amply.kernel.ids import id_of
from amply.modules import access, defence, keys, people
from amply.modules.keys.domain import Secret
from benchmarks.apparatus import large
from benchmarks.apparatus.cache import cache, opened_cache
from benchmarks.apparatus.postgresql import Server, free_port, kept
from benchmarks.donate import Run, p99, wait_for
from tests.backend.fake_method_cloning import FakeMethodCloning
from tests.backend.people_world import open_session, people_parts, put_person
from tests.backend.world import CountsNothing, FakeProcessor, NoLimit

CONNECTIONS: Final = 8
IS_QUICK: Final = "--quick" in sys.argv
REQUESTS: Final = 64 if IS_QUICK else 2_400
TURNS: Final = 1 if IS_QUICK else 3
STARTS: Final = 1 if IS_QUICK else 5
SIZE: Final = large.Size(organizations=20, gifts=400, batch=200) if IS_QUICK else large.Size()
PERSON: Final = id_of("usr", 1)

_PROFILE: Final = text("SELECT id, slug, name, country FROM organization WHERE id = :asked")
_PAGE: Final = text(
    "SELECT entry_id, idx, org_seq, bytes FROM leaf WHERE org = :asked ORDER BY org_seq DESC LIMIT 20"
)
_KEY: Final = text("SELECT id, organization_id, scopes, revoked_at FROM find_api_key(:asked)")
_PUT_KEY: Final = text("""
    INSERT INTO api_key (id, organization_id, name, digest, last_four, is_live, scopes, created_by, created_at)
    VALUES (:id, :of, 'benchmark', :digest, :last_four, false, '{organisation:read}', :by, :now)
    ON CONFLICT (id) DO UPDATE SET digest = excluded.digest, last_four = excluded.last_four, revoked_at = NULL
""")


@dataclass(frozen=True)
class Asked:
    """A path with the headers it is asked with, what it is called, and the one by hand that it is compared with."""

    name: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    by_hand: str = ""


def serve(port: int, directory: str, ready: Any) -> None:
    """The server process: the real application and, beside it, the handlers to compare with."""
    # Uvicorn raises the signal again once it has stopped: leave by an exception, so that the servers are stopped too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with ExitStack() as stack:
        pg = stack.enter_context(kept(Path(directory)))
        settings = stack.enter_context(cache())
        filler = connect(pg.settings("amply_app"), application="benchmark")
        large.fill(pg.master_url, filler, SIZE)
        filler.close()
        opened = connect(pg.settings("amply_api"), application="benchmark", pool_size=20)
        accounts = people_parts(opened, settings)
        secret, token = _key(pg), _session(pg, accounts)
        app = _application(opened, accounts)
        _add_baselines(app, opened, settings, secret=secret, token=token)
        config = uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, access_log=False)
        known = {
            "authorization": f"Bearer {secret.text}",
            "cookie": f"{accounts.site.session_cookie}={token}",
        }
        threading.Thread(target=lambda: ready.put(known), daemon=True).start()
        uvicorn.Server(config).run()


def _key(pg: Server) -> Secret:
    """A key of the largest organisation."""
    secret = Secret.fresh(is_live=False)
    master = connect(pg.settings("master"), application="benchmark")
    told = {"digest": secret.digest, "last_four": secret.last_four, "by": PERSON, "now": datetime.now(UTC)}
    with master.transaction() as session:
        session.execute(_PUT_KEY, {"id": id_of("key", 1), "of": large.organization_id(0), **told})
    master.close()
    return secret


def _session(pg: Server, accounts: people.Dependencies) -> str:
    """Somebody who is signed in: the token of their session."""
    master = connect(pg.settings("master"), application="benchmark")
    now = datetime.now(UTC)
    stamp = put_person(master, accounts, person_id=PERSON, now=now)
    master.close()
    return open_session(accounts, person_id=PERSON, stamp=stamp, now=now)


def _application(opened: Database, accounts: people.Dependencies | None) -> FastAPI:
    return application.create(
        application.Parts(
            database=opened,
            processor=FakeProcessor(),
            method_cloning=FakeMethodCloning(),
            verifier=None,
            limiter=NoLimit(),
            gate=defence.gate(opened, CountsNothing()),
            clock=system_clock,
            livemode=False,
            log_url="http://127.0.0.1/log",
            allowed_origins=(),
            client_address_header="",
            callers=(
                keys.KeyCallers(database=opened, livemode=False),
                *([people.SessionCallers(accounts)] if accounts else []),
            ),
        )
    )


def _known(request: Request) -> access.Caller | None:
    """As every route that asks who asks does it."""
    for source in request.app.state.callers:
        found: access.Caller | None = source.caller_of(
            headers=request.headers, cookies=request.cookies, address="127.0.0.1", now=system_clock()
        )
        if found is not None:
            return found
    return None


def _add_baselines(
    app: FastAPI, opened: Database, settings: CacheSettings, *, secret: Secret, token: str
) -> None:
    held = opened_cache(settings)
    (name,) = list(held.scan_iter(match="*:session:*"))
    largest = large.organization_id(0)

    @app.get("/baseline/empty")
    def empty() -> dict[str, str]:
        return {}

    @app.get("/baseline/profile")
    def profile() -> list[Any]:
        return _rows(opened, _PROFILE, largest)

    @app.get("/baseline/page")
    def page() -> list[Any]:
        return _rows(opened, _PAGE, largest)

    @app.get("/baseline/key")
    def key() -> list[Any]:
        return _rows(opened, _KEY, secret.digest)

    @app.get("/baseline/session")
    def session() -> bool:
        return bool(held.get(name)) and bool(held.get(f"{name}:not there")) is False and token != ""

    @app.get("/known")
    def known(caller: Annotated[access.Caller | None, Depends(_known)]) -> bool:
        if caller is None:
            raise SystemExit("nobody is known")
        return True


def _rows(opened: Database, statement: Any, asked: Any) -> list[Any]:
    with opened.transaction() as session:
        return [[str(value) for value in row] for row in session.execute(statement, {"asked": asked})]


def drive(port: int, asked: Asked, *, requests: int) -> Run:
    """Send requests over kept-alive connections that are all used at once; every answer must be a 200."""
    taken: list[float] = []

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        for _ in range(requests // CONNECTIONS):
            start = time.perf_counter()
            connection.request("GET", asked.path, headers=asked.headers)
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
    if len(taken) < requests:
        raise SystemExit(
            f"{asked.path}: {requests - len(taken)} of {requests} requests were not answered with 200"
        )
    return Run(len(taken) / (time.perf_counter() - start), taken)


def measure(port: int, wanted: list[Asked], *, requests: int) -> dict[str, list[Run]]:
    """Every path in turns, after one turn that nobody counts."""
    for asked in wanted:
        drive(port, asked, requests=requests)
    runs: dict[str, list[Run]] = {asked.name: [] for asked in wanted}
    for _ in range(TURNS):
        for asked in wanted:
            runs[asked.name].append(drive(port, asked, requests=requests))
    return runs


def start_alone(port: int) -> None:
    """A process with the whole application and nothing that it is connected to: what starting costs."""
    opened = connect(Server(port=1, master_url="").settings("amply_api"), application="benchmark")
    uvicorn.run(_application(opened, None), host="127.0.0.1", port=port, log_config=None, access_log=False)


def start() -> tuple[float, float]:
    """Seconds from starting a process until it answers, and the mebibytes that it holds then.

    It loads what this script does, so a little more than the API alone.
    """
    port = free_port()
    process = multiprocessing.get_context("spawn").Process(target=start_alone, args=(port,))
    began = time.perf_counter()
    process.start()
    wait_for(port)
    seconds = time.perf_counter() - began
    held = Path(f"/proc/{process.pid}/status").read_text().partition("VmRSS:")[2].split()[0]
    process.terminate()
    process.join()
    return seconds, int(held) / 1024


def wanted(known: dict[str, str]) -> list[Asked]:
    """What is measured: the empty handler, and each of ours after the one by hand."""
    public = f"/v1/public/organisations/{large.organization_id(0)}"
    ours = [
        Asked("public profile", public, by_hand="/baseline/profile"),
        Asked("ledger page", f"{public}/ledger", by_hand="/baseline/page"),
        Asked("key check", "/known", {"authorization": known["authorization"]}, by_hand="/baseline/key"),
        Asked("session check", "/known", {"cookie": known["cookie"]}, by_hand="/baseline/session"),
    ]
    pairs = [[Asked(f"{asked.name} by hand", asked.by_hand), asked] for asked in ours]
    return [Asked("empty handler", "/baseline/empty"), *(asked for pair in pairs for asked in pair)]


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure reading from the API.")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--directory", type=Path, default=large.DIRECTORY)
    parser.add_argument("--requests", type=int, default=REQUESTS, help="of each turn, a multiple of eight")
    asked = parser.parse_args()
    starts = [start() for _ in range(STARTS)]
    port = free_port()
    context = multiprocessing.get_context("spawn")
    ready = context.Queue()
    with tempfile.TemporaryDirectory(prefix="amply-benchmark-") as room:
        Path(room).chmod(0o755)  # PostgreSQL may run as another user
        directory = room if IS_QUICK else str(asked.directory.resolve())
        process = context.Process(target=serve, args=(port, directory, ready))
        process.start()
        try:
            known = ready.get(timeout=3_600)
            wait_for(port)
            runs = measure(port, wanted(known), requests=asked.requests)
        finally:
            process.terminate()
            process.join()
    report(runs, starts, requests=asked.requests)


def report(runs: dict[str, list[Run]], starts: list[tuple[float, float]], *, requests: int) -> None:
    """A table, and the ratios as JSON in the last line."""
    rates = {name: statistics.median(run.rate for run in each) for name, each in runs.items()}
    empty = rates["empty handler"]
    print(
        f"{SIZE.gifts:,} gifts; {requests} requests a turn, {CONNECTIONS} connections, {TURNS} turns each, median"
    )
    print(f"{'':24}{'requests/s':>12}{'p99 ms':>10}{'of empty':>10}")
    for name, rate in rates.items():
        print(f"{name:24}{rate:>12.0f}{p99(runs[name]):>10.1f}{rate / empty:>10.2f}")
    told: dict[str, Any] = {
        "benchmark": "api",
        "ratio": round(rates["public profile"] / empty, 3),
        "baseline": "an empty handler in the same application; ratio is the public profile's",
        "gifts": SIZE.gifts,
        "start_seconds": round(statistics.median(seconds for seconds, _ in starts), 2),
        "start_mebibytes": round(statistics.median(held for _, held in starts)),
    }
    for name in ("public profile", "ledger page", "key check", "session check"):
        short = name.replace(" ", "_")
        told[f"{short}_of_empty"] = round(rates[name] / empty, 3)
        told[f"{short}_of_hand"] = round(rates[name] / rates[f"{name} by hand"], 3)
        told[f"{short}_requests_per_second"] = round(rates[name])
        told[f"{short}_p99_ms"] = round(p99(runs[name]), 1)
    print(f"a process answers after {told['start_seconds']} s and holds {told['start_mebibytes']} MiB")
    print(json.dumps(told))


if __name__ == "__main__":
    main()
