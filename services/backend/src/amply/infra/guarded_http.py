"""HTTP client for untrusted addresses (protection against SSRF): never to private networks, bounded in time and size.

Whoever names an address decides what it resolves to, and may answer differently the second time. So the name is looked up
once, every address it has is judged, and the connection goes to the one that was judged (OWASP, server-side request
forgery). The certificate is checked against the name with every request: a connection serves one request, since one that
was checked for a name would otherwise serve each other name of the same address. Answers come uncompressed, so that the
bytes that are counted are those that are read. From looking the name up to the last byte there is one deadline.
"""

import ipaddress
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import httpcore2
import httpx2

from amply.infra.database import forbid_transaction
from amply.infra.deadline_network import Deadline, DeadlineBackend

SECONDS_MAX: Final = 4.0
"""Timeout of a whole exchange."""
BYTES_MAX: Final = 524_288
_SECONDS_A_STEP: Final = 2.0
_SECURE: Final = 443
_IPV4: Final = 4
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
        seconds_max: For a whole exchange. Looking the name up counts, and is ended by the system alone.
    """

    def __init__(
        self,
        *,
        allows_loopback: bool,
        resolve: Resolve = resolved,
        trusts: ssl.SSLContext | None = None,
        seconds_max: float = SECONDS_MAX,
    ) -> None:
        self._allows_loopback = allows_loopback
        self._resolve = resolve
        # Created once: loading CA certificates takes longer than a request.
        self._trusts = trusts or httpx2.create_ssl_context(trust_env=False)
        self._seconds_max = seconds_max

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Check the address, then send the request to exactly that address.

        Raises:
            AddressRefused: It may not.
            AnswerRefused: While the answer is read, where it is compressed, too long or takes too long.
            httpx2.HTTPError: As of any transport.
        """
        forbid_transaction("http to an address that others name")
        deadline = Deadline(seconds=self._seconds_max)
        host = request.url.host
        address = self._judged(request.url)
        request.headers.setdefault("Host", request.url.netloc.decode("ascii"))
        request.headers["Accept-Encoding"] = _UNCOMPRESSED
        request.extensions = {**request.extensions, "sni_hostname": host}
        request.url = request.url.copy_with(host=address)
        return self._sent(request, deadline)

    def _sent(self, request: httpx2.Request, deadline: Deadline) -> httpx2.Response:
        """A pool knows connections by their address alone, and the address of many names is one: each request has its own."""
        pool = httpcore2.ConnectionPool(
            ssl_context=self._trusts,
            max_connections=1,
            max_keepalive_connections=0,
            network_backend=DeadlineBackend(deadline),
        )
        url = request.url
        asked = httpcore2.Request(
            method=request.method,
            url=httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=_body_of(request),
            extensions=request.extensions,
        )
        try:
            with _as_of_httpx():
                answer = pool.handle_request(asked)
        except BaseException:
            pool.close()
            raise
        headers = httpx2.Headers(answer.headers)
        is_packed = headers.get("Content-Encoding", _UNCOMPRESSED).strip().lower() != _UNCOMPRESSED
        return httpx2.Response(
            answer.status,
            headers=headers,
            stream=_Bounded(answer.iter_stream(), ends=pool.close, deadline=deadline, is_packed=is_packed),
            extensions=answer.extensions,
        )

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
        # What runs in the cloud has no way out but over IPv4 (`stacks/network.py`).
        return str(next((each for each in found if each.version == _IPV4), found[0]))


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
    """A response stream with limits of size and time. `ends`: called when reading is over."""

    def __init__(
        self,
        answer: Iterable[bytes],
        *,
        ends: Callable[[], None],
        deadline: Deadline,
        is_packed: bool = False,
    ) -> None:
        self._answer = answer
        self._ends = ends
        self._deadline = deadline
        self._is_packed = is_packed

    def __iter__(self) -> Iterator[bytes]:
        if self._is_packed:
            # Compressed responses are refused: they could expand to gigabytes (zip bomb).
            raise AnswerRefused("the answer is compressed, and was asked for uncompressed")
        received = 0
        with _as_of_httpx():
            for chunk in self._answer:
                received += len(chunk)
                if received > BYTES_MAX or self._deadline.is_over():
                    raise AnswerRefused("the answer is too long, or takes too long")
                yield chunk

    def close(self) -> None:
        self._ends()


def _body_of(request: httpx2.Request) -> Iterable[bytes]:
    if not isinstance(request.stream, httpx2.SyncByteStream):
        raise TypeError("a synchronous request")
    return request.stream


@contextmanager
def _as_of_httpx() -> Iterator[None]:
    """The errors of the layer below, as the client's of the same names."""
    try:
        yield
    except (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError) as error:
        kind: type[httpx2.TransportError] = getattr(httpx2, type(error).__name__)
        raise kind(str(error)) from error
