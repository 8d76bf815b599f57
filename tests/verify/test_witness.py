"""What a witness answers, rule by rule of c2sp.org/tlog-witness, and what it never forgets."""

import base64
import stat
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amply_verify.outcome import CheckFailure
from amply_verify.witness.decision import Answer, Witness
from amply_verify.witness.key import own_key
from amply_verify.witness.memory import Memory
from ledger_format.cosignatures import cosigned_at, read_cosignatures
from ledger_format.errors import WitnessRequestError
from ledger_format.notes import sign_note
from ledger_format.witnessing import (
    MAX_REQUEST_BYTES,
    AddCheckpoint,
    parse_add_checkpoint,
    parse_size_body,
)
from tests.verify.ledger_samples import COSIGNED_AT, ORIGIN, SIGNING_KEY, STRANGERS_KEY, sign, verifier_key
from tests.verify.watched_log import NAME, WatchedLog, a_witness

SIZE = "text/x.tlog.size"


@pytest.fixture
def log() -> WatchedLog:
    return WatchedLog()


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return a_witness(tmp_path)


def told(answer: Answer) -> tuple[int, str]:
    return int(answer.status), answer.body


def seen_size(witness: Witness) -> int:
    with witness.memory.exclusively() as turn:
        seen = turn.seen(ORIGIN)
    return seen.size if seen else 0


def test_each_checkpoint_that_extends_the_one_before_is_cosigned(witness: Witness, log: WatchedLog) -> None:
    for old, size in ((0, 1), (1, 2), (2, 5), (5, 256), (256, 300)):
        answer = witness.add_checkpoint(log.request(old, size))
        assert answer.status == 200, answer
        text = log.note(size).rpartition("\n\n")[0] + "\n"
        (signature,) = read_cosignatures(answer.body, text, [witness.key.verifier])
        assert cosigned_at(signature) == COSIGNED_AT
        assert seen_size(witness) == size


def test_the_same_checkpoint_again_is_cosigned_again_at_the_new_time(
    witness: Witness, log: WatchedLog
) -> None:
    witness.add_checkpoint(log.request(0, 5))
    later = replace(witness, seconds=lambda: COSIGNED_AT + 60)
    answer = later.add_checkpoint(log.request(5, 5))
    text = log.note(5).rpartition("\n\n")[0] + "\n"
    (signature,) = read_cosignatures(answer.body, text, [witness.key.verifier])
    assert (answer.status, cosigned_at(signature)) == (200, COSIGNED_AT + 60)


def test_an_empty_tree_is_cosigned_and_everything_extends_it(witness: Witness, log: WatchedLog) -> None:
    assert witness.add_checkpoint(log.request(0, 0)).status == 200
    assert witness.add_checkpoint(log.request(0, 7)).status == 200
    assert told(witness.add_checkpoint(log.request(0, 0))) == (409, "7\n")


@pytest.mark.parametrize(("old", "size"), [(0, 9), (4, 9), (6, 9), (9, 9)])
def test_another_old_size_is_answered_with_the_size_that_was_seen(
    old: int, size: int, witness: Witness, log: WatchedLog
) -> None:
    witness.add_checkpoint(log.request(0, 5))
    answer = witness.add_checkpoint(log.request(old, size))
    assert (told(answer), answer.content_type) == ((409, "5\n"), SIZE)
    assert parse_size_body(answer.body) == 5
    assert seen_size(witness) == 5


def test_a_log_that_goes_back_is_told_what_was_seen(witness: Witness, log: WatchedLog) -> None:
    witness.add_checkpoint(log.request(0, 5))
    assert told(witness.add_checkpoint(log.request(3, 4))) == (409, "5\n")
    assert witness.add_checkpoint(AddCheckpoint(5, (), log.note(4)).body()).status == 400


def test_another_tree_of_the_same_size_is_refused_and_kept_as_evidence(
    witness: Witness, log: WatchedLog
) -> None:
    witness.add_checkpoint(log.request(0, 5))
    fork = WatchedLog(twist=3)
    answer = witness.add_checkpoint(fork.request(5, 5))
    assert answer.status == 409
    assert answer.content_type != SIZE, "a size would say that asking again helps"
    assert [note for _, note in witness.memory.evidence()] == [fork.note(5)]


@pytest.mark.parametrize("twist", [0, 3, 4])
def test_another_history_is_refused_whatever_is_sent_as_its_proof(
    twist: int, witness: Witness, log: WatchedLog
) -> None:
    witness.add_checkpoint(log.request(0, 5))
    fork = WatchedLog(twist=twist)
    for body in (
        fork.request(5, 9),
        AddCheckpoint(5, log.proof(5, 9), fork.note(9)).body(),
        AddCheckpoint(5, (), fork.note(9)).body(),
    ):
        assert witness.add_checkpoint(body).status == 422
    assert seen_size(witness) == 5
    assert witness.add_checkpoint(log.request(5, 9)).status == 200, "the log itself goes on"


