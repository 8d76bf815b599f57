"""Where nothing is sent, whoever names it."""

import ipaddress
import ssl
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Final

import httpx2
import pytest

from amply.infra import guarded_http
from amply.infra.deadline_network import Deadline
from amply.infra.guarded_http import AddressRefused, AnswerRefused, GuardedTransport, is_public
from tests.backend.certificates import self_signed

PRIVATE: Final = (
    *("127.0.0.1", "10.0.0.5", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),  # noqa: S104 -- nothing listens
    *("224.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fd00::1", "ff02::1", "fd00:ec2::254"),
    *("::ffff:10.0.0.5", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1"),
    *("192.0.0.255", "192.88.99.3", "64:ff9b:1::1", "3fff::1", "5f00::1"),
)
PUBLIC: Final = ("1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101")


def asks(url: str, *addresses: str, allows_loopback: bool = False) -> httpx2.Response:
    def resolve(_host: str, _port: int) -> Sequence[str]:
        return addresses

    transport = GuardedTransport(allows_loopback=allows_loopback, resolve=resolve)
    with httpx2.Client(transport=transport, trust_env=False) as client:
        return client.get(url)


def test_networks_that_are_not_public_are_told_in_every_spelling() -> None:
    assert [each for each in PRIVATE if is_public(ipaddress.ip_address(each))] == []
    assert [each for each in PUBLIC if not is_public(ipaddress.ip_address(each))] == []


@pytest.mark.parametrize("address", PRIVATE)
def test_nothing_is_sent_into_a_network_of_ours(address: str) -> None:
    with pytest.raises(AddressRefused):
        asks("https://provider.example/", address)


def test_one_bad_address_among_good_ones_is_enough() -> None:
    with pytest.raises(AddressRefused):
        asks("https://provider.example/", "1.1.1.1", "10.0.0.5")


def test_nothing_is_sent_in_clear_or_with_a_password_in_the_address() -> None:
    for url in ("http://provider.example/", "https://user:secret@provider.example/"):
        with pytest.raises(AddressRefused):
            asks(url, "1.1.1.1")


def test_a_laptop_asks_itself_and_no_other_private_network() -> None:
    with pytest.raises(AddressRefused):
        asks("http://provider.example/", "10.0.0.5", allows_loopback=True)
    with pytest.raises(AddressRefused):
        asks("http://provider.example/", "127.0.0.1", "10.0.0.5", allows_loopback=True)


def test_a_name_that_is_not_known_is_a_provider_that_does_not_answer() -> None:
    with pytest.raises(httpx2.ConnectError):
        asks("https://provider.example/")


def test_an_answer_without_end_is_cut_off() -> None:
    class Endless(httpx2.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            while True:
                yield b"x" * 65_536

    ended: list[bool] = []
    for seconds in (float("inf"), 0.0):
        deadline = Deadline(seconds=seconds)
        answer = guarded_http._Bounded(Endless(), ends=lambda: ended.append(True), deadline=deadline)
        with pytest.raises(AnswerRefused):
            list(answer)
        answer.close()
    assert ended == [True, True]


class _Provider(BaseHTTPRequestHandler):
    """Answers on kept connections; below `/packed` with a few bytes that unpack to eight mebibytes, twice over."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        packed = self.path == "/packed"
        body = (
            _packed(_packed(b"\0" * 8 * 1024 * 1024)) if packed else self.headers["Accept-Encoding"].encode()
        )
        self.send_response(200)
        if packed:
            self.send_header("Content-Encoding", "gzip, gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


def _packed(body: bytes) -> bytes:
    gzip = zlib.compressobj(wbits=31)
    return gzip.compress(body) + gzip.flush()


@contextmanager
def provider(context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A port of this machine where a provider answers, over TLS with a context."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Provider)
    server.daemon_threads = True
    server.block_on_close = False
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    with server:
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.mark.enable_socket
def test_an_answer_that_unpacks_to_more_is_refused_and_none_is_asked_for() -> None:
    with provider() as port:
        url = f"http://provider.example:{port}"
        assert asks(url, "127.0.0.1", allows_loopback=True).text == "identity"
        with pytest.raises(AnswerRefused, match="compressed"):
            asks(f"{url}/packed", "127.0.0.1", allows_loopback=True)


def test_of_a_names_addresses_one_of_ipv4_is_connected_to() -> None:
    """The tasks' network lets out nothing else."""
    transport = GuardedTransport(
        allows_loopback=False, resolve=lambda *_: ["2606:4700:4700::1111", "1.1.1.1"]
    )
    assert transport._judged(httpx2.URL("https://provider.example/")) == "1.1.1.1"


@pytest.mark.enable_socket
def test_each_name_of_one_address_has_to_show_its_own_certificate(tmp_path: Path) -> None:
    serves, trusts = self_signed("one.example", folder=tmp_path)
    transport = GuardedTransport(
        allows_loopback=True, resolve=lambda _host, _port: ["127.0.0.1"], trusts=trusts
    )
    with provider(serves) as port, httpx2.Client(transport=transport, trust_env=False) as client:
        assert client.get(f"https://one.example:{port}/").status_code == 200
        with pytest.raises(httpx2.ConnectError, match=r"two\.example"):
            client.get(f"https://two.example:{port}/")
        assert client.get(f"https://one.example:{port}/").status_code == 200
