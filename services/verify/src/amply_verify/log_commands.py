"""The commands that read a log: `consistency`, `follow`, `audit`, `org`, `fsck`, `mirror`."""

import re
import signal
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NoReturn

import click

from amply_verify.auditing.damage import broken_rule
from amply_verify.auditing.run import Audit, run_audit
from amply_verify.checkpoint_check import is_address
from amply_verify.consistency_check import check_consistency
from amply_verify.following import follow_once
from amply_verify.keys import trust
from amply_verify.log_words import (
    gaps_in_words,
    say_audit,
    say_consistent,
    say_copy,
    say_followed,
    say_mirror,
    say_organization,
)
from amply_verify.mirroring import check_copy, make_copy
from amply_verify.outcome import CheckFailure, Exit
from amply_verify.reporting import (
    json_option,
    key_option,
    plain_failure,
    policy_option,
    report,
    say_failure,
    say_proven,
    with_examples,
)
from amply_verify.terminal import progress_bar
from amply_verify.words import Proven
from ledger_format.errors import FormatError

Look = Callable[[], Proven]
MAX_JOBS: Final = 256
MAX_INTERVAL_SECONDS: Final = 86_400.0
_OWNER: Final = re.compile(r"platform|[a-z]{2,16}_[0-9a-z]{1,64}")

_jobs_option = click.option(
    "--jobs",
    type=click.IntRange(1, MAX_JOBS),
    metavar="N",
    help="Processes to work with. Default: one for each core.",
)


@click.command(
    epilog=with_examples(
        "amply-verify consistency yesterday.txt https://log.amply.example/log --key log-key.txt",
        "amply-verify consistency mine.txt yours.txt --log https://log.amply.example/log --key log-key.txt",
    )
)
@click.argument("old")
@click.argument("new", required=False)
@click.option("--log", metavar="URL_OR_DIR", help="Where the log's tiles are, when OLD and NEW are files.")
@key_option
@policy_option
@json_option
def consistency(
    old: str, new: str | None, log: str | None, key: tuple[str, ...], policy: str | None, *, as_json: bool
) -> None:
    """Check that the newer of two checkpoints extends the older.

    OLD and NEW are each a checkpoint's file, or a log (its URL or a directory), whose newest checkpoint is taken. Without
    NEW it is that of --log. Two signed checkpoints that contradict each other (exit code 16) prove that the log has lied.
    """
    if new is None and log is None:
        raise click.UsageError("give a second checkpoint, or the log with --log")
    subject = old if new is None else f"{old} and {new}"
    report(
        subject, lambda: say_consistent(check_consistency(old, new, log, trust(key, policy))), as_json=as_json
    )


@click.command(
    epilog=with_examples(
        "amply-verify follow https://log.amply.example/log --state seen.json --key log-key.txt --once",
        "*/10 * * * *  amply-verify follow https://log.amply.example/log --state /var/lib/amply/seen.json --once    (cron)",
    )
)
@click.argument("place", metavar="URL_OR_DIR")
@click.option(
    "--state",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Remembers the newest checkpoint seen; made at the first look, and replaced at once or not at all.",
)
@click.option("--once", is_flag=True, help="Look once and end, as cron wants it.")
@click.option(
    "--interval",
    type=click.FloatRange(1.0, MAX_INTERVAL_SECONDS),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait between looks.",
)
@key_option
@policy_option
@json_option
def follow(
    place: str,
    state: Path,
    key: tuple[str, ...],
    policy: str | None,
    *,
    once: bool,
    interval: float,
    as_json: bool,
) -> None:
    """Keep an eye on a log: each checkpoint must extend the one seen before.

    When two contradict each other it ends with exit code 16, keeps both in FILE.fork, and refuses to go on until that
    file is moved away. The first look has nothing to compare with. Other failures are told, and the next look tries
    again; with --once they decide the exit code.
    """

    def look() -> Proven:
        return say_followed(follow_once(place, trust(key, policy), state, now=datetime.now(UTC)))

    if once:
        report(place, look, as_json=as_json)
    _keep_looking(place, look, interval, as_json=as_json)


@click.command(
    epilog=with_examples(
        "amply-verify audit https://log.amply.example/log --key log-key.txt",
        "amply-verify audit ./mirror --from 1000000 --org org_01k9z3v8x4e5t6y7m8n9p0q1r2 --json",
    )
)
@click.argument("place", metavar="URL_OR_DIR")
@click.option(
    "--from",
    "from_index",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help=(
        "First entry to read (rounded down to a bundle of 256); those before are known by their hashes alone, so that "
        "the best it can end with is exit code 26."
    ),
)
@click.option(
    "--org", "organization", metavar="OWNER", help="Also tell the balances of this owner's accounts."
)
@_jobs_option
@key_option
@policy_option
@json_option
def audit(
    place: str,
    from_index: int,
    organization: str | None,
    jobs: int | None,
    key: tuple[str, ...],
    policy: str | None,
    *,
    as_json: bool,
) -> None:
    """Check every byte of a log.

    All entries and tiles of every level against the signed root; each entry's form; and the books: organisations' chains
    without a gap, no id twice, references to earlier entries only, pending transfers resolved once and by no more than
    was reserved, nothing taken back beyond what was given, and the trial balance of every currency.

    Memory stays the same however long the log is. What must be compared across it goes to temporary files, about 300 bytes
    an entry, in TMPDIR.

    For long logs: mirror, then audit the copy. A server that fails is asked for half a minute, or as long as it says, and
    then the audit ends with exit code 22 and begins anew next time; a copy goes on where it was.
    """
    _check_owner(organization, "--org")

    def check() -> Proven:
        wanted = Audit(
            place=place,
            trusted=trust(key, policy),
            from_index=from_index,
            balances_of=organization,
            jobs=jobs,
        )
        with progress_bar() as progress:
            return say_audit(run_audit(wanted, progress))

    report(place, check, as_json=as_json)


