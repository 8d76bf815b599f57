"""The command line. Results go to standard output, failures to standard error; see `outcome` for the exit codes."""

import io
import re
import sys
from pathlib import Path
from typing import Final, NoReturn

import click

from amply_verify.checkpoint_check import check_checkpoint_file, check_published_checkpoint, is_address
from amply_verify.entry_check import check_entry
from amply_verify.keys import trust
from amply_verify.log_commands import audit, consistency, follow, fsck, mirror, org
from amply_verify.log_reader import HttpGetter
from amply_verify.operator_commands import reconcile
from amply_verify.outcome import CheckFailure, Exit
from amply_verify.receipt_check import check_receipt
from amply_verify.release_commands import certificate
from amply_verify.reporting import (
    EPILOG,
    fail_line,
    json_option,
    key_option,
    policy_option,
    report,
    with_examples,
)
from amply_verify.shell_commands import completion, manual
from amply_verify.witness.command import DEFAULT_LISTEN, run_witness
from amply_verify.words import Proven, say_checkpoint, say_entry, say_receipt

_ENTRY_ID: Final = re.compile(r"ent_[0-9a-z]{1,64}")


@click.group(epilog=EPILOG)
@click.version_option(package_name="amply-verify")
def cli() -> None:
    """Check Amply's public ledger without trusting Amply.

    `receipt` and `certificate` need a file and a key, and no network. The other commands read a log, at its address or in a directory.
    Keys come from you (--key, or AMPLY_VERIFIER_KEY) and never from what is checked; without one nothing is verified.
    With --policy, enough independent witnesses must have cosigned, so that you are shown what others are shown.
    """


@cli.command(
    epilog=with_examples(
        "amply-verify receipt donation.tlog-proof --key log-key.txt",
        "amply-verify receipt - --json < donation.tlog-proof",
        "amply-verify receipt donation.tlog-proof --policy policy.txt",
    )
)
@click.argument("file")
@key_option
@policy_option
@json_option
def receipt(file: str, key: tuple[str, ...], policy: str | None, *, as_json: bool) -> None:
    """Check a receipt FILE (- for standard input), without any network."""
    report(file, lambda: say_receipt(check_receipt(file, trust(key, policy))), as_json=as_json)


@cli.command(
    epilog=with_examples(
        "amply-verify entry ent_5q0x7m3gk9r2v8cdt4h6wzb1ne --api https://api.amply.example "
        "--log https://log.amply.example/log --key log-key.txt"
    )
)
@click.argument("entry_id", metavar="ID")
@click.option("--api", required=True, metavar="URL", help="Where to ask for the entry's place in the log.")
@click.option(
    "--log", required=True, metavar="URL", help="The log's own address, with its checkpoint and tiles."
)
@key_option
@policy_option
@json_option
def entry(
    entry_id: str, api: str, log: str, key: tuple[str, ...], policy: str | None, *, as_json: bool
) -> None:
    """Find the entry ID in the log and check that the log's signed tree holds it."""
    if _ENTRY_ID.fullmatch(entry_id) is None:
        raise click.BadParameter("an entry's ID looks like ent_01k9z3v8x4e5t6y7m8n9p0q1r2", param_hint="ID")
    for name, address in (("--api", api), ("--log", log)):
        if not is_address(address):
            raise click.BadParameter("give an address that begins with https://", param_hint=name)

    def check() -> Proven:
        trusted = trust(key, policy)
        with HttpGetter() as getter:
            return say_entry(check_entry(entry_id, api=api, log=log, trusted=trusted, getter=getter))

    report(entry_id, check, as_json=as_json)


@cli.command(epilog=with_examples("amply-verify checkpoint https://log.amply.example/log --key log-key.txt"))
@click.argument("place", metavar="URL_OR_FILE")
@key_option
@policy_option
@json_option
def checkpoint(place: str, key: tuple[str, ...], policy: str | None, *, as_json: bool) -> None:
    """Check a checkpoint: a FILE, or the URL of a log (its tiles are then held against the signed root)."""

    def check() -> Proven:
        trusted = trust(key, policy)
        if not is_address(place):
            return say_checkpoint(check_checkpoint_file(place, trusted))
        with HttpGetter() as getter:
            return say_checkpoint(check_published_checkpoint(place, trusted, getter))

    report(place, check, as_json=as_json)


for _command in (certificate, consistency, follow, audit, org, fsck, mirror, reconcile, completion, manual):
    cli.add_command(_command)


@cli.command(
    epilog=with_examples(
        "amply-verify witness --name witness.ngo.example/amply --directory /var/lib/amply-witness --log-key log-key.txt"
    )
)
@click.option(
    "--name", required=True, metavar="NAME", help="The witness's name, such as ngo.example/witness."
)
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("amply-witness"),
    show_default=True,
    help="Where its key and its memory are; made at the first start.",
)
@click.option(
    "--log-key",
    multiple=True,
    metavar="KEY_OR_FILE",
    help="Verifier key of a log to watch, or a file with one a line; may be repeated. Default: AMPLY_VERIFIER_KEY.",
)
@click.option(
    "--listen",
    default=DEFAULT_LISTEN,
    show_default=True,
    metavar="HOST:PORT",
    help="Where to take checkpoints.",
)
@click.option(
    "--print-key", is_flag=True, help="Make the key if there is none, print its verifier key, and end."
)
def witness(*, name: str, directory: Path, log_key: tuple[str, ...], listen: str, print_key: bool) -> None:
    """Run a witness: cosign a log's checkpoints while each extends the one before (c2sp.org/tlog-witness)."""
    try:
        run_witness(name=name, directory=directory, log_keys=log_key, listen=listen, print_key=print_key)
    except CheckFailure as failure:
        fail_line("witness", str(failure))
        sys.exit(failure.exit_code)


def main() -> NoReturn:
    """Run the command line; whatever goes wrong, a check that was not finished never exits with 0."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name the terminal cannot show is not a failure
    try:
        cli(prog_name="amply-verify")
    except Exception as error:  # noqa: BLE001 -- the last door: a defect must not look like a verdict
        fail_line("amply-verify", f"it has a defect ({error!r}); please report it, nothing was verified.")
    sys.exit(Exit.INTERNAL)
