"""The list of leaked passwords over HTTP, against a server that answers, hesitates, lies or is away."""

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from amply.adapters.breaches import HttpBreachList
from amply.infra.database import Database, ExternalCallInTransaction
from amply.modules.people import CommonPasswords
from amply.modules.people.breaches import BreachList, is_known
from tests.ports import free_port

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
LEAKED = "a password that leaked"
_DIGEST = hashlib.sha1(LEAKED.encode(), usedforsecurity=False).hexdigest().upper()


@dataclass
class RangeServer:
    """Answers one range; `body` and `status` may be replaced."""

    url: str
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    status: int = 200
    body: str = f"{'0' * 35}:0\r\n{_DIGEST[5:]}:42\r\n{'F' * 35}:1"


@pytest.fixture
def ranges() -> Iterator[RangeServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known.asked.append((self.path, self.headers["Add-Padding"]))
            content = known.body.encode()
            self.send_response(known.status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    known = RangeServer(url=f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield known
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_leaked_password_is_known_by_five_digits_of_its_digest(ranges: RangeServer) -> None:
    breaches: BreachList = HttpBreachList(url=f"{ranges.url}/")
    assert is_known(breaches, LEAKED)
    assert not is_known(breaches, "a quiet river at dawn")
    assert ranges.asked[0] == (f"/range/{_DIGEST[:5]}", "true")
    assert "0" * 35 not in breaches.suffixes_of("00000"), "padding is nobody's password"


@pytest.mark.parametrize(
    ("status", "body"), [(503, "later"), (200, "x" * 300_000), (200, "é:1"), (302, "elsewhere"), (200, "")]
)
def test_a_list_that_answers_badly_knows_nothing(
    ranges: RangeServer, capsys: pytest.CaptureFixture[str], status: int, body: str
) -> None:
    ranges.status, ranges.body = status, body
    assert not is_known(HttpBreachList(url=ranges.url), LEAKED)
    said = capsys.readouterr().out
    assert ("breach_list_away" in said) is (body != "")
    assert _DIGEST[:5] not in said


def test_a_list_that_is_away_keeps_nobody_from_a_good_password() -> None:
    assert not is_known(HttpBreachList(url=f"http://127.0.0.1:{free_port()}"), LEAKED)


def test_nobody_asks_a_list_while_a_transaction_is_open(database: Database) -> None:
    breaches = HttpBreachList(url="http://127.0.0.1:1")
    with pytest.raises(ExternalCallInTransaction), database.transaction():
        breaches.suffixes_of("00000")


def test_the_list_we_carry_knows_what_people_choose() -> None:
    for password in ("password1234", "Qwertyuiop123", "correct horse battery staple", "123456789012"):
        assert is_known(CommonPasswords(), password)
    assert not is_known(CommonPasswords(), "a quiet river at dawn")
