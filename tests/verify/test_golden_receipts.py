"""Stored receipts, named for their fault, and the exit code the command line gives each. They must never change."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from amply_verify.cli import cli
from amply_verify.outcome import Exit
from ledger_format.receipts import encode_receipt
from tests.verify.worked_example import example_receipt

EXIT_CODES = {
    "valid": Exit.VERIFIED,
    "valid_without_openings": Exit.VERIFIED,
    "valid_with_an_unknown_witness": Exit.VERIFIED,
    "valid_with_a_reference_in_the_clear": Exit.VERIFIED,
    "valid_posting_of_a_pending_transfer": Exit.VERIFIED,
    "amount_changed": Exit.PROOF,
    "index_of_a_neighbour": Exit.PROOF,
    "index_outside_the_tree": Exit.PROOF,
    "proof_too_short": Exit.PROOF,
    "proof_too_long": Exit.PROOF,
    "proof_reordered": Exit.PROOF,
    "checkpoint_of_another_tree": Exit.PROOF,
    "checkpoint_signature_flipped": Exit.SIGNATURE,
    "checkpoint_signed_by_a_stranger": Exit.SIGNATURE,
    "checkpoint_size_raised": Exit.SIGNATURE,
    "opening_of_another_name": Exit.OPENING,
    "opening_with_another_salt": Exit.OPENING,
    "opening_of_an_uncommitted_field": Exit.MISMATCH,
    "entry_of_another_log": Exit.MISMATCH,
    "leaf_version_2": Exit.UNKNOWN_VERSION,
    "leaf_version_2_with_a_fraction": Exit.UNKNOWN_VERSION,
    "leaf_version_2_beyond_ascii": Exit.UNKNOWN_VERSION,
    "leaf_version_2_with_nothing_else": Exit.UNKNOWN_VERSION,
    "leaf_version_2_with_a_key_twice": Exit.MALFORMED,
    "leaf_version_2_as_a_string": Exit.MALFORMED,
    "leaf_version_0": Exit.MALFORMED,
    "leaf_beyond_ascii": Exit.MALFORMED,
    "leaf_posting_nothing_pending": Exit.MALFORMED,
    "leaf_pending_and_resolving": Exit.MALFORMED,
    "leaf_resolving_twice": Exit.MALFORMED,
    "leaf_resolving_itself": Exit.MALFORMED,
    "later_proof_format": Exit.MALFORMED,
    "leaf_with_spaces": Exit.MALFORMED,
    "leaf_with_a_key_twice": Exit.MALFORMED,
    "leaf_with_an_unknown_key": Exit.MALFORMED,
    "leaf_with_null": Exit.MALFORMED,
    "leaf_amount_as_number": Exit.MALFORMED,
    "leaf_amount_zero": Exit.MALFORMED,
    "leaf_amount_above_64_bits": Exit.MALFORMED,
    "leaf_moving_money_in_a_circle": Exit.MALFORMED,
    "checkpoint_with_an_extension_line": Exit.MALFORMED,
    "checkpoint_missing": Exit.MALFORMED,
    "extra_line_missing": Exit.MALFORMED,
    "extra_with_spare_bits": Exit.MALFORMED,
    "index_with_leading_zero": Exit.MALFORMED,
    "proof_hash_of_31_bytes": Exit.MALFORMED,
    "cut_in_the_middle": Exit.MALFORMED,
    "windows_line_ends": Exit.MALFORMED,
    "empty": Exit.MALFORMED,
}


def test_every_golden_receipt_is_judged(golden: Path) -> None:
    assert {file.stem for file in golden.glob("*.tlog-proof")} == set(EXIT_CODES)


@pytest.mark.parametrize(("name", "expected"), EXIT_CODES.items())
def test_a_golden_receipt_is_judged_as_its_name_says(golden: Path, name: str, expected: Exit) -> None:
    file, key = golden / f"{name}.tlog-proof", golden / "verifier-key.txt"
    words = CliRunner().invoke(cli, ["receipt", str(file), "--key", str(key)])
    assert words.exit_code == expected
    assert words.output.startswith("OK: " if expected is Exit.VERIFIED else "FAIL: ")
    document = json.loads(CliRunner().invoke(cli, ["receipt", str(file), "--key", str(key), "--json"]).stdout)
    assert document["exit_code"] == expected
    if expected is not Exit.VERIFIED:
        assert document["error"] == expected.name.lower()
        assert words.output.count("\n") == 1
        assert document["next"] in words.output


def test_the_valid_receipt_is_what_the_format_writes_today(golden: Path) -> None:
    assert (golden / "valid.tlog-proof").read_bytes() == encode_receipt(example_receipt())
