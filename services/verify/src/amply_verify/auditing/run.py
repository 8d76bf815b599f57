"""The course of an audit: parts hashed and replayed over all cores, the tree above them, then what needs the whole."""

import dataclasses
import gc
import itertools
import multiprocessing
import os
import sqlite3
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, Protocol, TypeVar

from amply_verify.auditing.cross_checks import CrossChecked
from amply_verify.auditing.levels import UpperLevels
from amply_verify.auditing.organization import PieceOfOrganization
from amply_verify.auditing.plan import Part, parts_of
from amply_verify.auditing.records import share_count
from amply_verify.auditing.report import AuditReport, Books
from amply_verify.auditing.reversals import check_reversals
from amply_verify.auditing.work import PartChecked, Task, Worker
from amply_verify.keys import Trust
from amply_verify.log_source import LogSource, open_log
from amply_verify.outcome import CheckFailure, Exit
from ledger_format.checkpoints import SignedCheckpoint, open_checkpoint
from ledger_format.tiles import TILE_WIDTH

SMALL_LOG: Final = 16_384
"""A log of fewer entries is checked in this process: starting others would take longer."""

_T = TypeVar("_T")
_R = TypeVar("_R")


class Progress(Protocol):
    """Is told how far the work is."""

    def begin(self, what: str, total: int) -> None:
        """Something with `total` steps begins."""
        ...

    def advance(self, steps: int) -> None:
        """So many more steps are done."""
        ...


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What is wanted of an audit.

    Attributes:
        place: The log: an address or a directory.
        trusted: Keys, and the policy of witnesses that is demanded.
        from_index: First entry to read; earlier ones are taken from the tiles. Rounded down to a full bundle.
        replay: Whether entries are read and replayed, or only hashed.
        organization: Follow this organisation's chain instead of replaying.
        balances_of: Owner whose accounts are wanted one by one.
        keep_in: Directory that becomes a copy of the log.
        jobs: Processes; None takes one a core.
    """

    place: str
    trusted: Trust
    from_index: int = 0
    replay: bool = True
    organization: str | None = None
    balances_of: str | None = None
    keep_in: str | None = None
    jobs: int | None = None


def run_audit(wanted: Audit, progress: Progress) -> AuditReport:
    """Check a log.

    Raises:
        CheckFailure: It is damaged, breaks a rule, or cannot be read.
        FormatError: Its checkpoint is malformed, not signed or not cosigned by enough, or its tree does not give the signed root.
    """
    try:
        return _run(wanted, progress)
    except BrokenProcessPool as error:
        raise CheckFailure(
            Exit.INTERNAL,
            "a worker process ended before its work",
            "look whether this machine ran out of memory, and try again with fewer --jobs",
        ) from error
    except (OSError, sqlite3.OperationalError) as error:
        raise CheckFailure(
            Exit.UNREADABLE,
            f"the temporary files cannot be written or read ({error})",
            "make room where they are, or name another place in TMPDIR",
        ) from error


def _run(wanted: Audit, progress: Progress) -> AuditReport:
    with ExitStack() as closing:
        place = closing.enter_context(open_log(wanted.place, keep_in=wanted.keep_in))
        note = place.note()
        signed = open_checkpoint(note, wanted.trusted.keys, policy=wanted.trusted.policy)
        size = signed.checkpoint.size
        if wanted.from_index > size:
            raise CheckFailure(
                Exit.NOT_THERE,
                f"the log has {size} entries under its checkpoint, and entry {wanted.from_index} is not among them",
                "begin earlier, or try again later",
            )
        first_bundle = wanted.from_index // TILE_WIDTH
        entries = size - first_bundle * TILE_WIDTH
        jobs = 1 if entries < SMALL_LOG else wanted.jobs or cores()
        folder = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="amply-verify-")))
        task = _task(wanted, signed, folder=folder, entries=entries, first_bundle=first_bundle)
        hands = closing.enter_context(_hands(task, jobs))
        progress.begin("entries", entries)
        checked = _check_parts(hands, place, signed, first_bundle, jobs, progress)
        books = _cross_check(hands, task, checked, progress) if task.folder is not None else None
        return AuditReport(
            signed=signed,
            note=note,
            first_index=first_bundle * TILE_WIDTH,
            entries=checked.entries,
            bytes_read=checked.bytes_read,
            jobs=jobs,
            books=books,
            chain=checked.chain if wanted.organization else None,
        )


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclasses.dataclass(slots=True)
class _Checked:
    """What all parts came to."""

    entries: int = 0
    bytes_read: int = 0
    reserved: dict[bytes, int] = dataclasses.field(default_factory=dict)
    last_minute: bytes = b""
    chain: PieceOfOrganization = dataclasses.field(default_factory=PieceOfOrganization)

    def add(self, part: PartChecked) -> None:
        self.entries += part.entries
        self.bytes_read += part.bytes_read
        if part.replayed is not None:
            self.last_minute = part.replayed.last_minute
            for currency, amount in part.replayed.reserved.items():
                self.reserved[currency] = self.reserved.get(currency, 0) + amount
        if part.organization is not None:
            self.chain.add(part.organization)


def _task(wanted: Audit, signed: SignedCheckpoint, *, folder: Path, entries: int, first_bundle: int) -> Task:
    is_replay = wanted.replay and wanted.organization is None
    return Task(
        place=wanted.place,
        origin=signed.checkpoint.origin,
        keep_in=wanted.keep_in,
        folder=folder if is_replay else None,
        shares=share_count(entries),
        knows_the_beginning=first_bundle == 0,
        organization=wanted.organization,
        balances_of=wanted.balances_of,
    )


def _check_parts(
    hands: "_Hands",
    place: LogSource,
    signed: SignedCheckpoint,
    first_bundle: int,
    jobs: int,
    progress: Progress,
) -> _Checked:
    size = signed.checkpoint.size
    levels = UpperLevels(place, signed.checkpoint)
    levels.skip(min(first_bundle, size // TILE_WIDTH))
    checked, last_tile = _Checked(), b""
    for part in hands.check(parts_of(size, first_bundle=first_bundle, jobs=jobs)):
        levels.push(part.roots)
        last_tile = part.last_tile
        checked.add(part)
        progress.advance(part.entries)
    levels.finish(last_tile)
    return checked


def _cross_check(hands: "_Hands", task: Task, checked: _Checked, progress: Progress) -> Books:
    total = CrossChecked()
    progress.begin("shares of the books", task.shares)
    for checked_share in hands.cross_check(range(task.shares)):
        total.add(checked_share)
        progress.advance(1)
    breaches = check_reversals(task.folder or Path(), total.reversal_lines)
    for trial in total.trials.values():
        if trial.debits != trial.credits or trial.debit_balances != trial.credit_balances:
            raise AssertionError("entries balance by construction, and their sums here do not")
    reserved = {
        currency: amount - total.released.get(currency, 0) for currency, amount in checked.reserved.items()
    }
    return Books(
        organizations=total.organizations,
        links=total.links,
        resolutions=total.resolutions,
        unknown=total.unknown,
        unknown_told=tuple(said for _, said in total.unknown_told),
        open_chains=total.open_chains,
        breaches=breaches,
        trials={currency.decode(): trial for currency, trial in sorted(total.trials.items())},
        reserved={currency.decode(): amount for currency, amount in sorted(reserved.items()) if amount},
        accounts={
            (account.decode(), currency.decode()): sums
            for (account, currency), sums in sorted(total.accounts.items())
        },
        last_minute=checked.last_minute.decode(),
    )


class _Hands(Protocol):
    """Who does the work; results come in the order of what was asked."""

    def check(self, parts: Iterable[Part]) -> Iterator[PartChecked]: ...

    def cross_check(self, shares: Iterable[int]) -> Iterator[CrossChecked]: ...


@contextmanager
def _hands(task: Task, jobs: int) -> Iterator[_Hands]:
    if jobs == 1:
        with _without_cycles(), Worker(task) as worker:
            yield _OwnHands(worker)
        return
    # Fresh processes: a fork would copy locks that this process's threads may hold.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_start, initargs=(task,))
    try:
        yield _ManyHands(pool, jobs)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _without_cycles() -> Iterator[None]:
    """Leave out the search for cycles, which the work does not make, in millions of objects that it does."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@dataclasses.dataclass(frozen=True, slots=True)