@click.command(
    epilog=with_examples(
        "amply-verify org https://log.amply.example/log org_01k9z3v8x4e5t6y7m8n9p0q1r2 --key log-key.txt"
    )
)
@click.argument("place", metavar="URL_OR_DIR")
@click.argument("organization", metavar="ORG")
@_jobs_option
@key_option
@policy_option
@json_option
def org(
    place: str,
    organization: str,
    jobs: int | None,
    key: tuple[str, ...],
    policy: str | None,
    *,
    as_json: bool,
) -> None:
    """Follow an organisation's own entries through the log: their numbers, their hashes, every gap, their balances.

    The whole log is read and held against the signed root, so that no entry can be left out.
    """
    _check_owner(organization, "ORG")

    def check() -> Proven:
        wanted = Audit(place=place, trusted=trust(key, policy), organization=organization, jobs=jobs)
        with progress_bar() as progress:
            found = run_audit(wanted, progress)
        chain = found.chain
        if chain is None or not chain.entries:
            raise CheckFailure(
                Exit.NOT_THERE,
                f"no entry of {organization} is among the {found.entries} of the log",
                "check the id, or try again in a minute",
            )
        if chain.gap_count:
            raise broken_rule(
                f"the chain of {organization} has {chain.gap_count} gaps: {gaps_in_words(chain)}"
            )
        return say_organization(organization, found, chain)

    report(place, check, as_json=as_json)


@click.command(epilog=with_examples("amply-verify fsck ./mirror --key log-key.txt"))
@click.argument("directory", metavar="DIR")
@_jobs_option
@key_option
@policy_option
@json_option
def fsck(
    directory: str, jobs: int | None, key: tuple[str, ...], policy: str | None, *, as_json: bool
) -> None:
    """Check a copy of a log in a directory: every file is there and right, against the checkpoint in it.

    Partial files of smaller trees must begin what has grown from them; files that are no part of the log are named.
    """
    if is_address(directory):
        raise click.BadParameter(
            "give a directory; a log at an address is what audit checks", param_hint="DIR"
        )

    def check() -> Proven:
        trusted = trust(key, policy)
        with progress_bar() as progress:
            return say_copy(check_copy(directory, trusted, jobs=jobs, progress=progress))

    report(directory, check, as_json=as_json)


@click.command(
    epilog=with_examples("amply-verify mirror https://log.amply.example/log ./mirror --key log-key.txt")
)
@click.argument("address", metavar="URL")
@click.argument("directory", metavar="DIR")
@_jobs_option
@key_option
@policy_option
@json_option
def mirror(
    address: str, directory: str, jobs: int | None, key: tuple[str, ...], policy: str | None, *, as_json: bool
) -> None:
    """Copy a log into a directory, or bring a copy up to date, checking every hash.

    What is there already is not fetched again, so an interrupted copy goes on where it was. The checkpoint is written
    last, and only when everything gives its root.
    """
    if not is_address(address):
        raise click.BadParameter("give an address that begins with https://", param_hint="URL")

    def check() -> Proven:
        trusted = trust(key, policy)
        with progress_bar() as progress:
            return say_mirror(directory, make_copy(address, directory, trusted, jobs=jobs, progress=progress))

    report(address, check, as_json=as_json)


def _check_owner(owner: str | None, hint: str) -> None:
    if owner is not None and _OWNER.fullmatch(owner) is None:
        raise click.BadParameter(
            "an owner looks like org_01k9z3v8x4e5t6y7m8n9p0q1r2, or is platform", param_hint=hint
        )


def _keep_looking(place: str, look: Look, interval: float, *, as_json: bool) -> NoReturn:
    """Look until a fork is found or the process is asked to end; the exit code is then the last look's."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    while True:
        code = _look_and_tell(place, look, as_json=as_json)
        if code in {Exit.FORK, Exit.NO_KEY} or stop.wait(interval):
            sys.exit(code)


def _look_and_tell(place: str, look: Look, *, as_json: bool) -> Exit:
    try:
        proven = look()
    except (FormatError, CheckFailure) as error:
        failure = plain_failure(error)
        say_failure(place, failure, as_json=as_json)
        return failure.exit_code
    if proven.document["step"] != "unchanged":
        say_proven(place, proven, as_json=as_json)
    return Exit.VERIFIED
