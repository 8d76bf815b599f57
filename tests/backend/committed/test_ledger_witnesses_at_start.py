"""What the witnesses have seen decides whether a publisher may begin: more than this database knows, and it may not."""

import threading
from collections.abc import Mapping
from dataclasses import replace

import pytest
import structlog
from sqlalchemy import text

from amply.entrypoints.publisher import PublisherDependencies, turns
from amply.modules import ledger
from ledger_format.checkpoints import Checkpoint
from ledger_format.notes import sign_note
from ledger_format.policies import Group
from ledger_format.witnessing import AddCheckpoint, parse_add_checkpoint
from tests.backend.conftest import Databases
from tests.backend.ledger_world import NOW, ORIGIN, FakePublicLog, LedgerWorld
from tests.backend.partners import (
    NAMES,
    Hanging,
    Manner,
    Partner,
    asking,
    away,
    grow,
    honest,
    says,
    says_size,
    two_of,
    witnessed,
)


@pytest.fixture
def restored(watched: LedgerWorld, databases: Databases) -> LedgerWorld:
    """The database as it was after four published entries; the world has seen six, and the public bucket is lost too."""
    grow(watched, 4)
    watched.publish()
    for database in (watched.app, watched.sequencer):
        database.close()
    copy = Databases(databases.server, f"{databases.name}_restored")
    databases.server.copy(databases.name, name=copy.name)
    earlier = FakePublicLog()
    earlier.objects, earlier.note = dict(watched.public_log.objects), watched.public_log.note
    grow(watched, 2)
    watched.publish()
    return replace(
        watched,
        app=copy.as_role("amply_app"),
        sequencer=copy.as_role("amply_sequencer"),
        public_log=earlier,
    )


@pytest.mark.parametrize("lost_and_new", [0, 1, 2, 9])
def test_witnesses_remember_what_database_and_public_log_have_forgotten(
    lost_and_new: int, restored: LedgerWorld, three: Mapping[str, Partner]
) -> None:
    restored.witnesses = asking(three)
    if lost_and_new:
        grow(restored, lost_and_new)
    public = restored.public_log.note
    if lost_and_new <= 1:
        with pytest.raises(ledger.ForkRefused, match="has seen 6 entries"):
            restored.check()
        with pytest.raises(ledger.ForkRefused, match="has seen 6 entries"):
            restored.clear()
    if lost_and_new:
        with pytest.raises(ledger.ForkRefused, match="seen"):
            restored.publish()
    assert restored.public_log.note == public
    restored.app.close()
    restored.sequencer.close()


def test_the_sequencer_of_a_restored_database_gives_away_no_place(
    restored: LedgerWorld, three: Mapping[str, Partner]
) -> None:
    restored.witnesses = asking(three)
    clearance = ledger.Clearance.ask(restored.sequencer, now=NOW)
    with pytest.raises(ledger.ForkRefused):
        restored.clear()
    with restored.sequencer.transaction() as session:
        assert not clearance.is_given(session)
        assert "has seen 6" in str(
            session.scalar(text("SELECT refused_because FROM clearance ORDER BY number DESC"))
        )
    restored.app.close()
    restored.sequencer.close()


@pytest.mark.parametrize(
    ("manners", "outcome"),
    [
        ((says_size("99\n"), honest, honest), "goes on"),
        ((says_size("99\n"), says_size("99\n"), honest), "refused"),
        ((says_size("99\n"), away, honest), "refused"),
        ((away, honest, honest), "goes on"),
        ((away, away, honest), "waits"),
        ((away, away, away), "waits"),
        ((says(200, "garbage"), says_size("many\n"), honest), "waits"),
        ((says_size("3\n"), honest, honest), "goes on"),
        ((says_size("3\n"), says_size("3\n"), honest), "refused"),
        ((says_size("3\n"), away, honest), "refused"),
        ((says(422), honest, honest), "goes on"),
        ((says(422), says_size("99\n"), honest), "refused"),
    ],
)
def test_at_the_start_those_who_may_be_a_quorum_are_believed_and_fewer_are_not(
    manners: tuple[Manner, ...],
    outcome: str,
    watched: LedgerWorld,
    three: Mapping[str, Partner],
) -> None:
    grow(watched, 3)
    watched.publish()
    watched.witnesses = asking(three)
    for partner, manner in zip(three.values(), manners, strict=True):
        partner.manner = manner
    if outcome == "refused":
        with pytest.raises(ledger.ForkRefused):
            watched.check()
    elif outcome == "waits":
        with pytest.raises(ledger.WitnessesSilent, match="is not known"):
            watched.check()
    else:
        watched.check()


