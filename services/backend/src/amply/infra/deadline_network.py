"""Connections whose every step waits only for what is left of one time.

A client's timeouts are for each step, and begin anew with each: who takes eight seconds to connect, eight for TLS, and then sends an
interim answer (RFC 9110, section 15.2) every nine never times out.
"""

import ssl
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

import httpcore2

_PIECE: Final = 16_384
"""Bytes that are written with one wait."""


class Deadline:
    """When everything has to be done. `clock`: seconds that never go back."""

    def __init__(self, *, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ends_at = clock() + seconds

    def is_over(self) -> bool:
        """Whether no time is left."""
        return self._clock() >= self._ends_at

    def left(self, timeout: float | None, *, otherwise: type[httpcore2.TimeoutException]) -> float:
        """How long a step may wait that would wait for `timeout` otherwise.

        Raises:
            httpcore2.TimeoutException: Not at all: of the kind that `otherwise` says.
        """
        left = self._ends_at - self._clock()
        if left <= 0:
            raise otherwise("the whole takes too long")
        return left if timeout is None else min(left, timeout)


class DeadlineBackend(httpcore2.NetworkBackend):
    """A network where all that is done ends at a deadline."""

    def __init__(self, deadline: Deadline, *, network: httpcore2.NetworkBackend | None = None) -> None:
        self._deadline = deadline
        self._network = network or httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        left = self._deadline.left(timeout, otherwise=httpcore2.ConnectTimeout)
        stream = self._network.connect_tcp(host, port, left, local_address, socket_options)
        return _DeadlineStream(stream, self._deadline)


class _DeadlineStream(httpcore2.NetworkStream):
    def __init__(self, stream: httpcore2.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left(timeout, otherwise=httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for begin in range(0, len(buffer), _PIECE):
            left = self._deadline.left(timeout, otherwise=httpcore2.WriteTimeout)
            self._stream.write(buffer[begin : begin + _PIECE], left)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        """Python's handshake waits for `left` in all, however many messages it takes."""
        left = self._deadline.left(timeout, otherwise=httpcore2.ConnectTimeout)
        return _DeadlineStream(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
