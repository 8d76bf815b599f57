"""A key that signs no more is believed up to its last tree and no further: by the command line, witnesses and pages alike.

The receipts under `golden/former_keys` are of a log whose first key ended at 3 entries, as `keys.txt` beside them says.
"""

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from amply_verify.cli import cli
from amply_verify.outcome import Exit
from ledger_format.checkpoints import open_checkpoint
from ledger_format.errors import NoteError, SignatureError, UntrustedNoteError
from ledger_format.log_keys import FormerKey, LogKey, parse_key_list, parse_log_key
from ledger_format.notes import add_signatures, split_note
from ledger_format.policies import parse_policy
from tests.verify.javascript_runner import Ask, kind, receipt_call
from tests.verify.ledger_samples import (
    NEXT_KEY,
    ORIGIN,
    STRANGERS_KEY,
    cosigned,
    sample_policy,
    sign,
    verifier_key,
)
from tests.verify.watched_log import WatchedLog, a_witness
from tests.verify.worked_example import example_overlap

EXIT_CODES = {
    "by_the_former_key_at_its_last_size": Exit.VERIFIED,
    "by_both_keys_at_its_last_size": Exit.VERIFIED,
    "by_the_new_key_beyond_it": Exit.VERIFIED,
    # The former key adds nothing there, and takes nothing away: anybody may add a line to a note.
    "by_both_keys_beyond_it": Exit.VERIFIED,
    "by_the_former_key_beyond_it": Exit.SIGNATURE,
    "by_the_former_key_beyond_it_and_falsely_by_the_new": Exit.SIGNATURE,
    "falsely_by_the_former_key_beyond_it_and_by_the_new": Exit.SIGNATURE,
}
FIRST, SECOND = verifier_key(), verifier_key(NEXT_KEY)
ENDED = FormerKey(FIRST, last_size=3)


@pytest.fixture
def receipts(golden: Path) -> Path:
    return golden / "former_keys"


def test_every_golden_receipt_is_judged_as_its_name_says(receipts: Path) -> None:
    keys = receipts / "keys.txt"
    assert {file.stem for file in receipts.glob("*.tlog-proof")} == set(EXIT_CODES)
    for name, expected in EXIT_CODES.items():
        judged = CliRunner().invoke(
            cli, ["receipt", str(receipts / f"{name}.tlog-proof"), "--key", str(keys)]
        )
        assert judged.exit_code == expected, (name, judged.output)


def test_the_page_judges_them_alike(ask: Ask, receipts: Path) -> None:
    lines = [line for line in (receipts / "keys.txt").read_text().splitlines() if not line.startswith("#")]
    files = [(receipts / f"{name}.tlog-proof").read_bytes() for name in EXIT_CODES]
    policy = f"log {FIRST}\nlog {SECOND}\nquorum none\n"
    for trust in ({"keys": lines}, {"policy": policy, "former": lines}):
        judged = dict(
            zip(EXIT_CODES, map(kind, ask([receipt_call(raw, **trust) for raw in files])), strict=True)
        )
        assert judged == {name: expected.name.lower() for name, expected in EXIT_CODES.items()}


def test_why_it_is_refused_is_said(receipts: Path) -> None:
    file = receipts / "by_the_former_key_beyond_it.tlog-proof"
    told = CliRunner().invoke(cli, ["receipt", str(file), "--key", f"3 {FIRST}", "--key", str(SECOND)])
    assert "the checkpoint of 4 entries is signed by a former key" in told.output
    assert "whose last tree had 3" in told.output


def text_of(size: int) -> str:
    return WatchedLog().note(size).rpartition("\n\n")[0] + "\n"


@pytest.mark.parametrize("keys", [[ENDED], [ENDED, FIRST], [FIRST, ENDED], [FormerKey(FIRST, 9), ENDED]])
def test_of_two_sayings_about_a_key_the_smaller_size_counts(keys: list[FormerKey]) -> None:
    assert open_checkpoint(sign(text_of(3)), keys).signers == (FIRST.name,)
    with pytest.raises(UntrustedNoteError, match="whose last tree had"):
        open_checkpoint(sign(text_of(4)), keys)


