"""What making releases needs from outside, held in memory. The adapters of AWS's own services are held by
`tests/marketplace/test_releases.py`, in the emulated cloud.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from pathlib import Path

from amply_lake import FileLedger, LakeError, ReleaseLedger
from amply_releases.arrivals import DONATIONS, Arrival
from amply_releases.datasets import FileState, Source, Standing, Waiting, built_in
from amply_releases.ports import Message, Object, Revision, UnreadableSourceError


class Killed(BaseException):
    """As if the process were gone: nothing that catches errors catches it."""


@dataclass
class Dying:
    """Kills at the n-th thing that is written, before or after it; None: never.

    `meanwhile`: what somebody else does, unharmed, before the n-th of them.
    """

    left: int | None = None
    after: bool = False
    written: int = 0
    meanwhile: tuple[int, Callable[[], object]] | None = None

    def write(self, act: Callable[[], object]) -> None:
        self._let_others()
        self.written += 1
        if self.left is None:
            act()
            return
        self.left -= 1
        if self.left < 0 and not self.after:
            raise Killed
        act()
        if self.left < 0:
            raise Killed

    def _let_others(self) -> None:
        if self.meanwhile is None:
            return
        left, act = self.meanwhile
        self.meanwhile = (left - 1, act) if left else None
        if not left:
            left_to_live, self.left = self.left, None
            act()
            self.left = left_to_live


@dataclass
class Queue:
    messages: list[Message] = field(default_factory=list)
    is_away: bool = False

    def receive(self) -> Sequence[Message]:
        if self.is_away:
            raise ConnectionError("the queue does not answer")
        return list(self.messages)

    def done(self, message: Message) -> None:
        if message in self.messages:
            self.messages.remove(message)


@dataclass
class Raw:
    objects: dict[str, bytes] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    sizes: dict[str, int] = field(default_factory=dict)
    """Of files that only seem to be as large."""
    unfetched: bool = False
    region: str = ""
    """Another one's ETags may be other ones, of the same bytes."""

    def look(self, key: str) -> Object | None:
        if key in self.refused:
            raise PermissionError(key)
        if key not in self.objects:
            return None
        body = self.objects[key]
        return Object(hashlib.sha256(self.region.encode() + body).hexdigest(), self.sizes.get(key, len(body)))

    def fetch(self, key: str, into: Path) -> Object | None:
        assert key not in self.sizes, "what is too large must not be fetched"
        if self.unfetched:
            raise PermissionError(key)
        if key in self.objects:
            into.write_bytes(self.objects[key])
        return self.look(key)


@dataclass
class File:
    waiting: Waiting
    state: FileState = FileState.WAITING
    reason: str = ""


