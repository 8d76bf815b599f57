"""The witness over HTTP and as a process: bounded towards strangers, and the same after SIGKILL."""

import http.client
import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from amply_verify.outcome import Exit
from amply_verify.witness.server import CONNECTIONS_MAX, WitnessServer
from ledger_format.cosignatures import WitnessKey, read_cosignatures
from ledger_format.witnessing import MAX_REQUEST_BYTES
from tests.verify.ledger_samples import STRANGERS_KEY, verifier_key
from tests.verify.watched_log import NAME, WatchedLog, a_witness
from tests.verify.witness_process import WitnessProcess

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


@contextmanager
def serving(directory: Path, *, seconds_max: float = 20.0) -> Iterator[tuple[str, int]]:
    server = WitnessServer(("127.0.0.1", 0), a_witness(directory), seconds_max=seconds_max)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield "127.0.0.1", server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[str, int]]:
    with serving(tmp_path) as address:
        yield address


def exchange(place: tuple[str, int], sent: bytes) -> bytes:
    """Send bytes as they are, and read until the other side hangs up."""
    with socket.create_connection(place, timeout=30) as connection:
        connection.sendall(sent)
        received = b""
        while chunk := connection.recv(65_536):
            received += chunk
    return received


def test_requests_of_one_connection_are_answered_one_after_the_other(place: tuple[str, int]) -> None:
    log = WatchedLog()
    connection = http.client.HTTPConnection(*place, timeout=30)
    for old, size, status in ((0, 5, 200), (0, 9, 409), (5, 9, 200)):
        connection.request("POST", "/add-checkpoint", body=log.request(old, size))
        answer = connection.getresponse()
        body = answer.read().decode()
        assert (answer.status, answer.headers["Connection"]) == (status, "keep-alive")
        if status == 409:
            assert (answer.headers["Content-Type"], body) == ("text/x.tlog.size", "5\n")
        else:
            assert body.startswith(f"— {NAME} ")
    connection.close()


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/", {}, 200),
        ("GET", "/add-checkpoint", {}, 405),
        ("GET", "/favicon.ico", {}, 404),
        ("POST", "/", {"Content-Length": "0"}, 404),
        ("POST", "/add-checkpoint/", {"Content-Length": "0"}, 404),
        ("POST", "/add-checkpoint", {}, 411),
        ("POST", "/add-checkpoint", {"Content-Length": "-1"}, 411),
        ("POST", "/add-checkpoint", {"Content-Length": "1e3"}, 411),
        ("POST", "/add-checkpoint", {"Content-Length": "٣"}, 411),
        ("POST", "/add-checkpoint", {"Transfer-Encoding": "chunked"}, 411),
        ("POST", "/add-checkpoint", {"Content-Length": "5", "Transfer-Encoding": "chunked"}, 411),
        ("POST", "/add-checkpoint", {"Content-Length": str(MAX_REQUEST_BYTES + 1)}, 413),
        ("POST", "/add-checkpoint", {"Content-Length": "9" * 5_000}, 413),
        ("POST", "/add-checkpoint", {"Content-Length": "0"}, 400),
        ("BREW", "/add-checkpoint", {}, 501),
        ("POST", "/" + "x" * 70_000, {}, 414),
    ],
)
def test_what_is_no_checkpoint_is_refused_without_being_read(
    method: str, path: str, headers: dict[str, str], status: int, place: tuple[str, int]
) -> None:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    received = exchange(
        place, f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{lines}\r\n".encode()
    )
    assert received.split(b" ")[1] == str(status).encode()


