"""No place in the log is given away by a database that may have forgotten what the public has seen."""

import pytest
from sqlalchemy import text

from amply.entrypoints.publisher import BETWEEN_CHECKPOINTS_SECONDS, LOOK_SECONDS, PublisherDependencies
from amply.entrypoints.publisher import turns as publisher_turns
from amply.entrypoints.sequencer import turns
from amply.modules import ledger
from ledger_format.checkpoints import Checkpoint
from ledger_format.notes import sign_note
from tests.backend.ledger_world import NOW, ORIGIN, LedgerWorld


def publisher(books: LedgerWorld) -> None:
    """A publisher that begins to lead."""
    outside = PublisherDependencies(
        signer=books.signer, public_log=books.public_log, archive=books.archive, witnesses=books.witnesses
    )
    publisher_turns(books.sequencer, origin=ORIGIN, outside=outside, clock=lambda: NOW)


def ahead(books: LedgerWorld) -> str:
    """A checkpoint of ours of which this database knows nothing: it was restored to an earlier moment."""
    text = Checkpoint(origin=ORIGIN, size=9, root=b"\3" * 32).note_text()
    return sign_note(text, ORIGIN, books.signer.public_key(), books.signer.sign)


def test_a_new_leader_waits_for_the_publisher(books: LedgerWorld) -> None:
    books.post()
    turn = turns(books.sequencer, origin=ORIGIN, clock=lambda: NOW)
    turn()
    assert books.leaves() == []
    assert ledger.clearance_is_due(books.sequencer)

    publisher(books)
    turn()
    assert len(books.leaves()) == 1
    assert not ledger.clearance_is_due(books.sequencer)


def test_what_an_earlier_leader_was_told_is_no_answer(books: LedgerWorld) -> None:
    books.cleared_turns()
    books.post()

    turns(books.sequencer, origin=ORIGIN, clock=lambda: NOW)()

    assert books.leaves() == []


def test_a_leading_publisher_answers_a_sequencer_that_comes_later(books: LedgerWorld) -> None:
    outside = PublisherDependencies(
        signer=books.signer, public_log=books.public_log, archive=books.archive, witnesses=books.witnesses
    )
    publish = publisher_turns(books.sequencer, origin=ORIGIN, outside=outside, clock=lambda: NOW)
    sequence = turns(books.sequencer, origin=ORIGIN, clock=lambda: NOW)
    books.post()

    publish()
    sequence()

    assert len(books.leaves()) == 1


def test_a_restored_database_gives_away_no_place(books: LedgerWorld) -> None:
    books.public_log.note = ahead(books)
    books.post()
    turn = turns(books.sequencer, origin=ORIGIN, clock=lambda: NOW)

    with pytest.raises(ledger.ForkRefused, match="only 0"):
        publisher(books)
    turn()

    assert books.leaves() == []
    with books.sequencer.transaction() as session:
        assert "only 0" in str(session.scalar(text("SELECT refused_because FROM clearance")))


def test_a_sequencer_stops_while_a_fork_is_refused_and_goes_on_after(books: LedgerWorld) -> None:
    turn = books.cleared_turns()
    books.post()
    turn()
    books.public_log.note = ahead(books)
    books.post()
    with pytest.raises(ledger.ForkRefused):
        publisher(books)

    turn()
    assert len(books.leaves()) == 1

    books.public_log.note = None
    publisher(books)
    turn()
    assert len(books.leaves()) == 2


def test_an_empty_database_does_not_begin_a_second_history(books: LedgerWorld) -> None:
    """The public checkpoint is gone and so is the database's memory; the archive still knows how the log began."""
    books.archive.keep("first-checkpoint", b"of another database")
    books.post()
    books.sequence()

    with pytest.raises(ledger.ForkRefused, match="archive has another first one"):
        books.publish()

    assert books.signer.signed == 0
    assert books.public_log.note is None


def test_the_beginning_is_kept_before_it_is_signed(books: LedgerWorld) -> None:
    books.post()
    books.sequence()
    books.publish()

    signed_text = str(books.public_log.note).partition("\n\n")[0] + "\n"
    assert books.archive.objects["first-checkpoint"].decode() == signed_text
    assert next(iter(books.archive.objects)) == "first-checkpoint"


def test_a_new_sequencer_is_answered_between_two_checkpoints(books: LedgerWorld) -> None:
    seconds = 0.0
    outside = PublisherDependencies(
        signer=books.signer, public_log=books.public_log, archive=books.archive, witnesses=books.witnesses
    )
    publish = publisher_turns(
        books.sequencer, origin=ORIGIN, outside=outside, clock=lambda: NOW, elapsed=lambda: seconds
    )
    books.post()
    books.sequence()
    assert publish() == LOOK_SECONDS
    assert books.public_checkpoint().size == 1
    books.post()
    sequence = turns(books.sequencer, origin=ORIGIN, clock=lambda: NOW)

    seconds = LOOK_SECONDS
    publish()
    sequence()

    assert len(books.leaves()) == 2
    assert books.public_checkpoint().size == 1, "the next one is not due"
    seconds = BETWEEN_CHECKPOINTS_SECONDS
    publish()
    assert books.public_checkpoint().size == 2