def test_a_quorum_that_is_silent_allows_nothing_and_stops_nothing(
    watched: LedgerWorld, three: Mapping[str, Partner]
) -> None:
    """What two of three have cosigned may have been public, and only they would know."""
    watched.clear()
    three["harbour"].manner = three["orchard"].manner = away
    new = ledger.Clearance.ask(watched.sequencer, now=NOW)

    with pytest.raises(ledger.WitnessesSilent, match="harbour: nobody answers; orchard: nobody answers"):
        watched.clear()

    with watched.sequencer.transaction() as session:
        assert not new.is_given(session)
        assert ledger.takes_entries(session), "what the publisher has said of this server stands"
    three["harbour"].manner = honest
    watched.clear()
    with watched.sequencer.transaction() as session:
        assert new.is_given(session)


def test_where_one_witness_is_a_quorum_each_of_them_has_to_answer(
    watched: LedgerWorld, three: Mapping[str, Partner]
) -> None:
    policy = replace(two_of(three), groups=(Group("partners", 1, tuple(three)),))
    watched.witnesses = ledger.Witnesses(policy=policy, reached=three, patience=20.0, grace=0.0)
    three["lantern"].manner = away
    with pytest.raises(ledger.WitnessesSilent):
        watched.check()
    three["lantern"].manner = honest
    slow = Hanging()
    three["orchard"].manner = slow
    threading.Timer(0.2, slow.released.set).start()
    watched.check()


def test_before_the_first_checkpoint_the_witnesses_are_asked_with_the_empty_tree(
    watched: LedgerWorld, three: Mapping[str, Partner]
) -> None:
    """It commits to nothing, and still they say what they have seen."""
    watched.check()
    asked = parse_add_checkpoint(three["harbour"].asked[0])
    assert asked.note.startswith(f"{ORIGIN}\n0\n")
    grow(watched, 2)
    watched.publish()
    assert witnessed(watched, three) == list(NAMES)


def test_an_empty_database_beside_witnesses_that_know_the_log_signs_no_tree(
    watched: LedgerWorld, three: Mapping[str, Partner]
) -> None:
    text_ = Checkpoint(origin=ORIGIN, size=9, root=b"\3" * 32).note_text()
    note = sign_note(text_, ORIGIN, watched.signer.public_key(), watched.signer.sign)
    for partner in three.values():
        assert honest(partner, AddCheckpoint(0, (), note).body()).status == 200
    with pytest.raises(ledger.ForkRefused, match="has seen 9 entries"):
        watched.check()
    assert watched.public_log.note is None


def test_a_publisher_that_may_not_begin_says_whom_it_waits_for(
    watched: LedgerWorld, three: Mapping[str, Partner]
) -> None:
    outside = PublisherDependencies(
        signer=watched.signer,
        public_log=watched.public_log,
        archive=watched.archive,
        witnesses=watched.witnesses,
    )
    three["harbour"].manner = three["orchard"].manner = away
    with structlog.testing.capture_logs() as logs, pytest.raises(ledger.WitnessesSilent):
        turns(watched.sequencer, origin=ORIGIN, outside=outside, clock=lambda: NOW)
    (waits,) = (line for line in logs if line["event"] == "clearance_waits_for_witnesses")
    assert waits["witnesses"] == {"harbour": "nobody answers", "orchard": "nobody answers"}
    (measured,) = (line for line in logs if line["event"] == "witnesses_measured")
    assert measured["witnesses_missing"] == 2
