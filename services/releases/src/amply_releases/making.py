"""One dataset's turn: what waits becomes a batch and a release, or is refused; and whoever has withdrawn is released no more.

Nothing here is undone or repeated by hand: a turn that was killed anywhere is followed by one that finds what was decided in the
release ledger, and goes on.
"""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from amply_lake import Order, ReleaseLedger, SourceError, Violation, release
from amply_lake.history import History
from amply_lake.releasing import CERTIFICATE
from amply_lake.sources import identify
from amply_releases.arrivals import DONATIONS
from amply_releases.columns import schema_of
from amply_releases.consent_filter import LeftOut, left_out
from amply_releases.datasets import (
    EVERYBODY,
    FileState,
    Source,
    Standing,
    built_in,
    is_due,
    withdrawals_are_due,
)
from amply_releases.decision_time import first_decided_at
from amply_releases.expiry import end_old
from amply_releases.failures import Failures
from amply_releases.buyer_releases import MADE, behind, hand_over
from amply_releases.lines import REFUSED, VIOLATED, say
from amply_releases.ports import NotCopiedError, Parts, UnreadableSourceError
from amply_releases.publishing import (
    cleared,
    end_earlier,
    first_without_withdrawn,
    publish,
)
from amply_releases.file_selection import INCOMING, Fetched, fetch, sift


def turn(
    parts: Parts, dataset_id: str, buyers: Sequence[str] = (), *, now: datetime, is_unfinished: bool = False
) -> None:
    """Do what is due for a dataset; `buyers` are those who may read it now. `is_unfinished`: its last turn failed, or was another
    process's, so that something may be decided and not shown.

    Raises:
        LakeError: Somebody else released meanwhile, or the ledger is damaged.
    """
    source = _source(parts, dataset_id, now=now)
    if source is None:
        end_old(parts, dataset_id, parts.datasets.standing(dataset_id, now=now), now=now)
        return
    standing = parts.datasets.begin(source, schema_of(source.policy.released), now=now)
    failures = Failures()
    with failures.collected():
        _make_what_is_due(parts, source, standing, buyers, now=now, is_unfinished=is_unfinished)
    with failures.collected():
        end_old(parts, dataset_id, standing, now=now)
    failures.raise_worst()


def _source(parts: Parts, dataset_id: str, *, now: datetime) -> Source | None:
    """Where it comes from; what is built in is closed while that cannot be read, so that withdrawals are honoured meanwhile."""
    try:
        return parts.datasets.source(dataset_id)
    except UnreadableSourceError as error:
        if parts.datasets.refuse(dataset_id, str(error), now=now):
            say(REFUSED, dataset=dataset_id)
        return built_in(dataset_id, asked_for=None, is_open=False) if dataset_id == DONATIONS else None


def _make_what_is_due(
    parts: Parts,
    source: Source,
    standing: Standing,
    buyers: Sequence[str],
    *,
    now: datetime,
    is_unfinished: bool,
) -> None:
    """A release, or one without whoever has withdrawn; then each buyer's. Whatever stops what is new stops no withdrawal and no buyer."""
    failures = Failures()
    begun_at = standing.latest
    withdrawals = withdrawals_are_due(source, standing, now=now) or (
        # Whoever has withdrawn since it was last looked is in no release made now, for no buyer.
        source.of_donors and any(True for _ in behind(parts, standing, source.dataset_id, buyers, now=now))
    )
    if is_due(source, standing, now=now):
        with failures.collected():
            _Turn(parts, source, standing, now).release()
        is_left = withdrawals and bool(failures)
        # It may have published before it failed.
        standing = _again(parts, source, now=now)
    else:
        is_left = withdrawals or is_unfinished
    with failures.collected():
        if is_left:
            _Turn(parts, source, standing, now).honour_withdrawals()
            standing = _again(parts, source, now=now)
        # No buyer is given anything before whoever has withdrawn is withheld.
        failures.has_shown = standing.latest > begun_at
        hand_over(parts, source, standing, buyers, now=now)
    failures.raise_worst()