@dataclass
class Datasets:
    """As the table of the control plane keeps them."""

    dying: Dying
    sources: dict[str, Source] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    asked_for: datetime | None = None
    standings: dict[str, Standing] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    files: dict[tuple[str, str], File] = field(default_factory=dict)
    revisions: dict[tuple[str, int], Revision] = field(default_factory=dict)
    taken_back: set[tuple[str, int]] = field(default_factory=set)
    given: dict[tuple[str, str, int], tuple[Revision, int]] = field(default_factory=dict)
    """Each buyer's own, and which of the dataset's own each follows."""
    newest: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)

    def known(self) -> Sequence[str]:
        return sorted({dataset for dataset, _ in self.files})

    def source(self, dataset_id: str) -> Source | None:
        if dataset_id in self.unreadable:
            raise UnreadableSourceError(self.unreadable[dataset_id])
        if dataset_id == DONATIONS:
            return built_in(dataset_id, asked_for=self.asked_for, is_open=True)
        return self.sources.get(dataset_id)

    def begin(self, source: Source, schema: str, *, now: datetime) -> Standing:
        new = Standing(began_at=now, withdrawn_until=now.date())
        there = self.standings.setdefault(source.dataset_id, new)
        served = source.policy.anonymised_days
        if there.served_days != served:
            self.dying.write(lambda: self._change(source.dataset_id, served_days=served))
        return self.standings[source.dataset_id]

    def standing(self, dataset_id: str, *, now: datetime) -> Standing | None:
        return self.standings.get(dataset_id)

    def note(self, arrival: Arrival, found: Object, *, now: datetime) -> None:
        place = (arrival.dataset_id, arrival.name)
        there = self.files.get(place)
        if there is None or there.waiting.etag != found.etag:
            self.files[place] = File(
                Waiting(
                    dataset_id=arrival.dataset_id,
                    key=arrival.key,
                    name=arrival.name,
                    etag=found.etag,
                    size_bytes=found.size_bytes,
                )
            )

    def waiting(self, dataset_id: str, *, most: int) -> Sequence[Waiting]:
        found = [
            file.waiting
            for (dataset, _), file in sorted(self.files.items())
            if dataset == dataset_id and file.state is FileState.WAITING
        ]
        return found[:most]

    def decide(self, file: Waiting, state: FileState, reason: str = "", *, now: datetime) -> None:
        there = self.files[file.dataset_id, file.name]

        def write() -> None:
            if there.waiting.etag == file.etag:
                there.state, there.reason = state, reason

        self.dying.write(write)

    def tried(self, dataset_id: str, *, refused: str | None, now: datetime) -> None:
        def write() -> None:
            self.refused.pop(dataset_id, None)
            if refused is not None:
                self.refused[dataset_id] = refused
            self._change(dataset_id, tried_at=now)

        self.dying.write(write)

    def refuse(self, dataset_id: str, reason: str, *, now: datetime) -> bool:
        if dataset_id not in self.standings:
            return True
        if self.refused.get(dataset_id) == reason:
            return False
        self.dying.write(lambda: self.refused.update({dataset_id: reason}))
        return True

    def withdrawals_looked_at(self, dataset_id: str, *, until: date, now: datetime) -> None:
        self.dying.write(lambda: self._change(dataset_id, withdrawals_at=now, withdrawn_until=until))

    def publish(self, source: Source, revision: Revision) -> bool:
        name, number = source.dataset_id, revision.number

        def write() -> None:
            if (name, number) not in self.taken_back:
                self.revisions[name, number] = revision

        self.dying.write(write)
        if (name, number) in self.taken_back:
            return False
        self.dying.write(lambda: self._change(name, latest=max(number, self.standings[name].latest)))
        return True

    def followed(self, dataset_id: str, buyer: str) -> int:
        return self.newest.get((dataset_id, buyer), (0, 0))[1]

    def hand_over(self, source: Source, buyer: str, revision: Revision, *, follows: int) -> None:
        name, number = source.dataset_id, revision.number

        def show() -> None:
            if self.given.get((name, buyer, number), (None, 0))[1] < follows:
                self.given[name, buyer, number] = (revision, follows)

        def lead() -> None:
            if self.followed(name, buyer) < follows:
                self.newest[name, buyer] = (number, follows)

        self.dying.write(show)
        self.dying.write(lead)

    def is_served(self, dataset_id: str, number: int) -> bool:
        return (dataset_id, number) in self.revisions.keys() - self.taken_back

    def take_back(self, dataset_id: str, *, since: int, before: int, now: datetime) -> None:
        for number in range(since, before):
            place = (dataset_id, number)
            if place not in self.taken_back:
                self.dying.write(partial(self.taken_back.add, place))

    def keep_from(self, dataset_id: str, number: int) -> None:
        kept = max(number, self.standings[dataset_id].kept_from)
        self.dying.write(lambda: self._change(dataset_id, kept_from=kept))

    def go_back(self, dataset_id: str, *, to: int, before: int) -> None:
        for number in range(to, before):
            place = (dataset_id, number)
            if place in self.taken_back and place not in self.revisions:
                self.dying.write(partial(self.taken_back.discard, place))
        if self.standings[dataset_id].kept_from == before:
            self.dying.write(lambda: self._change(dataset_id, kept_from=to))

    def first_since(self, dataset_id: str, standing: Standing, moment: datetime) -> int:
        since = [
            number
            for (name, number), revision in self.revisions.items()
            if name == dataset_id and number >= standing.kept_from and revision.released_at >= moment
        ]
        return min(since, default=max(standing.kept_from, standing.latest + 1))

    def _change(self, dataset_id: str, **changes: object) -> None:
        if dataset_id in self.standings:
            there = self.standings[dataset_id]
            told = {name: getattr(there, name) for name in there.__slots__}
            self.standings[dataset_id] = Standing(**{**told, **changes})


