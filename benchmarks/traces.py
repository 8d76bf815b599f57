"""How much of its speed `POST /v1/donations` keeps while every gift is recorded.

Baseline: the application of `benchmarks/donations.py` as it is. Ours: the same with its spans exported, packed and sent
to a receiver on loopback that reads and forgets them. Each is a process with a PostgreSQL of its own; the same clients
drive them in turns. `--quick` takes one short turn, to see that it runs.
"""

import json
import multiprocessing
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

from amply.infra.tracing.export import exporting
from benchmarks.apparatus.postgresql import free_port
from benchmarks.donations import CONNECTIONS, REQUESTS, TURNS, Run, drive, p99, serve, wait_for


@dataclass(frozen=True)
class Served:
    """One of the two applications, ready to be driven."""

    port: int
    organization_id: str

    def drive(self) -> Run:
        return drive(self.port, "/v1/donations", self.organization_id)


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


def serve_recorded(port: int, ready: Any, receiver: int) -> None:
    """The application's process, with its spans on their way out."""
    exporter = OTLPSpanExporter(
        endpoint=f"http://127.0.0.1:{receiver}/v1/traces", compression=Compression.Gzip
    )
    with exporting(exporter, service="api", environment="benchmark", share_of_reads=0.05):
        serve(port, ready)


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
    port, ready = free_port(), multiprocessing.get_context("spawn").Queue()
    with running(target, port, ready, *arguments):
        made = Served(port, ready.get(timeout=60))
        wait_for(port)
        made.drive()  # warm up
        yield made


def main() -> None:
    receiver = free_port()
    plain: list[Run] = []
    recorded: list[Run] = []
    with running(receive, receiver):
        wait_for(receiver)
        with served(serve) as without, served(serve_recorded, receiver) as with_spans:
            for _ in range(TURNS):
                plain.append(without.drive())
                recorded.append(with_spans.drive())
    report(plain, recorded)


def report(plain: list[Run], recorded: list[Run]) -> None:
    rates = [statistics.median(run.rate for run in runs) for runs in (plain, recorded)]
    print(f"{REQUESTS} requests a turn, {CONNECTIONS} connections, {TURNS} turns each, median")
    print(f"{'':34}{'requests/s':>12}{'p99 ms':>10}")
    print(f"{'POST /v1/donations':34}{rates[0]:>12.0f}{p99(plain):>10.1f}")
    print(f"{'the same, recorded':34}{rates[1]:>12.0f}{p99(recorded):>10.1f}")
    print(
        json.dumps(
            {
                "benchmark": "traces",
                "ratio": round(rates[1] / rates[0], 3),
                "baseline": "the same request to the same application without spans",
                "requests_per_second": round(rates[1]),
                "p99_ms": round(p99(recorded), 1),
                "baseline_requests_per_second": round(rates[0]),
                "baseline_p99_ms": round(p99(plain), 1),
            }
        )
    )


if __name__ == "__main__":
    main()
