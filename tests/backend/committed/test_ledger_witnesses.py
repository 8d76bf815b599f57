"""Nothing is shown that too few witnesses have cosigned, whatever one of them does; and nothing else stops for it."""

from collections.abc import Mapping

import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from amply.entrypoints.publisher import WITNESSES_AGAIN_SECONDS, PublisherDependencies, turns
from amply.modules import ledger
from ledger_format.policies import UNWITNESSED
from ledger_format.receipts import decode_receipt, verify_receipt
from ledger_format.witnessing import parse_add_checkpoint
from tests.backend.conftest import Databases
from tests.backend.ledger_world import NOW, ORIGIN, LedgerWorld
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
    stored_note,
    two_of,
    witnessed,
)


def test_what_is_shown_archived_and_in_receipts_carries_the_cosignatures(
    watched: LedgerWorld, three: Mapping[str, Partner]
) -> None:
    posted = watched.post(personal={"donor_name": "Zoë", "reference": "stripe:payment_intent:pi_1"})
    watched.sequence()
    published = watched.publish()

    assert published is not None
    assert published.witnesses_missing == 0
    assert witnessed(watched, three) == list(NAMES)
    assert (
        watched.archive.objects["checkpoints/1"].decode() == watched.public_log.note == stored_note(watched)
    )
    receipt = watched.receipt(posted.id)
    assert receipt is not None
    proven = verify_receipt(decode_receipt(receipt.encode()), [watched.verifier], policy=two_of(three))
    assert [seen.name for seen in proven.signed.witnessed] == list(NAMES)


def test_each_witness_is_asked_once_a_checkpoint_and_only_with_what_is_new(
    watched: LedgerWorld, three: Mapping[str, Partner]
) -> None:
    for _ in range(4):
        grow(watched, 100)
        watched.publish()
    for partner in three.values():
        asked = [parse_add_checkpoint(body) for body in partner.asked]
        assert [each.old_size for each in asked] == [0, 100, 200, 300]
        assert [bool(each.proof) for each in asked] == [False, True, True, True]


def test_a_publisher_that_starts_anew_learns_what_each_has_seen(
    watched: LedgerWorld, three: Mapping[str, Partner]
) -> None:
    grow(watched, 5)
    watched.publish()
    three["orchard"].manner = away
    grow(watched, 5)
    watched.publish()
    three["orchard"].manner = honest
    watched.witnesses = asking(three)
    grow(watched, 5)
    watched.publish()
    assert witnessed(watched, three) == list(NAMES)
    assert [parse_add_checkpoint(body).old_size for body in three["orchard"].asked[-2:]] == [0, 5]


LIES: dict[str, Manner] = {
    "away": away,
    "breaks": lambda *_: 1 / 0,  # type: ignore[dict-item] # an adapter that fails in its own way
    "server error": says(500, "oops"),
    "redirect": says(302),
    "forbidden": says(403),
    "unknown log": says(404),
    "nothing": says(200, ""),
    "garbage": says(200, "<html>\n"),
    "another text before": says(200, f"{ORIGIN}\n999\nAAAA\n\n— witness.orchard.example AAAA\n"),
    "a stranger's line": says(200, "— stranger.example AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"),
    "too much": says(200, "— a AAAAAAAA\n" * 10_000),
    "another tree": says(409, "no\n"),
    "bad proof": says(422, "no\n"),
    "an astronomic size": says_size("9223372036854775807\n"),
    "a size that is none": says_size("many\n"),
    "the size it was sent": says_size("0\n"),
    "a smaller size": says_size("1\n"),
}


@pytest.mark.parametrize("lie", LIES)
def test_one_witness_that_fails_or_lies_stops_nobody_and_leaves_nothing_in_the_note(
    lie: str, watched: LedgerWorld, three: Mapping[str, Partner]
) -> None:
    three["orchard"].manner = LIES[lie]
    grow(watched, 3)

    published = watched.publish()
    watched.check()

    assert published is not None
    assert published.witnesses_missing == 1
    assert witnessed(watched, three) == ["harbour", "lantern"]
    assert str(watched.public_log.note).count("— ") == 3, "the log and two witnesses"
    assert len(three["orchard"].asked) <= 3 * 2, (
        "asked a bounded number of times, once to publish and once to start"
    )