@dataclass
class Consents:
    """`decided`: what somebody decided last, and on which day."""

    decided: dict[str, tuple[str, date]] = field(default_factory=dict)

    def states(self, people: Collection[str]) -> Mapping[str, str]:
        return {one: self.decided[one][0] for one in people if one in self.decided}

    def withdrawn(self, days: Sequence[date]) -> set[str]:
        return {one for one, (state, day) in self.decided.items() if state == "withdrawn" and day in days}


@dataclass
class Buyers:
    """By dataset, who may read it now."""

    grants: dict[str, list[str]] = field(default_factory=dict)
    is_away: bool = False

    def granted(self, *, now: datetime) -> Mapping[str, Sequence[str]]:
        if self.is_away:
            raise ConnectionError("nobody says who buys")
        return {dataset: list(buyers) for dataset, buyers in self.grants.items()}


@dataclass
class Curated:
    dying: Dying
    objects: dict[str, bytes] = field(default_factory=dict)
    is_behind: bool = False
    """Whether the second region has not got it yet."""
    is_slow: bool = False
    """Whether it gets what is stored a little later: once nothing is `pending` any more."""
    pending: set[str] = field(default_factory=set)

    def put(self, key: str, path: Path) -> None:
        body = path.read_bytes()
        if self.objects.get(key, body) != body:
            raise LakeError(f"{key} holds something else")

        def write() -> None:
            if key not in self.objects and self.is_slow:
                self.pending.add(key)
            self.objects.setdefault(key, body)

        self.dying.write(write)

    def are_copied(self, keys: Sequence[str]) -> bool:
        return not (self.is_behind or self.pending & set(keys))

    def are_being_copied(self, keys: Sequence[str]) -> bool:
        return set(keys) <= self.objects.keys() and not self.are_copied(keys)


@dataclass
class Catalogue:
    dying: Dying
    partitions: dict[tuple[str, int], str] = field(default_factory=dict)
    columns: dict[str, Mapping[str, str]] = field(default_factory=dict)
    is_away: bool = False

    def add(self, dataset_id: str, columns: Mapping[str, str], *, revision: int, prefix: str) -> None:
        def write() -> None:
            self.partitions[dataset_id, revision] = prefix
            self.columns[dataset_id] = columns

        if self.is_away:
            raise ConnectionError("the catalogue is away")
        self.dying.write(write)

    def remove(self, dataset_id: str, revision: int) -> None:
        if self.is_away:
            raise ConnectionError("the catalogue is away")
        self.dying.write(lambda: self.partitions.pop((dataset_id, revision), None))


class DyingLedger:
    """A ledger in a folder, whose writes may be the last thing somebody does."""

    def __init__(self, ledger: FileLedger, dying: Dying, added: Callable[[], None]) -> None:
        self._ledger, self._dying, self._added = ledger, dying, added

    def records(self, first: int = 0) -> Iterator[bytes]:
        return self._ledger.records(first)

    def append(self, number: int, record: bytes) -> None:
        self._dying.write(lambda: self._ledger.append(number, record))
        self._added()

    def keep(self, name: str, path: Path) -> None:
        self._dying.write(lambda: self._ledger.keep(name, path))

    def fetch(self, name: str) -> Path:
        return self._ledger.fetch(name)


@dataclass
class Ledgers:
    folder: Path
    dying: Dying
    dropped: list[str] = field(default_factory=list)
    is_behind: bool = False
    is_slow: bool = False
    """Whether the second region gets what is added a little later: once nothing is `pending` any more."""
    pending: set[str] = field(default_factory=set)
    _open: dict[str, ReleaseLedger] = field(default_factory=dict)

    def of(self, dataset_id: str) -> ReleaseLedger:
        ledger, added = FileLedger(self.folder / dataset_id), partial(self._added, dataset_id)
        return self._open.setdefault(dataset_id, DyingLedger(ledger, self.dying, added))

    def _added(self, dataset_id: str) -> None:
        if self.is_slow:
            self.pending.add(dataset_id)

    def is_copied(self, dataset_id: str) -> bool:
        return not (self.is_behind or dataset_id in self.pending)

    def drop_copies(self, dataset_id: str) -> None:
        self._open.pop(dataset_id, None)
        self.dropped.append(dataset_id)