def test_a_proof_for_the_empty_tree_or_between_equals_is_refused(witness: Witness, log: WatchedLog) -> None:
    assert witness.add_checkpoint(AddCheckpoint(0, (bytes(32),), log.note(5)).body()).status == 422
    witness.add_checkpoint(log.request(0, 5))
    assert witness.add_checkpoint(AddCheckpoint(5, (bytes(32),), log.note(5)).body()).status == 422


def test_a_log_that_was_not_named_to_it_is_unknown_before_anything_is_verified(witness: Witness) -> None:
    other = f"other.example/log\n1\n{'A' * 43}=\n"
    body = AddCheckpoint(0, (), sign(other, name="other.example/log")).body()
    assert witness.add_checkpoint(body).status == 404
    spaced = sign_note(f"a log\n1\n{'A' * 43}=\n", "a", verifier_key().public_key, SIGNING_KEY.sign)
    assert witness.add_checkpoint(AddCheckpoint(0, (), spaced).body()).status == 404


@pytest.mark.parametrize(
    "note",
    [
        WatchedLog(key=STRANGERS_KEY).note(5),
        WatchedLog().note(5).replace("\n5\n", "\n6\n"),
        sign(f"{ORIGIN}\n5\n{'A' * 43}=\n", name="other.example/log"),
    ],
)
def test_what_the_log_s_key_has_not_signed_is_forbidden(note: str, witness: Witness) -> None:
    assert witness.add_checkpoint(AddCheckpoint(0, (), note).body()).status == 403
    assert seen_size(witness) == 0


def test_a_key_that_follows_another_is_trusted_beside_it(witness: Witness, log: WatchedLog) -> None:
    both = replace(witness, logs={ORIGIN: [verifier_key(), verifier_key(STRANGERS_KEY)]})
    assert both.add_checkpoint(log.request(0, 5)).status == 200
    assert both.add_checkpoint(WatchedLog(key=STRANGERS_KEY).request(5, 9)).status == 200


def test_extension_lines_are_cosigned_with_the_rest(witness: Witness, log: WatchedLog) -> None:
    """Other logs may have them (c2sp.org/tlog-checkpoint); ours never do."""
    head = log.note(5).rpartition("\n\n")[0]
    text = f"{head}\nextension\n"
    answer = witness.add_checkpoint(AddCheckpoint(0, (), sign(text)).body())
    assert len(read_cosignatures(answer.body, text, [witness.key.verifier])) == 1


@pytest.mark.parametrize("text", [f"{ORIGIN}\n5\n", f"{ORIGIN}\n05\n{'A' * 43}=\n", f"{ORIGIN}\n5\nAAAA\n"])
def test_a_signed_text_that_is_no_checkpoint_is_a_bad_request(text: str, witness: Witness) -> None:
    assert witness.add_checkpoint(AddCheckpoint(0, (), sign(text)).body()).status == 400


GOOD = WatchedLog().request(0, 5).decode()


@pytest.mark.parametrize(
    "body",
    [
        "",
        "\n\n",
        "old 0\n\n",
        "old 0",
        GOOD.replace("old 0", "old"),
        GOOD.replace("old 0", "old 00"),
        GOOD.replace("old 0", "old -1"),
        GOOD.replace("old 0", "old 9223372036854775808"),
        GOOD.replace("old 0", "old  0"),
        GOOD.replace("old 0", "Old 0"),
        GOOD.replace("old 0\n", "old 0\nAAAA\n"),
        GOOD.replace("old 0\n", "old 0\n" + f"{'A' * 43}=\n" * 64),
        GOOD.replace("old 0\n", "old 0\r\n"),
        GOOD.replace("old 0", "old 6"),
        GOOD[:-1],
        GOOD + "\n",
        GOOD.replace("\n\n", "\n"),
    ],
)
def test_a_malformed_request_is_a_bad_request(body: str, witness: Witness) -> None:
    assert witness.add_checkpoint(body.encode()).status == 400
    assert seen_size(witness) == 0


def test_bytes_that_are_no_text_or_too_many_are_a_bad_request(witness: Witness) -> None:
    assert witness.add_checkpoint(b"old 0\n\n\xff").status == 400
    assert witness.add_checkpoint(b"x" * (MAX_REQUEST_BYTES + 1)).status == 400


@given(st.binary(max_size=300))
def test_any_bytes_are_a_request_or_refused(raw: bytes) -> None:
    try:
        assert parse_add_checkpoint(raw).body() == raw
    except WitnessRequestError:
        return


def test_a_request_reads_back_as_it_is_written(log: WatchedLog) -> None:
    asked = parse_add_checkpoint(log.request(5, 300))
    assert (asked.old_size, asked.proof, asked.note) == (5, log.proof(5, 300), log.note(300))
    assert len(AddCheckpoint(2**63 - 1, (bytes(32),) * 63, "x" * 131_072).body()) <= MAX_REQUEST_BYTES


def test_the_root_of_an_empty_tree_is_the_hash_of_nothing(witness: Witness) -> None:
    text = f"{ORIGIN}\n0\n{'A' * 43}=\n"
    assert witness.add_checkpoint(AddCheckpoint(0, (), sign(text)).body()).status == 400


