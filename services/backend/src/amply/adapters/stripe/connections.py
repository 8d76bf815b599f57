"""HTTP connection pool of the Stripe SDK, kept open between calls and shared by all threads of the process.

The SDK's own way keeps a session for each thread, and threads that wait for requests end after seconds without one: most
gifts of a quiet hour would begin with another handshake. It also takes three times as long to say the same request.
"""

import socket
import ssl
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, NoReturn

import stripe
import urllib3

_TIMEOUT_SECONDS: Final = 10
_KEPT_MAX: Final = 40
"""Idle connections kept open: as many as request threads. More are opened on demand, and closed afterwards."""

_ASKED_WHILE_IDLE: Final = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60),
)
"""TCP keepalive: middleboxes drop silent connections after minutes without notice."""


class SharedConnections(stripe.HTTPClient):
    """HTTP client of the Stripe SDK. Retries are left to the SDK."""

    name = "urllib3"

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        try:
            answer = _pool().request(
                method.upper(), url, body=post_data, headers=headers, retries=False, redirect=False
            )
        except urllib3.exceptions.HTTPError as error:
            _no_answer(error)
        return answer.data.decode(errors="replace"), answer.status, answer.headers

    def close(self) -> None:
        """Does nothing: the connections belong to the process."""


@cache
def _pool() -> urllib3.PoolManager:
    """Made with the first call: reading the authorities that are trusted takes some milliseconds."""
    return urllib3.PoolManager(
        maxsize=_KEPT_MAX,
        timeout=_TIMEOUT_SECONDS,
        socket_options=[*urllib3.connection.HTTPConnection.default_socket_options, *_ASKED_WHILE_IDLE],
        ssl_context=ssl.create_default_context(cafile=stripe.ca_bundle_path),
    )


def _no_answer(error: urllib3.exceptions.HTTPError) -> NoReturn:
    """Raises APIConnectionError: repeated, but for a certificate that is not Stripe's."""
    is_refused = isinstance(error, urllib3.exceptions.SSLError)
    raise stripe.APIConnectionError(  # type: ignore[no-untyped-call] # the SDK leaves it so
        f"No answer from Stripe: {type(error).__name__}", should_retry=not is_refused
    ) from error
