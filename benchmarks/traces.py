"""How much of its speed `POST /v1/donations` keeps while every gift is recorded.

Baseline: the application of `benchmarks/donate.py` as it is. Ours: the same with its spans exported, packed and sent
to a receiver on loopback that reads and forgets them. Each is a process with a PostgreSQL of its own; the same clients
drive them in turns. Beside the rates stands the processor time a gift takes in the application's process, the exporter's
thread included: it hardly depends on what else the machine does. `--quick` takes one short turn, to see that it runs.
"""

import json
import multiprocessing
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

from amply.entrypoints.traces import STATEMENT_SECONDS_MIN
from amply.infra.tracing.export import exporting
from benchmarks.apparatus.postgresql import free_port
from benchmarks.donate import CONNECTIONS, REQUESTS, TURNS, Run, drive, p99, serve, wait_for


@dataclass(frozen=True)
class Turn:
    """One turn, and the milliseconds of processor time each request of it took."""

    run: Run
    processor_milliseconds: float


@dataclass(frozen=True)
class Served:
    """One of the two applications, ready to be driven."""

    port: int
    organization_id: str
    clock: Connection

    def drive(self) -> Turn:
        before = self.processor_seconds()
        run = drive(self.port, "/v1/donations", self.organization_id)
        return Turn(run, (self.processor_seconds() - before) * 1_000 / len(run.milliseconds))

    def processor_seconds(self) -> float:
        """What its process has used so far."""
        self.clock.send(None)
        told: float = self.clock.recv()
        return told


def receive(port: int) -> None:
    """The receiver's process: it reads each batch and answers."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Silent."""

    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


def tell_time(clock: Connection) -> None:
    while True:
        clock.recv()
        clock.send(time.process_time())


def serve_plain(port: int, ready: Any, clock: Connection) -> None:
    """The application's process."""
    threading.Thread(target=tell_time, args=(clock,), daemon=True).start()
    serve(port, ready)


def serve_recorded(port: int, ready: Any, clock: Connection, receiver: int) -> None:
    """The same, with its spans on their way out."""
    exporter = OTLPSpanExporter(
        endpoint=f"http://127.0.0.1:{receiver}/v1/traces", compression=Compression.Gzip
    )
    with exporting(
        exporter,
        service="api",
        environment="benchmark",
        share_of_reads=0.05,
        statement_seconds_min=STATEMENT_SECONDS_MIN,
    ):
        serve_plain(port, ready, clock)


@contextmanager
def running(target: Any, *arguments: Any) -> Iterator[None]:
    process = multiprocessing.get_context("spawn").Process(target=target, args=arguments)
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join()


@contextmanager
def served(target: Any, *arguments: Any) -> Iterator[Served]:
    context = multiprocessing.get_context("spawn")
    port, ready, (here, there) = free_port(), context.Queue(), context.Pipe()
    with running(target, port, ready, there, *arguments):
        made = Served(port, ready.get(timeout=120).organization_id, here)
        wait_for(port)
        made.drive()  # warm up
        yield made


def main() -> None:
    receiver = free_port()
    plain: list[Turn] = []
    recorded: list[Turn] = []
    with running(receive, receiver):
        wait_for(receiver)
        with served(serve_plain) as without, served(serve_recorded, receiver) as with_spans:
            for _ in range(TURNS):
                plain.append(without.drive())
                recorded.append(with_spans.drive())
    report(plain, recorded)


def report(plain: list[Turn], recorded: list[Turn]) -> None:
    rates = [statistics.median(turn.run.rate for turn in turns) for turns in (plain, recorded)]
    slowest = [p99([turn.run for turn in turns]) for turns in (plain, recorded)]
    used = [statistics.median(turn.processor_milliseconds for turn in turns) for turns in (plain, recorded)]
    print(f"{REQUESTS} requests a turn, {CONNECTIONS} connections, {TURNS} turns each, median")
    print(f"{'':34}{'requests/s':>12}{'p99 ms':>10}{'processor ms':>14}")
    for place, name in enumerate(("POST /v1/donations", "the same, recorded")):
        print(f"{name:34}{rates[place]:>12.0f}{slowest[place]:>10.1f}{used[place]:>14.2f}")
    print(
        json.dumps(
            {
                "benchmark": "traces",
                "ratio": round(rates[1] / rates[0], 3),
                "baseline": "the same request to the same application without spans",
                "requests_per_second": round(rates[1]),
                "p99_ms": round(slowest[1], 1),
                "processor_ms": round(used[1], 2),
                "baseline_requests_per_second": round(rates[0]),
                "baseline_p99_ms": round(slowest[0], 1),
                "baseline_processor_ms": round(used[0], 2),
            }
        )
    )


if __name__ == "__main__":
    main()