def _again(parts: Parts, source: Source, *, now: datetime) -> Standing:
    """How far it has come by now."""
    return parts.datasets.begin(source, schema_of(source.policy.released), now=now)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of an order. `is_empty`: nothing was there to release. `reason`: why nothing was released, where there is one."""

    is_released: bool
    reason: str | None = None
    is_empty: bool = False


_NOTHING: Final = _Outcome(is_released=False, is_empty=True)
_NOBODY_KNOWN: Final = (
    "the table of consents knows nobody in the files that wait, though each is told there before their facts leave; "
    "have it told all consents again (docs/runbooks/data-releases.md), and the files are released then"
)


class _Turn:
    """What the steps of a turn share."""

    def __init__(self, parts: Parts, source: Source, standing: Standing, now: datetime) -> None:
        self._parts, self._source, self._standing, self._now = parts, source, standing, now
        self._ledger: ReleaseLedger = parts.ledgers.of(source.dataset_id)
        self._history = History.read(self._ledger, source.dataset_id)
        self._has_published = False

    def release(self) -> None:
        """Try a release of what waits; without anything new, of what there is."""
        try:
            with self._ending_what_is_withdrawn():
                self._release()
        finally:
            # Raw facts stay here no longer than it takes.
            shutil.rmtree(self._parts.scratch / INCOMING, ignore_errors=True)

    def _release(self) -> None:
        if self._is_decided():
            self._go_on()
            return
        parts, name, most = self._parts, self._source.dataset_id, self._parts.limits.files
        waiting = parts.datasets.waiting(name, most=most + 1)
        fetched = list(fetch(parts, waiting[:most], now=self._now))
        if self._untold(self._batched(fetched)) is not None:
            self._go_on(fetched)
            return
        fit = sift(parts, self._source.policy, fetched, now=self._now)
        files = [one.path for one in fit]
        people = self._left_out(files)
        outcome = self._of_files(files, people)
        refused = None if outcome.is_empty else outcome.reason
        if outcome.is_released or outcome.is_empty:
            for one in fit:
                parts.datasets.decide(one.file, FileState.RELEASED, now=self._now)
        elif refused is not None and len(waiting) > most:
            refused += (
                f"; only the first {most} files that wait were looked at, so hand in fewer and larger ones"
            )
        if not outcome.is_released:
            # What was refused took no withdrawal along, and must not hold one up.
            refused = self._make([], people).reason or refused
        self._end_earlier()
        self._looked_at_withdrawals()
        parts.datasets.tried(name, refused=refused, now=self._now)

    def _go_on(self, fetched: Sequence[Fetched] | None = None) -> None:
        """Show what was decided, with nothing new: what came in meanwhile waits for its own day."""
        parts, name = self._parts, self._source.dataset_id
        reason = self._make([], self._left_out([])).reason
        self._end_earlier()
        self._looked_at_withdrawals()
        if fetched is None:
            waiting = parts.datasets.waiting(name, most=parts.limits.files)
            fetched = list(fetch(parts, waiting, now=self._now))
        batched = self._batched(fetched)
        for one, _ in batched:
            parts.datasets.decide(one.file, FileState.RELEASED, now=self._now)
        tried_at = self._untold(batched)
        if tried_at is not None:
            parts.datasets.tried(name, refused=reason, now=tried_at)

    def _batched(self, fetched: Sequence[Fetched]) -> list[tuple[Fetched, str]]:
        """Files that a batch was made of, each with its hash, whatever the policy says of them today."""
        if not self._history.batches:
            return []
        named = [(one, identify([one.path], self._parts.limits)[0].sha256) for one in fetched]
        return [(one, sha256) for one, sha256 in named if sha256 in self._history.sources]

    def _untold(self, batched: Sequence[tuple[Fetched, str]]) -> datetime | None:
        """When the release of these was decided, if nobody has noted yet that it was tried: whoever asked for one after that has
        asked for another one.
        """
        hashes = {sha256 for _, sha256 in batched}
        at = first_decided_at(self._ledger.records(), hashes, self._parts.signer) if hashes else None
        tried_at, asked = self._standing.tried_at, self._source.asked_for
        if at is None or (tried_at is not None and at <= tried_at):
            return None
        # Certificates have whole seconds; whoever asked within that one has it.
        return asked if asked is not None and asked.replace(microsecond=0) == at else at

    def honour_withdrawals(self) -> None:
        """Make a release without whoever has withdrawn; none, where that changes nothing, and all that was decided is shown."""
        with self._ending_what_is_withdrawn():
            people = self._left_out([])
            is_news = bool(people.withdrawn) or self._has_ended() or self._is_decided() or self._is_ahead()
            reason = self._make([], people).reason if is_news else None
            self._end_earlier()
        if reason is not None:
            self._parts.datasets.refuse(self._source.dataset_id, reason, now=self._now)
        self._looked_at_withdrawals()

    @contextmanager
    def _ending_what_is_withdrawn(self) -> Iterator[None]:
        """Where no release can take the place of what people in it have withdrawn from, that is served no more all the same."""
        try:
            yield
        except Exception:
            self._end_earlier()
            raise

    def _has_ended(self) -> bool:
        """Whether cells of all that was shown are withheld: whoever withheld them may have died before anything took its place."""
        return first_without_withdrawn(self._ledger.records()) > self._standing.latest

    def _is_decided(self) -> bool:
        """Whether a release waits to be shown: its number is in the ledger, and nothing of it was withheld or ended since."""
        newest = self._history.newest_to(EVERYBODY)
        first = max(first_without_withdrawn(self._ledger.records()), self._standing.kept_from)
        return newest is not None and newest.number >= max(first, self._standing.latest + 1)

    def _is_ahead(self) -> bool:
        """Whether the ledger has what no release has, as where somebody died after a batch: no buyer is given anything until one has."""
        newest = self._history.newest_to(EVERYBODY)
        return newest is not None and newest.state != self._history.state()

    def _end_earlier(self) -> None:
        if not self._has_published:
            end_earlier(self._parts, self._standing, self._ledger, self._source.dataset_id, now=self._now)

    def _left_out(self, files: Sequence[Path]) -> LeftOut:
        return left_out(
            self._parts,
            self._source,
            self._standing,
            files,
            has_batches=bool(self._history.batches),
            today=self._now.date(),
        )

    def _looked_at_withdrawals(self) -> None:
        if self._source.of_donors:
            name = self._source.dataset_id
            self._parts.datasets.withdrawals_looked_at(name, until=self._now.date(), now=self._now)

    def _of_files(self, files: Sequence[Path], people: LeftOut) -> _Outcome:
        """A batch of what waits, and its release. Where the table knows nobody of it, as one that was made anew does, it goes on waiting."""
        if files and not people.is_anybody:
            say(REFUSED, dataset=self._source.dataset_id)
            return _Outcome(is_released=False, reason=_NOBODY_KNOWN)
        return self._make(files, people) if files else _NOTHING

    def _make(self, files: Sequence[Path], people: LeftOut) -> _Outcome:
        """Release and publish. Without files and without batches there is nothing to do."""
        parts, source = self._parts, self._source
        if not files and not self._history.batches:
            return _NOTHING
        order = Order(
            dataset=source.dataset_id,
            buyer=EVERYBODY,
            policy=source.policy,
            into=parts.scratch / MADE,
            withdrawn=people.withdrawn,
            absent=people.absent,
        )
        if not files and not people.withdrawn:
            self._stop_unless_copied()
        self._remember(order)
        try:
            done = release(
                files,
                order,
                keys=parts.keys,
                ledger=self._ledger,
                signer=parts.signer,
                clock=lambda: self._now,
                limits=parts.limits,
            )
        except SourceError as error:
            say(REFUSED, dataset=source.dataset_id)
            return _Outcome(is_released=False, reason=str(error))
        if isinstance(done, Violation):
            return self._violated(done)
        with cleared(done):
            publish(parts, source, self._standing, done, self._ledger, now=self._now)
        self._has_published = True
        return _Outcome(is_released=True)

    def _stop_unless_copied(self) -> None:
        """Make nothing again of what was decided before, and cannot be shown yet; whoever has withdrawn is withheld before that."""
        name = self._source.dataset_id
        if self._is_decided() and not self._parts.ledgers.is_copied(name):
            raise NotCopiedError(name)

    def _violated(self, violation: Violation) -> _Outcome:
        """Nothing is released; that is told of only where there was something to release."""
        if not violation.is_empty:
            policy = self._source.policy.id
            say(
                VIOLATED,
                dataset=self._source.dataset_id,
                violations=violation.violations,
                policy=policy,
            )
        return _Outcome(is_released=False, reason=violation.reason, is_empty=violation.is_empty)

    def _remember(self, order: Order) -> None:
        """Have the certificate of the newest published release at hand, so that its files are not made again."""
        released = self._history.newest_to(EVERYBODY)
        if released is not None and released.number <= self._standing.latest:
            folder = order.home / released.folder
            folder.mkdir(parents=True, exist_ok=True)
            (folder / CERTIFICATE).write_text(released.certificate, encoding="utf-8")
