"""One turn of a dataset: waiting files become a batch and a release, or are refused; withdrawals are honoured.

Nothing here is undone or repeated by hand: a turn that was killed anywhere is followed by one that finds what was decided in the
release ledger, and goes on.
"""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from amply_lake import Order, ReleaseLedger, SourceError, Violation, release
from amply_lake.batching import withhold
from amply_lake.history import History
from amply_lake.releasing import CERTIFICATE
from amply_lake.sources import identify
from amply_releases.arrivals import DONATIONS
from amply_releases.buyer_releases import MADE, behind, hand_over
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
from amply_releases.file_selection import INCOMING, Fetched, fetch, sift
from amply_releases.lines import REFUSED, VIOLATED, say
from amply_releases.ports import Parts, UnreadableSourceError
from amply_releases.publishing import (
    cleared,
    end_earlier,
    first_without_withdrawn,
    place_of,
    publish,
    stop_while_copying,
)


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
        # What waits for the second region has withheld whoever has withdrawn before it waited.
        is_left = withdrawals and bool(failures) and not failures.has_waited
        # It may have published before it failed.
        standing = _standing_now(parts, source, now=now)
    else:
        is_left = withdrawals or is_unfinished
    with failures.collected():
        if is_left:
            _Turn(parts, source, standing, now).honour_withdrawals()
            standing = _standing_now(parts, source, now=now)
        # No buyer is given anything before whoever has withdrawn is withheld.
        failures.has_shown = standing.latest > begun_at
        hand_over(parts, source, standing, buyers, now=now)
    failures.raise_worst()


