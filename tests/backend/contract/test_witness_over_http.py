"""The publisher's way to a witness, held against the real one as a process and against servers that misbehave."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from amply.adapters.witness import SECONDS_MAX, HttpWitness
from amply.entrypoints.publisher import witnesses_of
from amply.infra.database import ExternalCallInTransaction
from amply.modules import ledger
from ledger_format.cosignatures import MAX_COSIGNATURES_BYTES, read_cosignatures
from ledger_format.policies import Policy, PolicyWitness
from tests.backend.ledger_world import LedgerWorld
from tests.verify.ledger_samples import sample_policy, witness_key
from tests.verify.watched_log import WatchedLog
from tests.verify.witness_process import WitnessProcess

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


@pytest.fixture
def process(tmp_path: Path) -> Iterator[WitnessProcess]:
    process = WitnessProcess(tmp_path).start()
    yield process
    process.kill()


def test_a_real_witness_cosigns_over_http_and_says_what_it_has_seen(process: WitnessProcess) -> None:
    log = WatchedLog()
    with closing(HttpWitness(address=f"{process.address}/")) as witness:
        answer = witness.add_checkpoint(log.request(0, 5))
        again = witness.add_checkpoint(log.request(0, 9))
    assert process.key is not None
    text = log.note(5).rpartition("\n\n")[0] + "\n"
    assert answer.status == 200
    assert len(read_cosignatures(answer.body, text, [process.key])) == 1
    assert (again.status, again.content_type, again.body) == (409, "text/x.tlog.size", "5\n")


@contextmanager
def asked(policy: Policy) -> Iterator[ledger.Witnesses]:
    """The policy's witnesses, hung up on at the end."""
    witnesses = witnesses_of(policy)
    yield witnesses
    for witness in witnesses.reached.values():
        assert isinstance(witness, HttpWitness)
        witness.close()


def test_a_log_publishes_with_a_real_witness(books: LedgerWorld, tmp_path: Path) -> None:
    process = WitnessProcess(tmp_path, log_keys=[str(books.verifier)])
    for count in (1, 300):
        process.start()
        assert process.key is not None
        with asked(Policy((), (PolicyWitness("w", process.key, process.address),), (), "w")) as witnesses:
            books.witnesses = witnesses
            books.check()
            books.post_many(count)
            books.sequence()
            published = books.publish()
        assert published is not None
        assert published.witnesses_missing == 0
        process.kill()


def test_no_witness_is_asked_inside_a_transaction(books: LedgerWorld) -> None:
    with pytest.raises(ExternalCallInTransaction), books.app.transaction():
        HttpWitness(address="http://127.0.0.1:9").add_checkpoint(b"")


def test_a_policy_s_witness_without_an_address_is_refused() -> None:
    with pytest.raises(ValueError, match="no address for the witnesses harbour"):
        witnesses_of(sample_policy())


@contextmanager
def server(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """Serves each connection with `serve`, which may do what no HTTP library would."""
    listening = socket.create_server(("127.0.0.1", 0))
    ending = threading.Event()

    def accept() -> None:
        while not ending.is_set():
            with suppress(OSError):
                connection, _ = listening.accept()
                threading.Thread(target=talk, args=(connection,), daemon=True).start()

    def talk(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.recv(65_536)
            serve(connection)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    ending.set()
    with suppress(OSError):
        listening.shutdown(socket.SHUT_RDWR)
    listening.close()


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


def endless(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"\r\n")
    while True:
        connection.sendall(b"x" * 65_536)


def _wait() -> None:
    threading.Event().wait(60)


def trickle(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"Content-Length: 1000\r\n\r\n")
    pause = threading.Event()
    while True:
        connection.sendall(b"x")
        pause.wait(SECONDS_MAX / 20)


@pytest.mark.parametrize(
    ("serve", "reason"),
    [
        (lambda connection: connection.sendall(b""), "disconnected|reset by peer"),
        (lambda connection: connection.sendall(b"\0\1\2\r\n\r\n"), "."),
        (lambda connection: connection.sendall(HEAD + b"Content-Length: 1\r\n\r\n\xff"), "no text"),
        (lambda connection: connection.sendall(HEAD + b"Content-Length: 9\r\n\r\n123"), "."),
        (endless, f"longer than {MAX_COSIGNATURES_BYTES}"),
        (trickle, "took too long"),
    ],
    ids=["hangs up", "no HTTP", "no text", "cut off", "endless", "trickles"],
)
def test_a_server_that_misbehaves_is_away_and_soon(
    serve: Callable[[socket.socket], None], reason: str
) -> None:
    with (
        server(serve) as address,
        closing(HttpWitness(address=address)) as witness,
        pytest.raises(ledger.WitnessAway, match=reason),
    ):
        witness.add_checkpoint(b"old 0\n\n")


def test_nobody_at_all_is_away() -> None:
    with closing(HttpWitness(address="http://127.0.0.1:9")) as witness, pytest.raises(ledger.WitnessAway):
        witness.add_checkpoint(b"")


def test_a_redirect_is_not_followed(process: WitnessProcess) -> None:
    line = (
        f"HTTP/1.1 307 Go\r\nLocation: {process.address}/add-checkpoint\r\nContent-Length: 0\r\n\r\n".encode()
    )
    with (
        server(lambda connection: connection.sendall(line)) as address,
        closing(HttpWitness(address=address)) as witness,
    ):
        assert witness.add_checkpoint(WatchedLog().request(0, 5)).status == 307


def test_a_silent_witness_is_given_up_while_others_cosign(books: LedgerWorld, tmp_path: Path) -> None:
    """It accepts connections and says nothing: the publication ends without it."""
    process = WitnessProcess(tmp_path, log_keys=[str(books.verifier)]).start()
    assert process.key is not None
    with server(lambda _: _wait()) as silent:
        policy = Policy(
            (),
            (
                PolicyWitness("w", process.key, process.address),
                PolicyWitness("silent", witness_key("harbour"), silent),
            ),
            (),
            "w",
        )
        with asked(policy) as books.witnesses:
            books.post()
            books.sequence()
            published = books.publish()
    assert published is not None
    assert published.witnesses_missing == 1
    process.kill()