def test_noise_is_hung_up_on_and_the_next_one_is_served(place: tuple[str, int]) -> None:
    for noise in (b"\0" * 100 + b"\r\n\r\n", b"\x16\x03\x01\x02\x00\r\n", b"GET\r\n\r\n"):
        exchange(place, noise)
    assert b" 200 " in exchange(place, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")


def test_a_sender_that_trickles_is_hung_up_on(tmp_path: Path) -> None:
    """Each byte comes in time, the whole never would."""
    with serving(tmp_path, seconds_max=0.3) as place:
        began = time.monotonic()
        with socket.create_connection(place, timeout=30) as connection:
            connection.sendall(b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 1000\r\n\r\n")
            with suppress(BrokenPipeError, ConnectionResetError):
                while time.monotonic() - began < 30:
                    connection.sendall(b"x")
                    threading.Event().wait(0.02)
            assert time.monotonic() - began < 30
        assert b" 200 " in exchange(place, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")


def test_more_connections_than_it_takes_are_hung_up_on_and_taken_again_later(place: tuple[str, int]) -> None:
    held = [socket.create_connection(place, timeout=30) for _ in range(CONNECTIONS_MAX)]
    for connection in held:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b" 200 " in connection.recv(65_536)
    with socket.create_connection(place, timeout=30) as one_more:
        assert one_more.recv(1) == b""
    for connection in held:
        connection.close()
    deadline = time.monotonic() + 30
    while b" 200 " not in exchange_or_nothing(place):
        assert time.monotonic() < deadline


def exchange_or_nothing(place: tuple[str, int]) -> bytes:
    try:
        return exchange(place, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    except OSError:
        return b""


def test_one_command_makes_a_key_says_it_and_cosigns(tmp_path: Path) -> None:
    process = WitnessProcess(tmp_path / "new" / "directory")
    process.start()
    assert process.key is not None
    log = WatchedLog()
    status, content_type, body = process.post(log.request(0, 5))
    text = log.note(5).rpartition("\n\n")[0] + "\n"
    assert (status, content_type) == (200, "text/plain; charset=utf-8")
    assert len(read_cosignatures(body, text, [process.key])) == 1
    printed = subprocess.run(process.command("--print-key"), capture_output=True, text=True, check=True)
    assert printed.stdout == f"{process.key}\n"
    assert process.stop() == 0


def test_it_loses_no_answer_to_sigkill(tmp_path: Path) -> None:
    """Killed at random moments while it is asked: whatever size it has cosigned, it knows at the next start."""
    chance = random.Random(20261126)  # noqa: S311 -- a seed that can be named
    process, log = WitnessProcess(tmp_path), WatchedLog()
    log.grow_to(400)
    answered, asked_for = 0, 0
    for _ in range(6):
        process.start()
        # Every tree extends the empty one: asking with it says what is remembered, and changes nothing.
        status, _, body = process.post(log.request(0, 0))
        seen = int(body) if status == 409 else 0
        assert answered <= seen <= asked_for, "nothing that was given out is forgotten"
        answered = seen
        killer = threading.Timer(chance.uniform(0.0, 0.4), process.kill)
        killer.start()
        with suppress(OSError, http.client.HTTPException):
            while True:
                asked_for = answered + 1
                status, _, _ = process.post(log.request(answered, asked_for))
                assert status == 200
                answered = asked_for
        killer.join()
    assert answered > 0


@pytest.mark.parametrize(
    ("options", "keys", "code", "sentence"),
    [
        ({"name": "two words"}, None, Exit.USAGE, "choose another name"),
        ({"listen": "localhost:1"}, None, Exit.USAGE, "no address to listen on"),
        ({"listen": "127.0.0.1:99999"}, None, Exit.USAGE, "no address to listen on"),
        ({}, [], Exit.NO_KEY, "no trusted key was given"),
        ({}, ["garbage"], Exit.NO_KEY, "neither a verifier key nor a file"),
    ],
)
def test_what_it_cannot_work_with_is_one_sentence(
    options: dict[str, str], keys: list[str] | None, code: Exit, sentence: str, tmp_path: Path
) -> None:
    process = WitnessProcess(tmp_path, **options)  # type: ignore[arg-type] # texts alone
    if keys is not None:
        process.log_keys = keys
    done = subprocess.run(
        process.command(),
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == code
    assert done.stderr.startswith("FAIL: witness: ")
    assert sentence in done.stderr


@pytest.mark.parametrize("options", [(), ("--print-key",)])
def test_a_key_whose_memory_is_lost_never_cosigns_again(options: tuple[str, ...], tmp_path: Path) -> None:
    """With an empty memory it would cosign any history, beside the one it has already cosigned."""
    process = WitnessProcess(tmp_path).start()
    process.kill()
    (tmp_path / "witness.sqlite").unlink()
    done = subprocess.run(process.command(*options), capture_output=True, text=True, check=False)
    assert done.returncode == Exit.UNREADABLE
    assert "its memory is not" in done.stderr
    assert not (tmp_path / "witness.sqlite").exists()


def test_a_port_that_is_taken_is_said_and_the_key_stays(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = WitnessProcess(tmp_path, listen=f"127.0.0.1:{taken.getsockname()[1]}")
        done = subprocess.run(process.command(), capture_output=True, text=True, check=False)
    assert (done.returncode, "nobody can listen" in done.stderr) == (Exit.USAGE, True)
    assert (tmp_path / "witness.key").exists()


def test_it_watches_a_log_with_two_keys_and_another_log(tmp_path: Path) -> None:
    other = verifier_key(name="other.example/log")
    keys = tmp_path / "keys"
    keys.write_text(f"# two keys of one log\n{verifier_key()}\n{verifier_key(STRANGERS_KEY)}\n")
    process = WitnessProcess(tmp_path / "own", log_keys=[str(keys), str(other)]).start()
    assert process.post(WatchedLog(key=STRANGERS_KEY).request(0, 5))[0] == 200
    assert process.post(WatchedLog().request(5, 6))[0] == 200
    assert urlsplit(process.address).hostname == "127.0.0.1"
    assert isinstance(process.key, WitnessKey)
    process.kill()
