"""What the public sees: in an order that survives any crash, and never two histories."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from amply.modules import ledger
from ledger_format.merkle import leaf_hash, root_of
from ledger_format.receipts import decode_receipt, verify_receipt
from ledger_format.tiles import decode_bundle
from tests.backend.conftest import Databases
from tests.backend.ledger_world import FakeArchive, FakePublicLog, FakeSigner, LedgerWorld


class Died(BaseException):
    """What SIGKILL looks like from inside: nothing catches it."""


class Mortal:
    """Passes calls on to a fake until its calls are used up; then the process ends before, or after, the call."""

    def __init__(self, fate: "Fate", fake: object) -> None:
        self._fate = fate
        self._fake = fake

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._fake, name)

        def call(*arguments: Any, **named: Any) -> Any:
            self._fate.calls_left -= 1
            if self._fate.calls_left < 0 and not self._fate.after:
                raise Died
            result = method(*arguments, **named)
            if self._fate.calls_left < 0:
                raise Died
            return result

        return call


class Fate:
    """How many calls to the outside a process still makes."""

    def __init__(self, calls_left: int, *, after: bool) -> None:
        self.calls_left = calls_left
        self.after = after


def outcome(books: LedgerWorld, *, calls: int, after: bool) -> bool:
    """Publish with a process that dies at a call; whether it lived."""
    fate = Fate(calls, after=after)
    mortal = replace(
        books,
        signer=Mortal(fate, books.signer),  # type: ignore[arg-type] # it passes everything on
        public_log=Mortal(fate, books.public_log),  # type: ignore[arg-type] # it passes everything on
        archive=Mortal(fate, books.archive),  # type: ignore[arg-type] # it passes everything on
    )
    try:
        mortal.publish()
    except Died:
        return False
    return True


def check_public(books: LedgerWorld, *, size: int) -> None:
    """Whoever reads only the public log can rebuild the tree it claims; the archive has what will never change."""
    checkpoint = books.public_checkpoint()
    assert checkpoint.size == size
    objects = books.public_log.objects
    full, rest = divmod(size, 256)
    paths = [f"tile/entries/{index:03d}" for index in range(full)]
    raws = [raw for path in paths for raw in decode_bundle(objects[path])]
    if rest:
        raws += decode_bundle(objects[f"tile/entries/{full:03d}.p/{rest}"])
    assert raws == books.leaves()[:size]
    assert root_of([leaf_hash(raw) for raw in raws]) == checkpoint.root
    for path in [*paths, *(path.replace("entries", "0") for path in paths)]:
        assert books.archive.objects[path] == objects[path]
    assert books.archive.objects[f"checkpoints/{size}"] == str(books.public_log.note).encode()


def facts(books: LedgerWorld) -> list[str]:
    with books.sequencer.transaction() as session:
        return [
            row.payload["size"] for row in session.execute(text("SELECT payload FROM outbox ORDER BY id"))
        ]


def test_a_publication_says_so_once(books: LedgerWorld) -> None:
    books.post()
    books.sequence()

    published = books.publish()

    assert published is not None
    assert published.size == 1
    assert books.publish() is None, "nothing new"
    assert facts(books) == ["1"]
    check_public(books, size=1)


def test_an_empty_log_publishes_nothing(books: LedgerWorld) -> None:
    assert books.publish() is None
    assert books.public_log.note is None


def test_full_tiles_are_archived_and_partial_ones_are_not(books: LedgerWorld) -> None:
    for size in (255, 256, 300, 600):
        books.post_many(size - len(books.leaves()))
        books.sequence()
        books.publish()
        check_public(books, size=size)

    assert not [path for path in books.archive.objects if ".p/" in path]
    assert sorted(path for path in books.archive.objects if path.startswith("checkpoints/")) == [
        f"checkpoints/{size}" for size in (255, 256, 300, 600)
    ]


@pytest.mark.parametrize("after", [pytest.param(False, id="before"), pytest.param(True, id="after")])
def test_a_publisher_that_dies_at_any_step_is_continued(after: bool, books: LedgerWorld) -> None:  # noqa: FBT001 -- pytest passes it
    size, steps = 0, 0
    while True:
        size += 257
        books.post_many(257)
        books.sequence()
        lived = outcome(books, calls=steps, after=after)
        if lived:
            break
        books.publish()
        check_public(books, size=size)
        assert facts(books)[-1] == str(size)
        steps += 1

    assert steps >= 12, "every call to the outside was a place to die"
    assert facts(books) == [str(257 * number) for number in range(1, steps + 2)], "each size once"


@pytest.mark.parametrize("after", [pytest.param(False, id="before"), pytest.param(True, id="after")])
def test_entries_that_come_after_the_crash_are_published_too(after: bool, books: LedgerWorld) -> None:  # noqa: FBT001 -- pytest passes it
    steps = 0
    while True:
        books.post_many(3)
        books.sequence()
        if outcome(books, calls=steps, after=after):
            break
        books.post_many(2)
        books.sequence()
        while books.publish():
            pass
        check_public(books, size=len(books.leaves()))
        steps += 1

    assert steps >= 7


def test_of_two_publishers_one_wins(books: LedgerWorld) -> None:
    """The second runs a whole publication between any two calls of the first."""
    for pause_at in range(9):
        books.post_many(2)
        books.sequence()
        slow = replace(
            books,
            signer=Between(books, pause_at, books.signer),  # type: ignore[arg-type] # it passes everything on
            public_log=Between(books, pause_at, books.public_log),  # type: ignore[arg-type] # it passes everything on
        )
        before = len(facts(books))

        slow.publish()

        while books.publish():
            pass
        check_public(books, size=len(books.leaves()))
        sizes = [int(size) for size in facts(books)[before:]]
        assert sizes
        assert sizes == sorted(set(sizes)), "published in order, each once"


class Between:
    """Lets another publisher run a whole publication, over newer entries, right before a chosen call."""

    calls = 0

    def __init__(self, books: LedgerWorld, pause_at: int, fake: object) -> None:
        self._books = books
        self._pause_at = pause_at
        self._fake = fake
        Between.calls = 0

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method: Callable[..., Any] = getattr(self._fake, name)

        def call(*arguments: Any, **named: Any) -> Any:
            if Between.calls == self._pause_at:
                self._books.publish()
                self._books.post_many(1)
                self._books.sequence()
                self._books.publish()
            Between.calls += 1
            return method(*arguments, **named)

        return call


class ForgottenMeanwhile(FakeSigner):
    """Signs while the database is put back to a state in which nobody had decided on a tree."""

    def __init__(self, databases: Databases) -> None:
        super().__init__()
        self._databases = databases

    def sign(self, message: bytes) -> bytes:
        master = self._databases.as_role("master")
        with master.transaction() as session:
            session.execute(text("SET LOCAL session_replication_role = replica"))
            session.execute(text("DELETE FROM checkpoint"))
        master.close()
        return super().sign(message)


def test_a_signature_that_outlived_its_database_is_shown_to_nobody(
    books: LedgerWorld, databases: Databases
) -> None:
    books.post_many(3)
    books.sequence()
    books.signer = ForgottenMeanwhile(databases)
    assert books.publish() is None
    assert (books.signer.signed, books.public_log.note) == (1, None)
    assert not any(path.startswith("checkpoints/") for path in books.archive.objects)


def test_a_receipt_of_any_entry_verifies_against_the_newest_checkpoint(books: LedgerWorld) -> None:
    posted = [books.post().id for _ in range(5)]
    books.post_many(300)
    posted.append(books.post().id)
    books.sequence()
    books.publish()

    for entry_id in posted:
        receipt = books.receipt(entry_id)
        assert receipt is not None
        verified = verify_receipt(decode_receipt(receipt.encode()), [books.verifier])
        assert (verified.entry.id, verified.checkpoint.size) == (entry_id, 306)


@pytest.fixture
def restored(books: LedgerWorld, databases: Databases) -> Iterator[LedgerWorld]:
    """The database as it was after four published entries; the public log has gone on to six."""
    books.post_many(4)
    books.sequence()
    books.publish()
    for database in (books.app, books.sequencer):
        database.close()
    copy = Databases(databases.server, f"{databases.name}_restored")
    databases.server.copy(databases.name, name=copy.name)
    books.post_many(2)
    books.sequence()
    books.publish()
    older = replace(books, app=copy.as_role("amply_app"), sequencer=copy.as_role("amply_sequencer"))
    yield older
    older.app.close()
    older.sequencer.close()
    databases.server.run(f"DROP DATABASE {copy.name} WITH (FORCE)")


@pytest.mark.parametrize(("lost_and_new", "reason"), [(1, "only 5"), (2, "extend"), (9, "extend")])
def test_a_database_restored_from_an_older_state_is_refused(
    lost_and_new: int, reason: str, restored: LedgerWorld
) -> None:
    restored.post_many(lost_and_new)
    restored.sequence()
    public = restored.public_log.note
    signed = restored.signer.signed

    with pytest.raises(ledger.ForkRefused, match=reason):
        restored.publish()
    with pytest.raises(ledger.ForkRefused, match=reason):
        restored.check()

    assert restored.signer.signed == signed, "nothing was signed"
    assert restored.public_log.note == public


def test_a_restored_database_is_refused_before_it_has_anything_new(restored: LedgerWorld) -> None:
    with pytest.raises(ledger.ForkRefused, match="only 4"):
        restored.check()


def test_a_database_that_holds_what_was_published_but_forgot_publishing_it_continues(
    books: LedgerWorld, databases: Databases
) -> None:
    """Restored to a moment after sequencing and before the checkpoint's row."""
    books.post_many(3)
    books.sequence()
    books.publish()
    master = databases.as_role("master")
    with master.transaction() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text("DELETE FROM checkpoint"))
    master.close()

    books.check()
    books.publish()
    books.post()
    books.sequence()
    books.publish()

    check_public(books, size=4)