def test_a_policys_own_line_for_the_key_does_not_bring_it_back() -> None:
    policy = sample_policy(1, logs=[FIRST, SECOND])
    note = cosigned(sign(text_of(4)), "harbour")
    assert open_checkpoint(note, policy.log_keys, policy=policy).checkpoint.size == 4
    with pytest.raises(UntrustedNoteError, match="whose last tree had 3"):
        open_checkpoint(note, [ENDED, SECOND], policy=policy)
    by_both = add_signatures(note, split_note(sign(text_of(4), NEXT_KEY))[1])
    assert open_checkpoint(by_both, [ENDED, SECOND], policy=policy).signers == (SECOND.name,)
    only_first = parse_policy(f"log {FIRST}\nquorum none\n".encode())
    with pytest.raises(UntrustedNoteError, match="not signed by a log that the policy accepts"):
        open_checkpoint(by_both, [ENDED, SECOND], policy=only_first)


def test_a_false_signature_by_a_former_key_refuses_at_any_size() -> None:
    false = sign(text_of(4), NEXT_KEY) + sign(text_of(5)).rpartition("\n\n")[2]
    with pytest.raises(SignatureError):
        open_checkpoint(false, [ENDED, SECOND])


def test_the_overlapping_checkpoint_is_opened_with_either_key_alone() -> None:
    either: tuple[list[LogKey], ...] = ([ENDED], [SECOND], [ENDED, SECOND])
    for keys in either:
        assert open_checkpoint(example_overlap(), keys).checkpoint.size == 3


def test_a_witness_cosigns_no_larger_tree_by_a_former_key(tmp_path: Path) -> None:
    witness = replace(a_witness(tmp_path), logs={ORIGIN: [ENDED, SECOND]})
    log = WatchedLog()
    assert witness.add_checkpoint(log.request(0, 3)).status == 200
    refused = witness.add_checkpoint(log.request(3, 4))
    assert (refused.status, refused.reason) == (
        403,
        "only a former key of the log has signed, and its last tree was smaller",
    )
    assert witness.add_checkpoint(WatchedLog(key=NEXT_KEY).request(3, 4)).status == 200


def test_a_line_is_a_key_or_a_size_and_a_key() -> None:
    assert parse_log_key(f"3 {FIRST}") == ENDED
    assert str(ENDED) == f"3 {FIRST}"
    assert parse_log_key(f"0 {FIRST}") == FormerKey(FIRST, last_size=0)
    assert parse_key_list(f"# words\n\n{SECOND}\n 3 {FIRST} \n") == [SECOND, ENDED]


@pytest.mark.parametrize(
    "line", ["3 ", "3", "03 KEY", "-3 KEY", "3  KEY", "3\tKEY", "three KEY", "KEY 3", "9" * 19 + " KEY"]
)
def test_any_other_line_is_refused_by_both_verifiers(ask: Ask, golden: Path, line: str) -> None:
    written = line.replace("KEY", str(FIRST))
    with pytest.raises(NoteError):
        parse_log_key(written)
    valid = (golden / "valid.tlog-proof").read_bytes()
    (answer,) = ask([receipt_call(valid, keys=[written])])
    assert kind(answer) == "malformed"


def test_a_strangers_key_behind_a_size_makes_nobody_trusted(ask: Ask, golden: Path) -> None:
    valid = (golden / "valid.tlog-proof").read_bytes()
    stranger = f"100 {verifier_key(STRANGERS_KEY)}"
    (answer,) = ask(
        [receipt_call(valid, policy=f"log {SECOND}\nquorum none\n", former=[stranger, f"100 {FIRST}"])]
    )
    assert kind(answer) == "signature"
