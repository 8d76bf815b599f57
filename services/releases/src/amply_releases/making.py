"""One dataset's turn: what waits becomes a batch and a release, or is refused; and whoever has withdrawn is released no more.

Nothing here is undone or repeated by hand: a turn that was killed anywhere is followed by one that finds what was decided in the
release ledger, and goes on.
"""

import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from amply_lake import Order, ReleaseLedger, SourceError, Violation, release
from amply_lake.history import History
from amply_lake.releasing import CERTIFICATE
from amply_releases.columns import schema_of
from amply_releases.consenting import left_out
from amply_releases.datasets import (
    EVERYBODY,
    FileState,
    Source,
    Standing,
    is_due,
    withdrawals_are_due,
)
from amply_releases.lines import REFUSED, VIOLATED, say
from amply_releases.ports import Parts, UnreadableSourceError
from amply_releases.publishing import is_withheld_for, publish
from amply_releases.sifting import INCOMING, sift


def turn(parts: Parts, dataset_id: str, *, now: datetime) -> None:
    """Do what is due for a dataset.

    Raises:
        LakeError: Somebody else released meanwhile, or the ledger is damaged.
    """
    try:
        source = parts.datasets.source(dataset_id)
    except UnreadableSourceError as error:
        parts.datasets.tried(dataset_id, refused=str(error), now=now)
        say(REFUSED, dataset=dataset_id)
        return
    if source is None:
        return
    standing = parts.datasets.begin(source, schema_of(source.policy.released), now=now)
    if is_due(source, standing, now=now):
        _Turn(parts, source, standing, now).release()
    elif withdrawals_are_due(source, standing, now=now):
        _Turn(parts, source, standing, now).honour_withdrawals()


class _Turn:
    """What the steps of a turn share."""

    def __init__(self, parts: Parts, source: Source, standing: Standing, now: datetime) -> None:
        self._parts, self._source, self._standing, self._now = parts, source, standing, now
        self._ledger: ReleaseLedger = parts.ledgers.of(source.dataset_id)
        self._history = History.read(self._ledger, source.dataset_id)

    def release(self) -> None:
        """Try a release of what waits; without anything new, of what there is."""
        try:
            self._release()
        finally:
            # Raw facts stay here no longer than it takes.
            shutil.rmtree(self._parts.scratch / INCOMING, ignore_errors=True)

    def _release(self) -> None:
        parts, name = self._parts, self._source.dataset_id
        waiting = parts.datasets.waiting(name, most=parts.limits.files)
        fetched = sift(parts, self._source.policy, waiting, now=self._now)
        files = [one.path for one in fetched]
        people = self._left_out(files)
        refused = self._make(files, people) if files else None
        if refused is not None or not files:
            # What was refused took no withdrawal along, and must not hold one up.
            refused = self._make([], people) or refused
        else:
            for one in fetched:
                parts.datasets.decide(one.file, FileState.RELEASED, now=self._now)
        self._looked_at_withdrawals()
        parts.datasets.tried(name, refused=refused, now=self._now)

    def honour_withdrawals(self) -> None:
        """Make a release without whoever has withdrawn; none, where that changes nothing."""
        if people := self._left_out([]):
            self._make([], people)
        self._looked_at_withdrawals()

    def _left_out(self, files: Sequence[Path]) -> set[str]:
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

    def _make(self, files: Sequence[Path], people: set[str]) -> str | None:
        """Release and publish; answer why not. Without files and without batches there is nothing to do."""
        parts, source = self._parts, self._source
        if not files and not self._history.batches:
            return None
        order = Order(
            dataset=source.dataset_id,
            buyer=EVERYBODY,
            policy=source.policy,
            into=parts.scratch / "out",
            withdrawn=people,
        )
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
            return str(error)
        if isinstance(done, Violation):
            return self._violated(done)
        publish(parts, source, self._standing, done, self._ledger, now=self._now)
        for path in done.folder.iterdir():
            if path.name != CERTIFICATE:
                path.unlink()
        return None

    def _violated(self, violation: Violation) -> str:
        """Nothing is released; and what was, is served no more where people in it have withdrawn and nothing is left to release."""
        name = self._source.dataset_id
        say(VIOLATED, dataset=name, violations=violation.violations, policy=self._source.policy.id)
        if is_withheld_for(self._ledger.records(), None):
            self._parts.datasets.take_back(name, before=self._standing.latest + 1, now=self._now)
        return violation.reason

    def _remember(self, order: Order) -> None:
        """Have the certificate of the newest published release at hand, so that its files are not made again."""
        for released in self._history.releases_to(EVERYBODY)[-1:]:
            if released.number <= self._standing.latest:
                folder = order.home / released.folder
                folder.mkdir(parents=True, exist_ok=True)
                (folder / CERTIFICATE).write_text(released.certificate, encoding="utf-8")