def test_of_requests_at_once_each_size_is_given_to_one(tmp_path: Path, log: WatchedLog) -> None:
    """Two memories over one file, as two processes would have: no answer ever rolls back another."""
    first, second = a_witness(tmp_path), a_witness(tmp_path)
    first.add_checkpoint(log.request(0, 1))
    bodies = [log.request(1, size) for size in range(2, 18)]
    answers: list[Answer] = []
    start = threading.Barrier(len(bodies), timeout=30)

    def ask(witness: Witness, body: bytes) -> None:
        start.wait()
        answers.append(witness.add_checkpoint(body))

    threads = [
        threading.Thread(target=ask, args=((first, second)[at % 2], body)) for at, body in enumerate(bodies)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    statuses = sorted(int(answer.status) for answer in answers)
    assert statuses == [200, *[409] * 15]
    (winner,) = (answer for answer in answers if answer.status == 200)
    assert f"cosigned {seen_size(first)} entries" in winner.reason


def test_what_was_cosigned_is_remembered_by_the_next_start(tmp_path: Path, log: WatchedLog) -> None:
    a_witness(tmp_path).add_checkpoint(log.request(0, 5))
    again = a_witness(tmp_path)
    assert told(again.add_checkpoint(log.request(0, 9))) == (409, "5\n")
    assert again.add_checkpoint(log.request(5, 9)).status == 200


def test_what_cannot_be_remembered_is_not_cosigned(tmp_path: Path, log: WatchedLog) -> None:
    witness = a_witness(tmp_path)
    (tmp_path / "witness.sqlite").write_bytes(b"no database at all, and long enough to be read as one" * 30)
    with pytest.raises(Exception, match="not a database"):
        witness.add_checkpoint(log.request(0, 5))
    with pytest.raises(CheckFailure, match="cannot be used"):
        Memory(tmp_path)


def test_evidence_is_bounded(tmp_path: Path, log: WatchedLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amply_verify.witness.memory._EVIDENCE_MAX", 3)
    witness = a_witness(tmp_path)
    witness.add_checkpoint(log.request(0, 5))
    for size in range(6, 12):
        witness.add_checkpoint(AddCheckpoint(5, (), WatchedLog(twist=2).note(size)).body())
    assert len(witness.memory.evidence()) == 3


def test_a_stranger_cannot_use_up_the_room_for_evidence(witness: Witness, log: WatchedLog) -> None:
    """Anyone can add lines to a note of the log, and send it with a wrong proof, as often as he likes."""
    witness.add_checkpoint(log.request(0, 5))
    for number in range(6):
        note = f"{log.note(9)}— stranger.example {base64.b64encode(bytes([number]) * 68).decode()}\n"
        assert witness.add_checkpoint(AddCheckpoint(5, (), note).body()).status == 422
    witness.add_checkpoint(WatchedLog(twist=2).request(5, 9))
    assert len(witness.memory.evidence()) == 2


def test_the_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    made = own_key(tmp_path, name=NAME)
    path = tmp_path / "witness.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert own_key(tmp_path, name=NAME).verifier == made.verifier
    assert [file.name for file in tmp_path.iterdir()] == ["witness.key"]
    assert path.read_text().startswith(f"PRIVATE+KEY+{NAME}+")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_key_that_others_may_read_is_not_used(mode: int, tmp_path: Path) -> None:
    own_key(tmp_path, name=NAME)
    (tmp_path / "witness.key").chmod(mode)
    with pytest.raises(CheckFailure, match="chmod 600"):
        own_key(tmp_path, name=NAME)


def test_a_key_belongs_to_one_name(tmp_path: Path) -> None:
    own_key(tmp_path, name=NAME)
    with pytest.raises(CheckFailure, match=f"of the witness {NAME}"):
        own_key(tmp_path, name="another.example")


@pytest.mark.parametrize("content", ["", "PRIVATE+KEY+", "garbage\n", "\udcff"])
def test_a_damaged_key_is_never_made_anew(content: str, tmp_path: Path) -> None:
    path = tmp_path / "witness.key"
    path.write_bytes(content.encode(errors="surrogateescape"))
    path.chmod(0o600)
    with pytest.raises(CheckFailure, match="bring back its backup"):
        own_key(tmp_path, name=NAME)
    assert path.read_bytes() == content.encode(errors="surrogateescape")


def test_one_changed_bit_of_the_key_is_noticed(tmp_path: Path) -> None:
    own_key(tmp_path, name=NAME)
    path = tmp_path / "witness.key"
    whole = path.read_bytes()
    for at in range(len(whole) - 2):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        try:
            key = own_key(tmp_path, name=NAME)
        except CheckFailure:
            continue
        # The id covers type, name and seed; a base64 digit may change only with them.
        raise AssertionError(f"byte {at} may change: {key.verifier}")


@pytest.mark.parametrize("name", ["", "two words", "plus+name", "x" * 201])
def test_a_name_that_no_note_can_carry_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(CheckFailure, match="choose another name"):
        own_key(tmp_path, name=name)
    assert list(tmp_path.iterdir()) == []
