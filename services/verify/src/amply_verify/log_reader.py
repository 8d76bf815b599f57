"""Reading from servers that nobody has to trust: bounded in time, tries and size, and never redirected elsewhere."""

import email.utils
import random
import time
import zlib
from collections.abc import Callable
from types import TracebackType
from typing import Final, Protocol, Self

import httpx2

from amply_verify.outcome import CheckFailure, Exit

SECONDS_PER_TRY: Final = 30.0
PAUSES_SECONDS: Final = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Between the tries, so there is one try more. Each is shortened by up to a half, that many readers do not come at once."""

QUICK_TRIES: Final = 3
"""Where a person waits for one answer, and for a server that has never given one: its address may be wrong."""

PATIENT_TRIES: Final = len(PAUSES_SECONDS) + 1
"""Where hours of work would be lost."""

MAX_ASKED_PAUSE_SECONDS: Final = 60.0
"""How long a server's Retry-After is obeyed."""

_TIMEOUT: Final = httpx2.Timeout(10.0)
_RETRIED_STATUSES: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_ABSENT_STATUSES: Final = frozenset({404, 410})
_OK: Final = 200
_PARTIAL: Final = 206
_MAX_DIGITS: Final = 9  # of a number of seconds: more would be no other pause
_ROOM_FOR_GZIP: Final = 4_096  # by how much what cannot be compressed grows, at most
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
    """A `Getter` over HTTP(S), which tries up to `tries` times.

    `pause` waits between tries, `clock` counts seconds and `chance` is evenly between 0 and 1; tests bring their own.
    """

    def __init__(
        self,
        *,
        tries: int = QUICK_TRIES,
        transport: httpx2.BaseTransport | None = None,
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        # gzip is undone below, with a limit; the client itself would inflate a bomb before we could look at it.
        headers = {"User-Agent": "amply-verify", "Accept-Encoding": "gzip, identity"}
        self._client = httpx2.Client(
            headers=headers, timeout=_TIMEOUT, follow_redirects=False, transport=transport
        )
        self._pause = pause
        self._clock = clock
        self._chance = chance
        self._tries = tries
        self._has_answered = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def get(self, url: str, *, limit: int) -> bytes:
        """Fetch at most `limit` bytes, trying again when the server or the way to it fails.

        Raises:
            CheckFailure: NOT_THERE for 404 and 410, UNREACHABLE for everything else.
        """
        begun = _Begun()
        tried = 0
        while True:
            try:
                return self._get_once(url, begun, limit=limit)
            except _TryAgainError as error:
                tried += 1
                if tried >= (self._tries if self._has_answered else min(self._tries, QUICK_TRIES)):
                    raise _unreachable(url, f"{error}, {tried} times") from error
                self._pause(self._pause_seconds(tried, error.asked_seconds))

    def _pause_seconds(self, tried: int, asked_seconds: float) -> float:
        own = PAUSES_SECONDS[tried - 1] * (1 - self._chance() / 2)
        return max(own, min(asked_seconds, MAX_ASKED_PAUSE_SECONDS))

    def _get_once(self, url: str, begun: "_Begun", *, limit: int) -> bytes:
        deadline = self._clock() + SECONDS_PER_TRY
        try:
            with self._client.stream("GET", url, headers=begun.question()) as response:
                self._has_answered = True
                _check_status(url, response)
                begun.answer(response, url)
                for chunk in response.iter_raw():
                    begun.received += chunk
                    if len(begun.received) > limit + _ROOM_FOR_GZIP:
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
    """This try failed in a way that another may not; the server may have asked to wait for so many seconds."""

    def __init__(self, reason: str, asked_seconds: float = 0.0) -> None:
        super().__init__(reason)
        self.asked_seconds = asked_seconds


def _check_status(url: str, response: httpx2.Response) -> None:
    status = response.status_code
    if status in _ABSENT_STATUSES:
        raise CheckFailure(
            Exit.NOT_THERE,
            f"{url} does not exist (HTTP {status})",
            "check the address, or try again in a minute",
        )
    if status in _RETRIED_STATUSES:
        raise _TryAgainError(f"it answered with HTTP {status}", _asked_pause_seconds(response.headers))
    if status not in {_OK, _PARTIAL}:
        raise _unreachable(url, f"it answered with HTTP {status}")


def _asked_pause_seconds(headers: httpx2.Headers) -> float:
    """Read Retry-After, seconds or a date (RFC 9110 §10.2.3); a date counts from the answer's own. Nonsense is nothing."""
    asked = headers.get("Retry-After", "").strip()
    if asked.isascii() and asked.isdigit():
        return float(asked[:_MAX_DIGITS])
    try:
        until = email.utils.parsedate_to_datetime(asked)
        answered = email.utils.parsedate_to_datetime(headers.get("Date", ""))
        return max(0.0, (until - answered).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return 0.0


def _plain(url: str, received: bytes, encoding: str, *, limit: int) -> bytes:
    """Undo the content encoding (tlog-tiles allows gzip without negotiation)."""
    if encoding.lower() in {"", "identity"}:
        if len(received) > limit:
            raise _unreachable(url, f"the answer is larger than {limit} bytes")
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