def _standing_now(parts: Parts, source: Source, *, now: datetime) -> Standing:
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
    """What the steps of a turn share: the dataset, its ledger as it stood when the turn began, and how far its releases had come.

    The ledger goes first: there files become a batch and the batch a release, and only then is that shown and noted. Wherever
    the process before this one ended, it left one of these states:

    | what it left | is found by | `release` | `honour_withdrawals` |
    |---|---|---|---|
    | everything decided is shown and noted | none of the below | makes a batch of what waits, and a release | makes a release if somebody withdrew |
    | a batch that no release has | `_ledger_is_ahead_of_releases` | makes the release | likewise, unless a seller closed the dataset |
    | a release that is not shown | `_is_decided_but_not_shown` | shows it; what came in since waits | shows it |
    | a release that is shown, its files still waiting | `_unnoted_decision_time` | notes files and time; what came in since waits | nothing |
    | cells withheld, and nothing without them | `_all_that_is_shown_has_ended` | makes a release without them | likewise |

    What is decided and not in the second region yet ends a turn by `NotCopiedError`, once whoever has withdrawn is withheld.
    """

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
        if self._is_decided_but_not_shown():
            self._finish_what_was_decided()
            return
        parts, name, most = self._parts, self._source.dataset_id, self._parts.limits.files
        waiting = parts.datasets.waiting(name, most=most + 1)
        fetched = list(fetch(parts, waiting[:most], now=self._now))
        if self._unnoted_decision_time(self._already_in_a_batch(fetched)) is not None:
            self._finish_what_was_decided(fetched)
            return
        fit = sift(parts, self._source.policy, fetched, now=self._now)
        files = [one.path for one in fit]
        people = self._people_left_out(files)
        outcome = self._release_files(files, people)
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
            refused = self._release_without_files(people).reason or refused
        self._end_earlier_revisions()
        self._note_withdrawals_honoured()
        parts.datasets.tried(name, refused=refused, now=self._now)

    def _finish_what_was_decided(self, fetched: Sequence[Fetched] | None = None) -> None:
        """Show it and note its files, with nothing new: what came in meanwhile waits for its own day."""
        parts, name = self._parts, self._source.dataset_id
        reason = self._release_without_files(self._people_left_out([])).reason
        self._end_earlier_revisions()
        self._note_withdrawals_honoured()
        if fetched is None:
            waiting = parts.datasets.waiting(name, most=parts.limits.files)
            fetched = list(fetch(parts, waiting, now=self._now))
        batched = self._already_in_a_batch(fetched)
        for one, _ in batched:
            parts.datasets.decide(one.file, FileState.RELEASED, now=self._now)
        tried_at = self._unnoted_decision_time(batched)
        if tried_at is not None:
            parts.datasets.tried(name, refused=reason, now=tried_at)

    def _already_in_a_batch(self, fetched: Sequence[Fetched]) -> list[tuple[Fetched, str]]:
        """Files that a batch was made of, each with its hash, whatever the policy says of them today."""
        if not self._history.batches:
            return []
        named = [(one, identify([one.path], self._parts.limits)[0].sha256) for one in fetched]
        return [(one, sha256) for one, sha256 in named if sha256 in self._history.sources]

    def _unnoted_decision_time(self, batched: Sequence[tuple[Fetched, str]]) -> datetime | None:
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
            people = self._people_left_out([])
            reason = self._release_without_files(people).reason if self._is_to_be_shown(people) else None
            self._end_earlier_revisions()
        if reason is not None:
            self._parts.datasets.refuse(self._source.dataset_id, reason, now=self._now)
        self._note_withdrawals_honoured()

    def _is_to_be_shown(self, people: LeftOut) -> bool:
        """Whether something takes the place of what is shown now, without any new file.

        Rows of a seller that no release has are not shown once the dataset is closed. Of donors they are: they may be all that is
        left once cells are withheld, and it counts as closed whenever its description cannot be read.
        """
        if people.withdrawn or self._all_that_is_shown_has_ended() or self._is_decided_but_not_shown():
            return True
        return (self._source.is_open or self._source.of_donors) and self._ledger_is_ahead_of_releases()

    @contextmanager
    def _ending_what_is_withdrawn(self) -> Iterator[None]:
        """Where no release can take the place of what people in it have withdrawn from, that is served no more all the same."""
        try:
            yield
        except Exception:
            self._end_earlier_revisions()
            raise

    def _all_that_is_shown_has_ended(self) -> bool:
        """Whether cells of all that was shown are withheld: whoever withheld them may have died before anything took its place."""
        return first_without_withdrawn(self._ledger.records()) > self._standing.latest

    def _is_decided_but_not_shown(self) -> bool:
        """Whether a release waits to be shown: its number is in the ledger, and nothing of it was withheld or ended since."""
        newest = self._history.newest_to(EVERYBODY)
        first = max(first_without_withdrawn(self._ledger.records()), self._standing.kept_from)
        return newest is not None and newest.number >= max(first, self._standing.latest + 1)

    def _ledger_is_ahead_of_releases(self) -> bool:
        """Whether the ledger has what no release has, as where somebody died after a batch: no buyer is given anything until one has."""
        newest = self._history.newest_to(EVERYBODY)
        return newest is not None and newest.state != self._history.state()

    def _end_earlier_revisions(self) -> None:
        if not self._has_published:
            end_earlier(self._parts, self._standing, self._ledger, self._source.dataset_id, now=self._now)

    def _people_left_out(self, files: Sequence[Path]) -> LeftOut:
        return left_out(
            self._parts,
            self._source,
            self._standing,
            files,
            has_batches=bool(self._history.batches),
            today=self._now.date(),
        )

    def _note_withdrawals_honoured(self) -> None:
        if self._source.of_donors:
            name = self._source.dataset_id
            self._parts.datasets.withdrawals_looked_at(name, until=self._now.date(), now=self._now)

    def _release_files(self, files: Sequence[Path], people: LeftOut) -> _Outcome:
        """A batch of what waits, and its release. Where the table knows nobody of it, as one that was made anew does, it goes on waiting."""
        if not files:
            return _NOTHING
        if not people.is_anybody:
            say(REFUSED, dataset=self._source.dataset_id)
            return _Outcome(is_released=False, reason=_NOBODY_KNOWN)
        return self._make_and_publish(files, self._order(people))

    def _release_without_files(self, people: LeftOut) -> _Outcome:
        """What is in batches already, without whoever has withdrawn: withheld first, whatever becomes of the release.

        What was decided, of which nothing is withheld by that, is not made again while the second region does not have it.
        """
        if not self._history.batches:
            return _NOTHING
        order, name = self._order(people), self._source.dataset_id
        self._history = History.read(self._ledger, name)
        withhold(order, self._parts.keys, self._history, self._parts.limits)
        decided = self._history.newest_to(EVERYBODY)
        if decided is not None and self._is_decided_but_not_shown():
            stop_while_copying(self._parts, name, decided, place_of(name, decided.number))
        return self._make_and_publish([], replace(order, withdrawn=()))

    def _order(self, people: LeftOut) -> Order:
        return Order(
            dataset=self._source.dataset_id,
            buyer=EVERYBODY,
            policy=self._source.policy,
            into=self._parts.scratch / MADE,
            withdrawn=people.withdrawn,
            absent=people.absent,
        )

    def _make_and_publish(self, files: Sequence[Path], order: Order) -> _Outcome:
        parts, source = self._parts, self._source
        self._keep_certificate_at_hand(order)
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
            return self._refused_by_policy(done)
        with cleared(done):
            publish(parts, source, self._standing, done, self._ledger, now=self._now)
        self._has_published = True
        return _Outcome(is_released=True)

    def _refused_by_policy(self, violation: Violation) -> _Outcome:
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

    def _keep_certificate_at_hand(self, order: Order) -> None:
        """Have the certificate of the newest published release at hand, so that its files are not made again."""
        released = self._history.newest_to(EVERYBODY)
        if released is not None and released.number <= self._standing.latest:
            folder = order.home / released.folder
            folder.mkdir(parents=True, exist_ok=True)
            (folder / CERTIFICATE).write_text(released.certificate, encoding="utf-8")
