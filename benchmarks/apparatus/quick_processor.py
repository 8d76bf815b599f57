"""A processor that announces each payment at once: a process of its own, so that what it costs is nobody else's.

It speaks as much HTTP as the clients measured here need: requests with a length, over connections that are kept.
"""

import asyncio
import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.apparatus.postgresql import free_port

_ROOT: Final = Path(__file__).resolve().parents[2]
_END_OF_HEAD: Final = b"\r\n\r\n"


@contextmanager
def quick_processor() -> Iterator[str]:
    """Started; its address, which is on loopback."""
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.apparatus.quick_processor", str(port)],
        cwd=_ROOT,
        stdout=subprocess.PIPE,
    )
    try:
        assert server.stdout is not None  # noqa: S101 -- it was asked for
        server.stdout.readline()
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=30)


class _Answering(asyncio.Protocol):
    """One connection."""

    numbers = itertools.count()

    def __init__(self) -> None:
        self._read = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 -- of a server for connections
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        while (end := self._read.find(_END_OF_HEAD)) >= 0:
            whole = end + len(_END_OF_HEAD) + _length(bytes(self._read[:end]))
            if len(self._read) < whole:
                return
            del self._read[:whole]
            self._transport.write(_answer(next(self.numbers)))


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def _answer(number: int) -> bytes:
    """As much of a PaymentIntent as Stripe answers with, so that reading it costs what it does there."""
    intent = {
        "id": f"pi_{number:024}",
        "object": "payment_intent",
        "amount": 2500,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "automatic_payment_methods": {"allow_redirects": "always", "enabled": True},
        "canceled_at": None,
        "capture_method": "automatic_async",
        "client_secret": f"pi_{number:024}_secret_{number:024}",
        "confirmation_method": "automatic",
        "created": 1_764_000_000,
        "currency": "eur",
        "latest_charge": None,
        "livemode": False,
        "metadata": {"amply_payment_id": "pay_0", "amply_donation_id": "don_0"},
        "next_action": None,
        "payment_method": None,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}, "link": {}},
        "payment_method_types": ["card", "link", "sepa_debit"],
        "status": "requires_payment_method",
    }
    body = json.dumps(intent).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Request-Id: req_{number}\r\n\r\n".encode() + body


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Answering, "127.0.0.1", port)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
