"""Entries that are each well-formed and break a rule between them: stored logs, named for their fault."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from amply_verify.auditing import plan, records
from amply_verify.auditing.run import Audit, NoProgress, run_audit
from amply_verify.cli import cli
from amply_verify.keys import Trust
from amply_verify.outcome import CheckFailure, Exit
from ledger_format.tiles import TILE_WIDTH
from tests.verify.books_faults import STORIES
from tests.verify.ledger_samples import verifier_key
from tests.verify.log_files import Pen, write_log

SENTENCES = {
    "refund_above_the_gift": "2501 minor units of EUR have been taken back on",
    "refunds_above_the_gift_together": "which moved 2500",
    "refund_after_a_failed_refund_was_repeated": "2501 minor units",
    "reversal_of_a_reversal_of_a_reversal": "which is a reversal itself",
    "reversal_too_deep_though_it_only_reserves": "which is a reversal itself",
    "refund_after_a_late_failure_was_repeated": "2501 minor units",
    "refund_of_a_pending_gift": "which moved 0",
    "pending_refund_posted_above_the_gift": "3000 minor units",
    "posted_more_than_pending": "with 4001 minor units, and 4000 were pending",
    "voided_less_than_pending": "with 3999 minor units, and 4000 were pending",
    "posted_twice": "which was resolved before",
    "posted_after_it_was_voided": "which was resolved before",
    "posted_what_was_not_pending": "which is no pending transfer",
    "posted_a_line_that_is_not_there": "which is no pending transfer",
    "posted_to_another_account": "between other accounts or in another currency",
    "posted_in_another_currency": "between other accounts or in another currency",
    "posted_before_it_was_pending": "no earlier entry has this id",
    "reverses_an_entry_that_is_not_there": "no earlier entry has this id",
    "reverses_a_later_entry": "no earlier entry has this id",
    "supersedes_an_entry_that_is_not_there": "no earlier entry has this id",
    "superseded_twice": "which was superseded before",
    "matches_an_entry_that_is_not_there": "no earlier entry has this id",
    "one_id_twice": "stands for more than one entry",
    "one_id_in_two_organizations": "stands for more than one entry",
    "chain_begins_with_number_1": "is number 1 of",
    "chain_leaves_a_number_out": "is number 2 of",
    "chain_has_a_number_twice": "number 2 should come next",
    "chain_names_another_hash": "does not name the hash of the entry",
    "entry_of_another_log": "was written for the log log.amply.example/other",
}
MISMATCHES = {"entry_of_another_log"}


def stored(golden: Path, name: str) -> list[bytes]:
    return (golden / "books" / f"{name}.jsonl").read_bytes().splitlines()


def test_every_story_is_stored_as_it_is_told_and_has_its_verdict(golden: Path) -> None:
    assert {file.stem for file in (golden / "books").glob("*.jsonl")} == set(STORIES)
    assert {name for name in STORIES if not name.startswith("valid")} == set(SENTENCES)
    for name, story in STORIES.items():
        pen = Pen()
        story(pen)
        assert stored(golden, name) == pen.leaves, name


@pytest.mark.parametrize("name", STORIES)
def test_a_log_is_judged_as_its_name_says(golden: Path, tmp_path: Path, name: str) -> None:
    write_log(tmp_path, stored(golden, name))
    command = ["audit", str(tmp_path), "--key", str(verifier_key()), "--json"]
    told = json.loads(CliRunner().invoke(cli, command).stdout)
    if name.startswith("valid"):
        assert (told["verdict"], told["exit_code"]) == ("verified", Exit.VERIFIED)
    else:
        assert told["verdict"] == "refused"
        assert told["exit_code"] == (Exit.MISMATCH if name in MISMATCHES else Exit.BOOKS)
        assert SENTENCES[name] in told["message"]


@pytest.mark.parametrize("name", STORIES)
def test_the_verdict_is_the_same_when_the_entries_are_far_apart(
    golden: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each entry of the story in another part of the log, and every share split again."""
    monkeypatch.setattr(plan, "MAX_BUNDLES", 1)
    monkeypatch.setattr(records, "ENTRIES_PER_SHARE", 64)
    monkeypatch.setattr(records, "BYTES_PER_SHARE", 4_096)
    leaves: list[bytes] = []
    filling = Pen()
    for leaf in stored(golden, name):
        before = len(filling.leaves)
        for number in range(before, before + TILE_WIDTH - 1):
            filling.write(org="org_filling", id=f"ent_filling{number}")
        leaves += [leaf, *filling.leaves[before:]]
    write_log(tmp_path, leaves)
    wanted = Audit(place=str(tmp_path), trusted=Trust((verifier_key(),)))
    if name.startswith("valid"):
        assert run_audit(wanted, NoProgress()).entries == len(leaves)
    else:
        with pytest.raises(CheckFailure) as failure:
            run_audit(wanted, NoProgress())
        assert SENTENCES[name] in failure.value.reason


def test_the_books_of_a_log_are_told(golden: Path, tmp_path: Path) -> None:
    write_log(tmp_path, stored(golden, "valid_two_phases"))
    org = "org_01k9z3v8x4e5t6y7m8n9p0q1r2"
    command = ["audit", str(tmp_path), "--key", str(verifier_key()), "--org", org, "--json"]
    told = json.loads(CliRunner().invoke(cli, command).stdout)["books"]
    # Moved: 3500 posted, 1000 given, 600 and 400 taken back. Reserved still: 500.
    assert told["trial_balance"]["EUR"] == {
        "accounts": 2,
        "debits": "5500",
        "credits": "5500",
        "debit_balances": "3500",
        "credit_balances": "3500",
    }
    assert told["pending"] == {"EUR": "500"}
    assert (told["references"], told["resolutions"], told["organizations"]) == (3, 3, 1)
    assert told["accounts"] == [
        {"account": f"{org}/gifts", "currency": "EUR", "debits": "1000", "credits": "4500"},
        {"account": f"{org}/processor_balance", "currency": "EUR", "debits": "4500", "credits": "1000"},
    ]


def test_an_audit_of_the_end_alone_says_what_it_could_not_look_up(tmp_path: Path) -> None:
    pen = Pen()
    first = pen.write()
    pen.many(300)
    pen.write(reverses=first)
    write_log(tmp_path, pen.leaves)
    command = ["audit", str(tmp_path), "--key", str(verifier_key()), "--from", "260", "--json"]
    told = json.loads(CliRunner().invoke(cli, command).stdout)
    assert told["exit_code"] == Exit.VERIFIED
    assert (told["first_index"], told["entries"]) == (256, 46)
    assert told["books"]["references_not_looked_up"] == 1
