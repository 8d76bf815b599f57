"""How a command ends: its result in words or as JSON, and its exit code. Also the options that commands share."""

import json
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final, NoReturn

import click
from rich.console import Console
from rich.text import Text

from amply_verify.outcome import CheckFailure, Exit, from_format_error
from amply_verify.words import Proven, printable
from ledger_format.errors import FormatError

_LABEL_WIDTH: Final = 20

EPILOG: Final = """\b
Exit codes: 0 verified, 2 wrong usage.
Checked and refused:
  10 malformed  11 signature  12 proof  13 opening  14 another entry or log
  15 quorum: too few of the witnesses that the policy demands
  16 fork: two signed checkpoints, or certificates, contradict each other
  17 entries, or released rows, break a rule  18 database and log differ
  19 breach: more was taken back than was given, nothing else is wrong
Could not be checked:
  20 no trusted key  21 unreadable file  22 unreachable server
  23 not there (yet)  24 newer format version  25 older than seen before
  26 only a part was read, and nothing wrong is in it
  70 defect in amply-verify
"""

key_option = click.option(
    "--key",
    "key",
    multiple=True,
    metavar="KEY_OR_FILE",
    help="Verifier key you trust, or a file with one a line; may be repeated. Default: AMPLY_VERIFIER_KEY.",
)
policy_option = click.option(
    "--policy",
    "policy",
    metavar="FILE",
    help="Policy of logs and witnesses (c2sp.org/tlog-policy) to demand. Default: the file AMPLY_POLICY.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of words.")


def with_examples(*examples: str) -> str:
    """The end of a command's help: examples, then the exit codes."""
    lines = "\n".join(f"  {example}" for example in examples)
    return f"\b\nExamples:\n{lines}\n\n{EPILOG}"


def report(subject: str, check: Callable[[], Proven], *, as_json: bool) -> NoReturn:
    """Run a check, say what came of it, and exit."""
    try:
        proven = check()
    except (FormatError, CheckFailure) as error:
        failure = plain_failure(error)
        say_failure(subject, failure, as_json=as_json)
        sys.exit(failure.exit_code)
    say_proven(subject, proven, as_json=as_json)
    sys.exit(proven.exit_code)


def plain_failure(error: FormatError | CheckFailure) -> CheckFailure:
    """The failure a person reads."""
    return error if isinstance(error, CheckFailure) else from_format_error(error)


def say_proven(subject: str, proven: Proven, *, as_json: bool) -> None:
    """Print what was proven on standard output, what of it could not be checked, and what of it is wrong."""
    if as_json:
        print_json({**_verdict(proven), "subject": subject, **proven.document})
        return
    console = Console(highlight=False, emoji=False, markup=False, soft_wrap=True)
    word, style = _WORDS[proven.exit_code]
    console.print(Text(word, style=style) + Text(f": {printable(subject)}"))
    for label, text in (*proven.lines, *(("not checked", text) for text in proven.not_checked)):
        console.print(Text(f"  {label:{_LABEL_WIDTH}}", style="dim") + Text(printable(text)))
    console.print(Text(f"  {proven.limits}", style="dim"))
    if proven.refused is not None:
        fail_line(subject, str(proven.refused))


_WORDS: Final[Mapping[Exit, tuple[str, str]]] = {
    Exit.VERIFIED: ("OK", "bold green"),
    Exit.PARTLY: ("PARTLY", "bold yellow"),
    Exit.BREACH: ("BREACH", "bold red"),
}


def _verdict(proven: Proven) -> Mapping[str, Any]:
    """The beginning of a document: how the check ended, and what it left open."""
    left = {"not_checked": list(proven.not_checked)} if proven.not_checked else {}
    if proven.refused is not None:
        return {**_refusal(proven.refused), **left}
    if not left:
        return {"verdict": "verified", "exit_code": Exit.VERIFIED}
    return {
        "verdict": "not_checked",
        "exit_code": Exit.PARTLY,
        "error": Exit.PARTLY.name.lower(),
        "message": "; ".join(proven.not_checked),
        "next": "check the whole log to have all of it checked",
        **left,
    }


def _refusal(failure: CheckFailure) -> Mapping[str, Any]:
    return {
        "verdict": failure.verdict,
        "exit_code": failure.exit_code,
        "error": failure.exit_code.name.lower(),
        "message": failure.reason,
        "next": failure.advice,
    }


def say_failure(subject: str, failure: CheckFailure, *, as_json: bool) -> None:
    """Print why nothing was proven: a sentence on standard error, or JSON on standard output."""
    if as_json:
        print_json({**_refusal(failure), "subject": subject})
    else:
        not_checked = "could not be checked: " if failure.verdict == "not_checked" else ""
        fail_line(subject, f"{not_checked}{failure}")


def fail_line(subject: str, sentence: str) -> None:
    """Print one line on standard error."""
    console = Console(stderr=True, highlight=False, emoji=False, markup=False, soft_wrap=True)
    console.print(Text("FAIL", style="bold red") + Text(f": {printable(subject)}: {printable(sentence)}"))


def print_json(document: Mapping[str, Any]) -> None:
    """Print one object on one line of standard output."""
    click.echo(json.dumps(document, ensure_ascii=True))
    with suppress(ValueError):
        sys.stdout.flush()  # who reads a pipe line by line should not wait for the next one