def test_a_public_log_that_vanished_is_refused(books: LedgerWorld) -> None:
    books.post()
    books.sequence()
    books.publish()
    books.post()
    books.sequence()
    elsewhere = replace(books, public_log=FakePublicLog())

    with pytest.raises(ledger.ForkRefused, match="none is public now"):
        elsewhere.publish()
    with pytest.raises(ledger.ForkRefused, match="none is public now"):
        elsewhere.check()


def test_a_public_log_that_was_rolled_back_is_brought_forward_with_all_its_files(
    books: LedgerWorld,
) -> None:
    books.post_many(3)
    books.sequence()
    books.publish()
    earlier = FakePublicLog()
    earlier.objects, earlier.note = dict(books.public_log.objects), books.public_log.note
    books.post_many(300)
    books.sequence()
    books.publish()

    rolled_back = replace(books, public_log=earlier)
    books.post()
    books.sequence()
    rolled_back.publish()

    check_public(rolled_back, size=304)


def test_a_checkpoint_of_another_key_or_log_is_refused(books: LedgerWorld) -> None:
    books.post()
    books.sequence()
    books.publish()
    books.post()
    books.sequence()

    with pytest.raises(ledger.ForkRefused, match="not one this log's key has signed"):
        replace(books, signer=FakeSigner(b"\7" * 32)).publish()
    books.public_log.note = str(books.public_log.note).replace("\n1\n", "\n0\n")
    with pytest.raises(ledger.ForkRefused, match="not one this log's key has signed"):
        books.publish()


def test_a_place_that_never_changes_and_holds_something_else_stops_the_publisher(
    books: LedgerWorld,
) -> None:
    books.post_many(256)
    books.sequence()
    books.public_log.objects["tile/entries/000"] = b"other"

    with pytest.raises(ledger.AlreadyDifferent, match="tile/entries/000"):
        books.publish()
    assert books.public_log.note is None

    del books.public_log.objects["tile/entries/000"]
    archive = FakeArchive()
    archive.objects["checkpoints/256"] = b"other"
    with pytest.raises(ledger.AlreadyDifferent, match="checkpoints/256"):
        replace(books, archive=archive).publish()
    assert facts(books) == []


def test_a_long_backlog_is_published_in_steps(books: LedgerWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amply.modules.ledger.publishing.ENTRIES_MAX", 100)
    books.post_many(250)
    books.sequence()

    sizes = []
    while published := books.publish():
        sizes.append(published.size)

    assert sizes == [100, 200, 250]
    check_public(books, size=250)