class _OwnHands:
    worker: Worker

    def check(self, parts: Iterable[Part]) -> Iterator[PartChecked]:
        return map(self.worker.check, parts)

    def cross_check(self, shares: Iterable[int]) -> Iterator[CrossChecked]:
        return map(self.worker.cross_check, shares)


@dataclasses.dataclass(frozen=True, slots=True)
class _ManyHands:
    pool: ProcessPoolExecutor
    jobs: int

    def check(self, parts: Iterable[Part]) -> Iterator[PartChecked]:
        return self._in_order(_check_part, parts)

    def cross_check(self, shares: Iterable[int]) -> Iterator[CrossChecked]:
        return self._in_order(_cross_check_share, shares)

    def _in_order(self, act: Callable[[_T], _R], things: Iterable[_T]) -> Iterator[_R]:
        """Keep every worker busy, and never more results waiting than twice their number."""
        waiting: deque[Future[_R]] = deque()
        rest = iter(things)
        for thing in itertools.islice(rest, 2 * self.jobs):
            waiting.append(self.pool.submit(act, thing))
        while waiting:
            result = waiting.popleft().result()
            for thing in itertools.islice(rest, 1):
                waiting.append(self.pool.submit(act, thing))
            yield result


_task_here: Task | None = None
_worker_here: Worker | None = None


def _start(task: Task) -> None:
    global _task_here  # noqa: PLW0603 -- a worker process serves one audit and ends with it
    _task_here = task
    gc.disable()  # as in `_without_cycles`


def _check_part(part: Part) -> PartChecked:
    return _own_worker().check(part)


def _cross_check_share(share: int) -> CrossChecked:
    return _own_worker().cross_check(share)


def _own_worker() -> Worker:
    """Open the log at the first piece of work, whose failure is then this one's."""
    global _worker_here  # noqa: PLW0603 -- same
    if _worker_here is None:
        if _task_here is None:
            raise AssertionError("the pool starts every worker with its task")
        _worker_here = Worker(_task_here)
    return _worker_here


class NoProgress:
    """A `Progress` that tells nobody."""

    def begin(self, what: str, total: int) -> None:
        """Tell nobody."""

    def advance(self, steps: int) -> None:
        """Tell nobody."""
