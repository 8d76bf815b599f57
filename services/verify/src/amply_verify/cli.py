"""The command line. Results go to standard output, failures to standard error; see `outcome` for the exit codes."""

import io
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NoReturn

import click
from rich.console import Console
from rich.text import Text

from amply_verify.checkpoint_check import check_checkpoint_file, check_published_checkpoint, is_address
from amply_verify.entry_check import check_entry
from amply_verify.keys import trust
from amply_verify.log_reader import HttpGetter
from amply_verify.outcome import CheckFailure, Exit, from_format_error
from amply_verify.receipt_check import check_receipt
from amply_verify.witness.command import DEFAULT_LISTEN, run_witness
from amply_verify.words import Proven, printable, say_checkpoint, say_entry, say_receipt
from ledger_format.errors import FormatError

_LABEL_WIDTH: Final = 20
_ENTRY_ID: Final = re.compile(r"ent_[0-9a-z]{1,64}")

_EPILOG: Final = """\b
Exit codes: 0 verified, 2 wrong usage.
Checked and refused:
  10 malformed  11 signature  12 proof  13 opening  14 another entry or log
  15 too few of the witnesses that the policy demands
Could not be checked:
  20 no trusted key  21 unreadable file  22 unreachable server
  23 not there (yet)  24 newer format version  70 defect in amply-verify
"""

_key_option = click.option(
    "--key",
    "key",
    multiple=True,
    metavar="KEY_OR_FILE",
    help="Verifier key you trust, or a file with one a line; may be repeated. Default: AMPLY_VERIFIER_KEY.",
)
_policy_option = click.option(
    "--policy",
    "policy",
    metavar="FILE",
    help="Policy of logs and witnesses (c2sp.org/tlog-policy) to demand. Default: the file AMPLY_POLICY.",
)
_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of words.")


@click.group(epilog=_EPILOG)
@click.version_option(package_name="amply-verify")
def cli() -> None:
    """Check Amply's receipts, entries and checkpoints without trusting Amply."""


@cli.command(epilog=_EPILOG)
@click.argument("file")
@_key_option
@_policy_option
@_json_option
def receipt(file: str, key: tuple[str, ...], policy: str | None, *, as_json: bool) -> None:
    """Check a receipt FILE (- for standard input), without any network."""
    _report(file, lambda: say_receipt(check_receipt(file, trust(key, policy))), as_json=as_json)


@cli.command(epilog=_EPILOG)
@click.argument("entry_id", metavar="ID")
@click.option("--api", required=True, metavar="URL", help="Where to ask for the entry's place in the log.")
@click.option(
    "--log", required=True, metavar="URL", help="The log's own address, with its checkpoint and tiles."
)
@_key_option
@_policy_option
@_json_option
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

    _report(entry_id, check, as_json=as_json)


@cli.command(epilog=_EPILOG)
@click.argument("place", metavar="URL_OR_FILE")
@_key_option
@_policy_option
@_json_option
def checkpoint(place: str, key: tuple[str, ...], policy: str | None, *, as_json: bool) -> None:
    """Check a checkpoint: a FILE, or the URL of a log (its tiles are then held against the signed root)."""

    def check() -> Proven:
        trusted = trust(key, policy)
        if not is_address(place):
            return say_checkpoint(check_checkpoint_file(place, trusted))
        with HttpGetter() as getter:
            return say_checkpoint(check_published_checkpoint(place, trusted, getter))

    _report(place, check, as_json=as_json)


@cli.command()
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
        _fail_line("witness", str(failure))
        sys.exit(failure.exit_code)


def main() -> NoReturn:
    """Run the command line; whatever goes wrong, a check that was not finished never exits with 0."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name the terminal cannot show is not a failure
    try:
        cli(prog_name="amply-verify")
    except Exception as error:  # noqa: BLE001 -- the last door: a defect must not look like a verdict
        _fail_line("amply-verify", f"it has a defect ({error!r}); please report it, nothing was verified.")
    sys.exit(Exit.INTERNAL)


def _report(subject: str, check: Callable[[], Proven], *, as_json: bool) -> NoReturn:
    try:
        proven = check()
    except FormatError as error:
        _refuse(subject, from_format_error(error), as_json=as_json)
    except CheckFailure as failure:
        _refuse(subject, failure, as_json=as_json)
    if as_json:
        _print_json(
            {"verdict": "verified", "exit_code": Exit.VERIFIED, "subject": subject, **proven.document}
        )
    else:
        _print_proven(subject, proven)
    sys.exit(Exit.VERIFIED)


def _refuse(subject: str, failure: CheckFailure, *, as_json: bool) -> NoReturn:
    if as_json:
        _print_json(
            {
                "verdict": failure.verdict,
                "exit_code": failure.exit_code,
                "subject": subject,
                "error": failure.exit_code.name.lower(),
                "message": failure.reason,
                "next": failure.advice,
            }
        )
    else:
        not_checked = "could not be checked: " if failure.verdict == "not_checked" else ""
        _fail_line(subject, f"{not_checked}{failure}")
    sys.exit(failure.exit_code)


def _print_proven(subject: str, proven: Proven) -> None:
    console = Console(highlight=False, emoji=False, markup=False, soft_wrap=True)
    console.print(Text("OK", style="bold green") + Text(f": {printable(subject)}"))
    for label, text in proven.lines:
        console.print(Text(f"  {label:{_LABEL_WIDTH}}", style="dim") + Text(printable(text)))
    console.print(Text(f"  {proven.limits}", style="dim"))


def _fail_line(subject: str, sentence: str) -> None:
    console = Console(stderr=True, highlight=False, emoji=False, markup=False, soft_wrap=True)
    console.print(Text("FAIL", style="bold red") + Text(f": {printable(subject)}: {printable(sentence)}"))


def _print_json(document: dict[str, Any]) -> None:
    click.echo(json.dumps(document, ensure_ascii=True))
