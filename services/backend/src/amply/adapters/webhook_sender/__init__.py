"""Sends requests to webhook endpoints chosen by organisations: implements `webhook_endpoints.Sender` over the guarded HTTP
client.
"""

import ssl
import time
from collections.abc import Mapping
from threading import Timer
from typing import Final

import httpx2
import structlog

from amply.infra import tracing
from amply.infra.database import forbid_transaction
from amply.infra.guarded_http import AddressRefused, GuardedTransport, Resolve, resolved
from amply.modules.webhook_endpoints import Answer, Failure

SECONDS_MAX: Final = 15.0
"""Timeout of a whole request (Standard Webhooks 1.0.0 recommends 15 to 30)."""
_SECONDS_A_STEP: Final = 10.0

_log = structlog.get_logger()


class HttpSender:
    """Opens a connection for each request, so that endpoints share none.

    Args:
        allows_loopback: Only on a laptop and in tests: this machine may be told too, without TLS.
        trusts: The roots that certificates chain to; the public ones unless others are given.
        resolve: How names are looked up.
    """

    def __init__(
        self,
        *,
        allows_loopback: bool = False,
        trusts: ssl.SSLContext | None = None,
        resolve: Resolve = resolved,
        seconds_max: float = SECONDS_MAX,
    ) -> None:
        self._allows_loopback = allows_loopback
        # Created once: loading CA certificates takes longer than a request.
        self._trusts = trusts or httpx2.create_ssl_context(trust_env=False)
        self._resolve = resolve
        self._seconds_max = seconds_max

    def post(self, *, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send a request without following redirects; only the response's status is read."""
        forbid_transaction("webhook: deliver")
        transport = GuardedTransport(
            allows_loopback=self._allows_loopback, resolve=self._resolve, trusts=self._trusts
        )
        # A response that trickles byte by byte never hits the read timeout: enforce a total one.
        hang_up = Timer(self._seconds_max, transport.close)
        hang_up.daemon = True
        began = time.monotonic()
        hang_up.start()
        try:
            with tracing.call("webhook: deliver"):
                status, failure = self._sent(transport, url, headers, body)
        finally:
            hang_up.cancel()
            transport.close()
        elapsed = time.monotonic() - began
        if failure is not None and status is None and elapsed >= self._seconds_max:
            failure = Failure.TIMEOUT
        return Answer(status=status, failure=failure, milliseconds=int(elapsed * 1000))

    def _sent(
        self, transport: httpx2.BaseTransport, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int | None, Failure | None]:
        sent = {"User-Agent": "amply-webhooks/1", "Content-Type": "application/json", **headers}
        client = httpx2.Client(
            transport=transport,
            timeout=httpx2.Timeout(min(_SECONDS_A_STEP, self._seconds_max)),
            follow_redirects=False,
            trust_env=False,
        )
        try:
            with client.stream("POST", url, headers=sent, content=body) as response:
                return response.status_code, _failure_of(response)
        except AddressRefused:
            return None, Failure.ADDRESS_REFUSED
        except httpx2.TimeoutException:
            return None, Failure.TIMEOUT
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            _log.info("webhook_not_delivered", reason=type(error).__name__)
            return None, Failure.NO_CONNECTION


def _failure_of(response: httpx2.Response) -> Failure | None:
    if response.is_success:
        return None
    return Failure.REDIRECT if response.is_redirect else Failure.STATUS
