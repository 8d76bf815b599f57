"""Following a log: remember the newest checkpoint seen, and notice when another one contradicts it.

The memory is one file, replaced at once or not at all. What proves a fork is kept beside it, and as long as that is
there, following refuses to go on: an alarm that goes away by itself is none.
"""

import contextlib
import dataclasses
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

from amply_verify.consistency_check import Consistent, ForkError, compare
from amply_verify.directory import store
from amply_verify.keys import Trust
from amply_verify.log_source import LogSource, open_log
from amply_verify.outcome import CheckFailure, Exit
from amply_verify.sources import read_file
from ledger_format.checkpoints import SignedCheckpoint, open_checkpoint
from ledger_format.errors import FormatError
from ledger_format.log_keys import LogKey
from ledger_format.notes import MAX_NOTE_BYTES

with contextlib.suppress(
    ImportError
):  # not on Windows, where two followers of one file are the user's to avoid
    import fcntl

_VERSION: Final = 1
_MAX_STATE_BYTES: Final = 8 * MAX_NOTE_BYTES

Step = Literal["first", "unchanged", "grown"]


@dataclasses.dataclass(frozen=True, slots=True)
class Followed:
    """One look at a log: what it was to the checkpoint seen before (the same one, for the first)."""

    step: Step
    seen: Consistent


def follow_once(place: str, trusted: Trust, state: Path, *, now: datetime) -> Followed:
    """Look at the log, compare with what was seen before, and remember the newer, cosigned or not.

    Raises:
        ForkError: The two contradict each other; both are kept in the evidence file.
        CheckFailure: STALE when the log shows an older checkpoint than before, FORK when there is evidence already,
            or something cannot be read or written.
        FormatError: The checkpoint is malformed, not signed by the log or not cosigned as the policy demands, or its
            tiles are damaged.
    """
    with _alone(state):
        _refuse_old_evidence(state)
        known = _recall(state)
        with open_log(place) as log:
            note = log.note()
            # The log's signatures alone prove a fork, so it is looked for before witnesses are demanded.
            newest = open_checkpoint(note, trusted.keys)
            seen = newest if known is None else _open_known(known, trusted.keys, state)
            step: Step = "first"
            proof_hashes = 0
            try:
                if known is not None:
                    step, proof_hashes = _compare(seen, newest, log)
            except ForkError as fork:
                _keep_evidence(state, known or "", note, now=now)
                raise _with_evidence(fork, state) from fork
        # So what the log has signed is remembered without its witnesses too: a later one that contradicts it is a fork.
        if step != "unchanged":
            _remember(state, note, now=now)
        newest = open_checkpoint(note, trusted.keys, policy=trusted.policy)
        return Followed(step, Consistent(newest if known is None else seen, newest, proof_hashes))


def evidence_of(state: Path) -> Path:
    """Where two checkpoints that contradict each other are kept."""
    return state.with_name(f"{state.name}.fork")


def _compare(seen: SignedCheckpoint, newest: SignedCheckpoint, log: LogSource) -> tuple[Step, int]:
    if newest.checkpoint.size < seen.checkpoint.size:
        _refuse_older(seen, newest, log)
    step: Step = "unchanged" if newest.checkpoint.size == seen.checkpoint.size else "grown"
    return step, compare(seen, newest, log.tile).proof_hashes


def _refuse_older(seen: SignedCheckpoint, newest: SignedCheckpoint, log: LogSource) -> None:
    stale = CheckFailure(
        Exit.STALE,
        f"the log shows a checkpoint of {newest.checkpoint.size} entries, and one of {seen.checkpoint.size} was "
        "seen before",
        "try again in a minute; if it stays so, somebody may be hiding entries: report it to the log's operator",
    )
    try:
        compare(newest, seen, log.tile)
    except ForkError:
        raise
    except (CheckFailure, FormatError) as error:
        raise stale from error
    raise stale


def _recall(state: Path) -> str | None:
    """The note that was remembered; None at the first look."""
    if not state.exists():
        return None
    damaged = CheckFailure(
        Exit.UNREADABLE,
        f"the state file {str(state)!r} is damaged",
        "restore it from a copy; without it a fork since then cannot be noticed",
    )
    try:
        kept: Any = json.loads(read_file(str(state), limit=_MAX_STATE_BYTES))
        version, note = kept["version"], kept["note"]
    except (ValueError, RecursionError, TypeError, KeyError) as error:
        raise damaged from error
    if version != _VERSION or not isinstance(note, str):
        raise damaged
    return note


def _open_known(note: str, keys: Sequence[LogKey], state: Path) -> SignedCheckpoint:
    """Open what was seen before; it was cosigned as the policy of its own time demanded."""
    try:
        return open_checkpoint(note, keys)
    except FormatError as error:
        raise CheckFailure(
            Exit.UNREADABLE,
            f"the checkpoint in {str(state)!r} cannot be opened with your keys ({error})",
            "give the key that signed it as well: after a change of keys both are needed",
        ) from error


def _remember(state: Path, note: str, *, now: datetime) -> None:
    kept = {"version": _VERSION, "seen_at": _moment(now), "note": note}
    store(state, (json.dumps(kept, indent=1, ensure_ascii=True) + "\n").encode("ascii"))


def _keep_evidence(state: Path, known: str, note: str, *, now: datetime) -> None:
    text = (
        f"Two signed checkpoints of one log that contradict each other, noticed at {_moment(now)}.\n\n"
        f"----- seen before -----\n{known}----- seen now -----\n{note}"
    )
    store(evidence_of(state), text.encode())


def _refuse_old_evidence(state: Path) -> None:
    evidence = evidence_of(state)
    if evidence.exists():
        raise CheckFailure(
            Exit.FORK,
            f"a fork of this log was noticed before, and {str(evidence)!r} proves it",
            "show that file to others who use this log; move it away once somebody has decided what to do",
        )


def _with_evidence(fork: ForkError, state: Path) -> CheckFailure:
    return CheckFailure(
        Exit.FORK,
        fork.reason,
        f"{str(evidence_of(state))!r} holds both: show it to others who use this log",
    )


@contextlib.contextmanager
def _alone(state: Path) -> Iterator[None]:
    """Let two followers of one state file take turns."""
    try:
        state.parent.mkdir(parents=True, exist_ok=True)
        with state.with_name(f"{state.name}.lock").open("ab") as file:
            if "fcntl" in globals():
                fcntl.flock(file, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise CheckFailure(
            Exit.UNREADABLE,
            f"{str(state.parent)!r} cannot be used ({error.strerror or type(error).__name__})",
            "give --state in a directory you can write to",
        ) from error


def _moment(now: datetime) -> str:
    return now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
