"""`amply-verify witness`: run a witness, from nothing but a name and the log's key."""

import ipaddress
import signal
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from amply_verify.keys import trusted_keys
from amply_verify.outcome import CheckFailure, Exit
from amply_verify.witness.decision import Witness
from amply_verify.witness.key import OwnKey, has_key, own_key
from amply_verify.witness.memory import Memory, has_memory
from amply_verify.witness.server import WitnessServer
from ledger_format.log_keys import LogKey

DEFAULT_LISTEN: Final = "127.0.0.1:8790"
_PORT_MAX: Final = 65_535
_PORT_DIGITS: Final = len(str(_PORT_MAX))


def run_witness(*, name: str, directory: Path, log_keys: Sequence[str], listen: str, print_key: bool) -> None:
    """Make the key if there is none, say what it is, and serve until told to stop.

    Raises:
        CheckFailure: The key, the memory or the address cannot be used, or no log's key was given.
    """
    address = _address(listen)
    key, memory = _own(directory, name=name)
    if print_key:
        click.echo(key.verifier)
        return
    witness = Witness(key=key, logs=_by_origin(trusted_keys(log_keys)), memory=memory, seconds=_now)
    with _bound(address, witness) as server:
        host, port = server.server_address[:2]
        click.echo(f"witness  {key.verifier}")
        for origin, keys in witness.logs.items():
            click.echo(f"watches  {origin} ({len(keys)} {'key' if len(keys) == 1 else 'keys'})")
        click.echo(f"listens  http://{_host(str(host))}:{port}/add-checkpoint")
        _serve_until_stopped(server)


def _serve_until_stopped(server: WitnessServer) -> None:
    def stop(_number: int, _frame: object) -> None:
        # From another thread: `shutdown` waits for the loop that this handler interrupts.
        threading.Thread(target=server.shutdown).start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    server.serve_forever(poll_interval=0.5)


def _own(directory: Path, *, name: str) -> tuple[OwnKey, Memory]:
    """The key and the memory, which are made together once."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CheckFailure(
            Exit.UNREADABLE,
            f"the directory {str(directory)!r} cannot be made ({error.strerror})",
            "give another with --directory",
        ) from error
    if has_key(directory) and not has_memory(directory):
        raise CheckFailure(
            Exit.UNREADABLE,
            f"the witness's key is in {str(directory)!r} and its memory is not",
            "begin as a new witness in an empty directory: this key without it could cosign a second history",
        )
    # The memory first: a start that ends between the two leaves nothing that has ever cosigned.
    memory = Memory(directory)
    return own_key(directory, name=name), memory


def _bound(address: tuple[str, int], witness: Witness) -> WitnessServer:
    try:
        return WitnessServer(address, witness)
    except OSError as error:
        raise CheckFailure(
            Exit.USAGE,
            f"nobody can listen on {_host(address[0])}:{address[1]} ({error.strerror})",
            "give another address with --listen, or end the program that has it",
        ) from error


def _by_origin(keys: Sequence[LogKey]) -> dict[str, list[LogKey]]:
    logs: dict[str, list[LogKey]] = {}
    for key in keys:
        logs.setdefault(key.name, []).append(key)
    return logs


def _address(listen: str) -> tuple[str, int]:
    """Read `HOST:PORT`, with the host as an IP address."""
    host, _, port = listen.rpartition(":")
    try:
        found = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        found = None
    is_port = port.isascii() and port.isdigit() and len(port) <= _PORT_DIGITS and int(port) <= _PORT_MAX
    if found is None or not is_port:
        raise CheckFailure(
            Exit.USAGE,
            f"{listen!r} is no address to listen on",
            f"give an IP address and a port, such as {DEFAULT_LISTEN}",
        )
    return str(found), int(port)


def _host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _now() -> int:
    return int(time.time())
