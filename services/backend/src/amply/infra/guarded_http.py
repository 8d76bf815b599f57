"""HTTP client for untrusted addresses (protection against SSRF): never to private networks, bounded in time and size.

Whoever names an address decides what it resolves to, and may answer differently the second time. So the name is looked up
once, every address it has is judged, and the connection goes to the one that was judged (OWASP, server-side request
forgery). The certificate is checked against the name with every request: a connection serves one request, since one that
was checked for a name would otherwise serve each other name of the same address. Answers come uncompressed, so that the
bytes that are counted are those that are read.
"""

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import httpx2

from amply.infra.database import forbid_transaction

SECONDS_MAX: Final = 4.0
"""Timeout of a whole exchange."""
BYTES_MAX: Final = 524_288
_SECONDS_A_STEP: Final = 2.0
_SECURE: Final = 443
_UNCOMPRESSED: Final = "identity"

Resolve = Callable[[str, int], Sequence[str]]


class AddressRefused(httpx2.UnsupportedProtocol):
    """The address is not https, or not in the public internet: nothing is sent."""


class AnswerRefused(httpx2.ReadError):
    """The response is too long, too slow, or compressed."""


def resolved(host: str, port: int) -> Sequence[str]:
    """Resolve a host name by the system."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class GuardedTransport(httpx2.BaseTransport):
    """HTTP transport for addresses that strangers choose.

    Args:
        allows_loopback: Only on a laptop and in tests: this machine may be asked too, without TLS.
        resolve: How names are looked up.
        trusts: The roots that certificates chain to; the public ones unless others are given.
    """

    def __init__(
        self, *, allows_loopback: bool, resolve: Resolve = resolved, trusts: ssl.SSLContext | None = None
    ) -> None:
        self._allows_loopback = allows_loopback
        self._resolve = resolve
        # The pool identifies connections by address, which many host names may share: keep none.
        self._inner = httpx2.HTTPTransport(
            verify=trusts or True, trust_env=False, limits=httpx2.Limits(max_keepalive_connections=0)
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Check the address, then send the request to exactly that address.

        Raises:
            AddressRefused: It may not.
            AnswerRefused: The answer is compressed; or later, while it is read.
            httpx2.HTTPError: As of any transport.
        """
        forbid_transaction("http to an address that others name")
        deadline = time.monotonic() + SECONDS_MAX
        host = request.url.host
        address = self._judged(request.url)
        request.headers.setdefault("Host", request.url.netloc.decode("ascii"))
        request.headers["Accept-Encoding"] = _UNCOMPRESSED
        request.extensions = {**request.extensions, "sni_hostname": host}
        request.url = request.url.copy_with(host=address)
        response = self._inner.handle_request(request)
        # Compressed responses are refused: they could expand to gigabytes (zip bomb).
        if response.headers.get("Content-Encoding", _UNCOMPRESSED).strip().lower() != _UNCOMPRESSED:
            response.close()
            raise AnswerRefused("the answer is compressed, and was asked for uncompressed")
        response.stream = _Bounded(response.stream, deadline=deadline)
        return response

    def close(self) -> None:
        """Hang up."""
        self._inner.close()

    def _judged(self, url: httpx2.URL) -> str:
        try:
            addresses = self._resolve(url.host, url.port or _SECURE)
        except (OSError, UnicodeError) as error:
            raise httpx2.ConnectError("the name is not known") from error
        if not addresses:
            raise httpx2.ConnectError("the name has no address")
        found = [ipaddress.ip_address(each.partition("%")[0]) for each in addresses]
        if self._allows_loopback and all(each.is_loopback for each in found):
            return addresses[0]
        if url.scheme != "https":
            raise AddressRefused("only https is spoken")
        if url.userinfo or not all(is_public(each) for each in found):
            raise AddressRefused("not on the public internet")
        return addresses[0]


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether an address is in the public internet, in any notation."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is not None:
            return is_public(inner)
        if address in _TRANSLATED:
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return address.is_global and not address.is_multicast and not any(address in each for each in _SPECIAL)


_SPECIAL: Final = (
    ipaddress.ip_network("192.0.0.0/24"),
    ipaddress.ip_network("192.88.99.0/24"),
    ipaddress.ip_network("64:ff9b:1::/48"),
    ipaddress.ip_network("3fff::/20"),
    ipaddress.ip_network("5f00::/16"),
)
"""Special-purpose networks that Python's own tables miss (IANA registries)."""

_TRANSLATED: Final = ipaddress.IPv6Network("64:ff9b::/96")
"""IPv4 addresses behind NAT64 (RFC 6052)."""


def guarded_timeout() -> httpx2.Timeout:
    """Timeouts of each step for clients over this transport."""
    return httpx2.Timeout(_SECONDS_A_STEP)


class _Bounded(httpx2.SyncByteStream):
    """A response stream with limits of size and time."""

    def __init__(self, stream: object, *, deadline: float) -> None:
        if not isinstance(stream, httpx2.SyncByteStream):
            raise TypeError("a synchronous answer")
        self._stream = stream
        self._deadline = deadline

    def __iter__(self) -> Iterator[bytes]:
        received = 0
        for chunk in self._stream:
            received += len(chunk)
            if received > BYTES_MAX or time.monotonic() > self._deadline:
                raise AnswerRefused("the answer is too long, or takes too long")
            yield chunk

    def close(self) -> None:
        self._stream.close()