def test_the_same_size_as_an_answer_to_the_same_size_is_another_tree_and_no_reason_to_ask_again(
    watched: LedgerWorld, three: Mapping[str, Partner]
) -> None:
    """c2sp.org/tlog-witness: 409 also where old size and checkpoint are as large as what it has seen, and the root is not."""
    three["harbour"].manner = three["orchard"].manner = says_size("3\n")
    grow(watched, 3)
    with pytest.raises(ledger.ForkRefused, match="what it has seen is not this log"):
        watched.publish()
    assert [parse_add_checkpoint(body).old_size for body in three["harbour"].asked] == [0, 3]


def test_a_cosignature_over_another_checkpoint_does_not_get_into_the_note(
    watched: LedgerWorld, three: Mapping[str, Partner]
) -> None:
    def other(partner: Partner, _body: bytes) -> ledger.WitnessAnswer:
        line = partner.witness.key.cosign(f"{ORIGIN}\n9\n{'A' * 43}=\n", seconds=1).line()
        return ledger.WitnessAnswer(status=200, content_type="text/plain", body=line)

    three["orchard"].manner = other
    grow(watched)
    watched.publish()
    assert witnessed(watched, three) == ["harbour", "lantern"]


def test_lines_beside_a_true_cosignature_stay_out(watched: LedgerWorld, three: Mapping[str, Partner]) -> None:
    def generous(partner: Partner, body: bytes) -> ledger.WitnessAnswer:
        own = honest(partner, body).body
        extra = "— evil.example AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
        return ledger.WitnessAnswer(status=200, content_type="text/plain", body=extra + own + extra)

    three["orchard"].manner = generous
    grow(watched)
    watched.publish()
    assert witnessed(watched, three) == list(NAMES)
    assert "evil" not in str(watched.public_log.note)


def test_without_a_quorum_nothing_is_shown_and_the_next_turn_asks_only_for_what_is_missing(
    watched: LedgerWorld, three: Mapping[str, Partner]
) -> None:
    three["harbour"].manner = three["orchard"].manner = away
    grow(watched, 3)

    with pytest.raises(ledger.QuorumMissing, match="harbour: nobody answers") as missing:
        watched.publish()

    assert missing.value.size == 3
    assert set(missing.value.reasons) == set(NAMES)
    assert watched.public_log.note is None
    assert [path for path in watched.archive.objects if path.startswith("checkpoints/")] == []
    kept = stored_note(watched)
    assert kept.count("— ") == 2, "the log's signature and the one cosignature that was given"
    grow(watched, 2)
    three["orchard"].manner = honest
    before = len(three["lantern"].asked)
    published = watched.publish()
    assert published is not None
    assert published.size == 3, "the checkpoint that was begun is finished first"
    assert len(three["lantern"].asked) == before
    assert str(watched.public_log.note).startswith(kept), "what was given out is never lost"
    second = watched.publish()
    assert second is not None
    assert second.size == 5


def test_receipts_wait_for_the_quorum(watched: LedgerWorld, three: Mapping[str, Partner]) -> None:
    three["harbour"].manner = three["orchard"].manner = away
    posted = watched.post()
    watched.sequence()
    with pytest.raises(ledger.QuorumMissing):
        watched.publish()
    assert watched.receipt(posted.id) is None
    three["harbour"].manner = honest
    watched.publish()
    assert watched.receipt(posted.id) is not None


def test_a_slow_witness_is_not_waited_for_and_its_late_word_still_counts(
    watched: LedgerWorld, three: Mapping[str, Partner]
) -> None:
    slow = Hanging()
    three["orchard"].manner = slow
    three["lantern"].manner = away
    watched.witnesses = asking(three, patience=0.5)
    grow(watched)
    with pytest.raises(ledger.QuorumMissing, match="orchard: it has not answered in time"):
        watched.publish()
    with pytest.raises(ledger.QuorumMissing, match="orchard: it has not answered in time"):
        watched.publish()
    assert len(three["orchard"].asked) == 1, "asked once, however often the others are"
    watched.witnesses.patience = 30.0
    slow.released.set()
    assert watched.publish() is not None
    assert witnessed(watched, three) == ["harbour", "orchard"]


