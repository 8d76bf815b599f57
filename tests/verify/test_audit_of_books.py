"""Entries that are each well-formed and break a rule between them: stored logs, named for their fault."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from amply_verify.auditing import plan, records
from amply_verify.auditing.run import Audit, NoProgress, run_audit
from amply_verify.cli import cli
from amply_verify.keys import Trust
from amply_verify.outcome import CheckFailure, Exit
from ledger_format.entries import decode
from ledger_format.tiles import TILE_WIDTH
from tests.verify.books_faults import STORIES
from tests.verify.ledger_samples import ORGANIZATION, sample_transfer, verifier_key
from tests.verify.log_files import Pen, gift, write_log

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


@pytest.mark.parametrize("bytes_per_share", [records.BYTES_PER_SHARE, 4_096], ids=["whole", "split"])
def test_what_several_parts_moved_on_an_account_adds_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bytes_per_share: int
) -> None:
    """The same accounts in every part, in steps of two phases as well, against sums of what each entry says."""
    monkeypatch.setattr(plan, "MAX_BUNDLES", 1)
    monkeypatch.setattr(records, "ENTRIES_PER_SHARE", 64)
    monkeypatch.setattr(records, "BYTES_PER_SHARE", bytes_per_share)
    pen = Pen()
    for _ in range(3):
        pen.many(TILE_WIDTH)
        pending = pen.write(gift(400, phase="pending"), gift(70))
        pen.write(gift(300, phase="post", pending=f"{pending}#0"), gift(5))
    write_log(tmp_path, pen.leaves)
    wanted = Audit(place=str(tmp_path), trusted=Trust((verifier_key(),)), balances_of=ORGANIZATION)
    books = run_audit(wanted, NoProgress()).books
    assert books is not None
    expected: dict[tuple[str, str], tuple[int, int]] = {}
    for transfer in (line for leaf in pen.leaves for line in decode(leaf).transfers):
        if transfer.phase != "pending" and transfer.debit.startswith(ORGANIZATION):
            for account, debit, credit in ((transfer.debit, 1, 0), (transfer.credit, 0, 1)):
                debits, credits_ = expected.get((account, transfer.currency), (0, 0))
                expected[account, transfer.currency] = (
                    debits + debit * transfer.amount_minor,
                    credits_ + credit * transfer.amount_minor,
                )
    assert {place: tuple(sums) for place, sums in books.accounts.items()} == expected
    assert books.reserved == {}


def audit_from(folder: Path, pen: Pen, first: int, *options: str) -> Result:
    write_log(folder, pen.leaves)
    return CliRunner().invoke(
        cli, ["audit", str(folder), "--key", str(verifier_key()), "--from", str(first), *options]
    )


def test_an_audit_of_the_end_alone_says_what_it_could_not_check_and_never_ok(tmp_path: Path) -> None:
    pen = Pen()
    first = pen.write()
    pen.many(300)
    last = pen.write(reverses=first)
    done = audit_from(tmp_path, pen, 260, "--json")
    told = json.loads(done.stdout)
    assert done.exit_code == told["exit_code"] == Exit.PARTLY
    assert (told["verdict"], told["error"]) == ("not_checked", "partly")
    assert (told["first_index"], told["entries"]) == (256, 46)
    assert (told["books"]["references_not_checked"], told["books"]["chains_not_checked"]) == (1, 2)
    assert told["not_checked"] == [
        "whether an id of these entries stands for one before index 256 as well",
        "what the chains of 2 organisations that began before index 256 go on from",
        f"1 references to entries before index 256, or to none: entry 301, {last} reverses {first}",
    ]
    words = audit_from(tmp_path, pen, 260).output
    assert words.startswith("PARTLY: ")
    assert all(said in words for said in told["not_checked"])
    assert audit_from(tmp_path, pen, 255).exit_code == Exit.VERIFIED, "rounded down, that is the whole log"


def test_an_audit_of_the_end_is_never_ok_even_when_nothing_in_it_points_back(tmp_path: Path) -> None:
    pen = Pen()
    pen.many(256)
    pen.write(org="org_second")
    told = json.loads(audit_from(tmp_path, pen, 256, "--json").stdout)
    assert told["exit_code"] == Exit.PARTLY
    assert len(told["not_checked"]) == 1


def test_a_reference_to_a_later_entry_is_refused_wherever_the_audit_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the later entry is in another part of the log, so that it is met after the reference."""
    for apart in (0, 400):
        pen = Pen()
        pen.many(300)
        later = "ent_" + "9" * 26
        pen.write(reverses=later)
        pen.many(apart)
        pen.write(id=later)
        monkeypatch.setattr(plan, "MAX_BUNDLES", 1)
        for first in (0, 256):
            refused = audit_from(tmp_path / f"{apart}", pen, first)
            assert refused.exit_code == Exit.BOOKS, (apart, first, refused.output)
            reason = "which stands behind it" if first else "no earlier entry has this id"
            assert reason in refused.output


def test_a_resolution_of_what_comes_later_is_refused_too(tmp_path: Path) -> None:
    pen = Pen()
    pen.many(300)
    later = "ent_" + "9" * 26
    pen.write(transfers=(sample_transfer(phase="post", pending=f"{later}#0"),))
    pen.write(id=later, transfers=(sample_transfer(phase="pending"),))
    refused = audit_from(tmp_path, pen, 256)
    assert refused.exit_code == Exit.BOOKS
    assert "posts a transfer of" in refused.output


def test_many_references_out_of_the_part_are_counted_and_the_first_told(tmp_path: Path) -> None:
    pen = Pen()
    gifts = [pen.write() for _ in range(256)]
    for each in gifts[:9]:
        pen.write(matches=each)
    (_, _, said) = json.loads(audit_from(tmp_path, pen, 256, "--json").stdout)["not_checked"]
    assert said.startswith("9 references")
    assert [f"entry {256 + number}," in said for number in range(9)] == [True] * 5 + [False] * 4
    assert said.endswith("; and 4 more")
