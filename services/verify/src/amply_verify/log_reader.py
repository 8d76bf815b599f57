"""Reading from servers that nobody has to trust: bounded in time, tries and size, and never redirected elsewhere."""

import time
import zlib
from collections.abc import Callable
from types import TracebackType
from typing import Final, Protocol, Self

import httpx2

from amply_verify.outcome import CheckFailure, Exit

SECONDS_PER_TRY: Final = 30.0
PAUSES_SECONDS: Final = (0.2, 1.0)  # between the tries, so there is one try more

_TIMEOUT: Final = httpx2.Timeout(10.0)
_RETRIED_STATUSES: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_ABSENT_STATUSES: Final = frozenset({404, 410})
_OK: Final = 200
_PARTIAL: Final = 206
_GZIP: Final = 31  # zlib's window bits for "a gzip stream and nothing else"


class Getter(Protocol):
    """Fetches an address; the one thing the checks need from the network."""

    def get(self, url: str, *, limit: int) -> bytes:
        """Fetch at most `limit` bytes.

        Raises:
            CheckFailure: NOT_THERE when the server says so, UNREACHABLE for everything else.
        """
        ...


class HttpGetter:
    """A `Getter` over HTTP(S). `pause` waits between tries and `clock` counts seconds; tests bring their own."""

    def __init__(
        self,
        *,
        transport: httpx2.BaseTransport | None = None,
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        # gzip is undone below, with a limit; the client itself would inflate a bomb before we could look at it.
        headers = {"User-Agent": "amply-verify", "Accept-Encoding": "gzip, identity"}
        self._client = httpx2.Client(
            headers=headers, timeout=_TIMEOUT, follow_redirects=False, transport=transport
        )
        self._pause = pause
        self._clock = clock

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def get(self, url: str, *, limit: int) -> bytes:
        """Fetch at most `limit` bytes, trying three times when the server or the way to it fails.

        Raises:
            CheckFailure: NOT_THERE for 404 and 410, UNREACHABLE for everything else.
        """
        reason = ""
        begun = _Begun()
        for pause in (*PAUSES_SECONDS, None):
            try:
                return self._get_once(url, begun, limit=limit)
            except _TryAgainError as error:
                reason = str(error)
            if pause is not None:
                self._pause(pause)
        raise _unreachable(url, f"{reason}, {len(PAUSES_SECONDS) + 1} times")

    def _get_once(self, url: str, begun: "_Begun", *, limit: int) -> bytes:
        deadline = self._clock() + SECONDS_PER_TRY
        try:
            with self._client.stream("GET", url, headers=begun.question()) as response:
                _check_status(url, response.status_code)
                begun.answer(response, url)
                for chunk in response.iter_raw():
                    begun.received += chunk
                    if len(begun.received) > limit:
                        raise _unreachable(url, f"the answer is larger than {limit} bytes")
                    if self._clock() > deadline:
                        raise _TryAgainError("the answer took too long")
                encoding = response.headers.get("Content-Encoding", "")
                return _plain(url, begun.take(), encoding, limit=limit)
        except httpx2.TransportError as error:
            raise _TryAgainError(_sentence(error)) from error
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            raise _unreachable(url, _sentence(error)) from error


class _Begun:
    """What has come of an answer that broke off, and how to ask for the rest of the very same one (RFC 9110 §13.1.5)."""

    def __init__(self) -> None:
        self.received = bytearray()
        self._validator = ""

    def question(self) -> dict[str, str]:
        """Headers for the next try."""
        if not self.received or not self._validator:
            return {}
        return {"Range": f"bytes={len(self.received)}-", "If-Range": self._validator}

    def answer(self, response: httpx2.Response, url: str) -> None:
        """Go on where the answer broke off if the server does so, and begin anew if it does."""
        if response.status_code == _PARTIAL:
            begins = f"bytes {len(self.received)}-"
            if not self.question() or not response.headers.get("Content-Range", "").startswith(begins):
                raise _unreachable(url, "it answered with another part than was asked for")
            return
        tag = response.headers.get("ETag", "")
        self._validator = "" if tag.startswith("W/") else tag
        self.received.clear()

    def take(self) -> bytes:
        """The whole answer; whatever is wrong with it, the next try begins anew."""
        content = bytes(self.received)
        self.received.clear()
        return content


class _TryAgainError(Exception):
    """This try failed in a way that another may not."""


def _check_status(url: str, status: int) -> None:
    if status in _ABSENT_STATUSES:
        raise CheckFailure(
            Exit.NOT_THERE,
            f"{url} does not exist (HTTP {status})",
            "check the address, or try again in a minute",
        )
    if status in _RETRIED_STATUSES:
        raise _TryAgainError(f"it answered with HTTP {status}")
    if status not in {_OK, _PARTIAL}:
        raise _unreachable(url, f"it answered with HTTP {status}")


def _plain(url: str, received: bytes, encoding: str, *, limit: int) -> bytes:
    """Undo the content encoding (tlog-tiles allows gzip without negotiation)."""
    if encoding.lower() in {"", "identity"}:
        return received
    if encoding.lower() != "gzip":
        raise _unreachable(url, "the answer is in an encoding that was not asked for")
    inflater = zlib.decompressobj(wbits=_GZIP)
    try:
        plain = inflater.decompress(received, limit + 1)
    except zlib.error as error:
        raise _TryAgainError("the answer is damaged gzip") from error
    if len(plain) > limit:
        raise _unreachable(url, f"the answer is larger than {limit} bytes")
    if not inflater.eof or inflater.unused_data:
        raise _TryAgainError("the answer is damaged gzip")
    return plain


def _unreachable(url: str, reason: str) -> CheckFailure:
    return CheckFailure(
        Exit.UNREACHABLE,
        f"{url} could not be read ({reason})",
        "check the address and your connection, and try again",
    )


def _sentence(error: Exception) -> str:
    return str(error).strip().rstrip(".") or type(error).__name__
