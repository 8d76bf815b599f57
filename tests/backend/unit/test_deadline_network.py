"""However many steps an exchange has, and however long each may take, they all end at one time."""

import ssl

import httpcore2
import pytest

from amply.infra.deadline_network import Deadline, DeadlineBackend


class Network(httpcore2.NetworkBackend, httpcore2.NetworkStream):
    """Each step of it takes four seconds; `waits` is how long it was let."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float | None] = []

    def _take(self, timeout: float | None) -> None:
        self.waits.append(timeout)
        self.now += 4

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, *_: object
    ) -> httpcore2.NetworkStream:
        self._take(timeout)
        return self

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        self._take(timeout)
        return self

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._take(timeout)
        return b"HTTP/1.1 103 Early Hints\r\n\r\n"

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._take(timeout)


def test_each_step_waits_for_what_is_left_and_then_for_nothing_more() -> None:
    network = Network()
    deadline = Deadline(seconds=15, clock=lambda: network.now)
    stream = DeadlineBackend(deadline, network=network).connect_tcp("192.0.2.1", 443, 10.0)
    stream = stream.start_tls(ssl.create_default_context(), "river.example", 10.0)
    stream.write(b"POST", 10.0)
    assert stream.read(100, None)
    assert network.waits == [10.0, 10.0, 7.0, 3.0]
    with pytest.raises(httpcore2.ReadTimeout):
        stream.read(100, 10.0)
    with pytest.raises(httpcore2.WriteTimeout):
        stream.write(b"more", 10.0)
    assert len(network.waits) == 4, "nothing is begun any more"


def test_much_to_write_waits_anew_for_each_piece() -> None:
    network = Network()
    stream = DeadlineBackend(Deadline(seconds=15, clock=lambda: network.now), network=network).connect_tcp(
        "192.0.2.1", 443
    )
    with pytest.raises(httpcore2.WriteTimeout):
        stream.write(b"x" * 1_000_000, 10.0)
    assert network.now < 15 + 4


def test_after_a_name_was_looked_up_for_too_long_nothing_is_connected_to() -> None:
    network = Network()
    deadline = Deadline(seconds=15, clock=lambda: network.now)
    network.now = 15
    with pytest.raises(httpcore2.ConnectTimeout):
        DeadlineBackend(deadline, network=network).connect_tcp("192.0.2.1", 443, 10.0)
    assert network.waits == []
