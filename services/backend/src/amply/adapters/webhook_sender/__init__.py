"""Sends requests to webhook endpoints chosen by organisations: implements `webhook_endpoints.Sender` over the guarded HTTP
client.
"""

import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
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
_SECONDS: Final = re.compile(r"[0-9]{1,9}")

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
        """Send a request without following redirects; only the response's status and `Retry-After` are read."""
        forbid_transaction("webhook: deliver")
        transport = GuardedTransport(
            allows_loopback=self._allows_loopback,
            resolve=self._resolve,
            trusts=self._trusts,
            seconds_max=self._seconds_max,
        )
        began = time.monotonic()
        with tracing.call("webhook: deliver"):
            answer = self._sent(transport, url, headers, body)
        return replace(answer, milliseconds=int((time.monotonic() - began) * 1000))

    def _sent(
        self, transport: httpx2.BaseTransport, url: str, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        sent = {"User-Agent": "amply-webhooks/1", "Content-Type": "application/json", **headers}
        client = httpx2.Client(
            transport=transport,
            timeout=httpx2.Timeout(min(_SECONDS_A_STEP, self._seconds_max)),
            follow_redirects=False,
            trust_env=False,
        )
        try:
            with client.stream("POST", url, headers=sent, content=body) as response:
                return _answered(response)
        except AddressRefused:
            failure = Failure.ADDRESS_REFUSED
        except httpx2.TimeoutException:
            failure = Failure.TIMEOUT
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            _log.info("webhook_not_delivered", reason=type(error).__name__)
            failure = Failure.NO_CONNECTION
        return Answer(status=None, failure=failure, milliseconds=0)


def _answered(response: httpx2.Response) -> Answer:
    failure = _failure_of(response)
    return Answer(
        status=response.status_code,
        failure=failure,
        milliseconds=0,
        retry_after=None if failure is None else _retry_after(response.headers.get("Retry-After", "")),
    )


def _retry_after(said: str) -> timedelta | None:
    """As seconds (RFC 9110, section 10.2.3); a date is not read."""
    return timedelta(seconds=int(said)) if _SECONDS.fullmatch(said.strip()) else None


def _failure_of(response: httpx2.Response) -> Failure | None:
    if response.is_success:
        return None
    return Failure.REDIRECT if response.is_redirect else Failure.STATUS