def test_a_witness_that_hangs_is_not_asked_about_the_next_checkpoint_and_costs_nothing(
    watched: LedgerWorld, three: Mapping[str, Partner]
) -> None:
    slow = Hanging()
    three["orchard"].manner = slow
    watched.witnesses = asking(three, grace=0.0)
    for _ in range(3):
        grow(watched)
        published = watched.publish()
        assert published is not None
        assert published.witnesses_missing == 1
    assert len(three["orchard"].asked) == 1
    slow.released.set()


def test_a_note_that_was_public_is_shown_again_as_it_was(watched: LedgerWorld, databases: Databases) -> None:
    """Restored to a moment before the checkpoint's row: asking again would give other cosignatures."""
    grow(watched, 3)
    watched.publish()
    public = watched.public_log.note
    master = databases.as_role("master")
    with master.transaction() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text("DELETE FROM checkpoint"))
    master.close()
    watched.check()
    watched.publish()
    assert watched.public_log.note == public == stored_note(watched)


@pytest.mark.parametrize(
    "change",
    [
        "note = 'other'",
        "note = NULL",
        "note = note || 'not a line'",
        "note = note || E'— a AAAA\\n\\n'",
        "note = E'— a AAAA\\n' || note",
        "note = substr(note, 1, length(note) - 1)",
        "note = note || E'— a b AAAA\\n'",
    ],
)
def test_the_table_lets_a_note_gain_signature_lines_and_nothing_else(
    change: str, watched: LedgerWorld, three: Mapping[str, Partner]
) -> None:
    three["harbour"].manner = three["orchard"].manner = away
    grow(watched)
    with pytest.raises(ledger.QuorumMissing):
        watched.publish()
    with (
        pytest.raises(IntegrityError, match="completed, never changed"),
        watched.sequencer.transaction() as session,
    ):
        session.execute(text(f"UPDATE checkpoint SET {change}"))  # noqa: S608 -- the list above


def test_a_public_note_changes_no_more(watched: LedgerWorld) -> None:
    grow(watched)
    watched.publish()
    with pytest.raises(IntegrityError), watched.sequencer.transaction() as session:
        session.execute(text("UPDATE checkpoint SET note = note || E'— a AAAA\\n'"))


def test_the_publisher_says_that_it_waits_keeps_the_lead_and_goes_on(
    watched: LedgerWorld, three: Mapping[str, Partner]
) -> None:
    outside = PublisherDependencies(
        signer=watched.signer,
        public_log=watched.public_log,
        archive=watched.archive,
        witnesses=watched.witnesses,
    )
    seconds = 0.0
    turn = turns(
        watched.sequencer, origin=ORIGIN, outside=outside, clock=lambda: NOW, elapsed=lambda: seconds
    )
    for partner in three.values():
        partner.manner = away
    grow(watched)
    with structlog.testing.capture_logs() as logs:
        turn()
        for partner in three.values():
            partner.manner = honest
        seconds = WITNESSES_AGAIN_SECONDS - 0.1
        turn()
        assert watched.public_log.note is None
        seconds = WITNESSES_AGAIN_SECONDS
        turn()
    told = [line for line in logs if line["event"] == "witnesses_measured"]
    assert [line["witnesses_missing"] for line in told] == [3, 0]
    (waits,) = (line for line in logs if line["event"] == "checkpoint_waits_for_witnesses")
    assert (waits["log_level"], waits["witnesses"]["harbour"]) == ("error", "nobody answers")


def test_a_policy_that_demands_nobody_asks_nobody(books: LedgerWorld) -> None:
    books.witnesses = ledger.Witnesses(policy=UNWITNESSED)
    grow(books)
    books.check()
    published = books.publish()
    assert published is not None
    assert str(books.public_log.note).count("— ") == 1
