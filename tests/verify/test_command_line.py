"""What people type: `amply-verify receipt` and `checkpoint FILE`, without a network."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from amply_verify.cli import cli
from amply_verify.outcome import Exit
from amply_verify.words import amount_in_words, printable
from ledger_format.commitments import commit
from ledger_format.entries import encode
from ledger_format.receipts import Opening, encode_receipt
from tests.verify.conftest import ROOT
from tests.verify.ledger_samples import (
    STRANGERS_KEY,
    SampleLog,
    cosigned,
    sample_entry,
    sample_policy,
    verifier_key,
)
from tests.verify.worked_example import example_log, example_receipt

KEY = str(verifier_key())


def run(*arguments: str | Path, key: str | None = None, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(
        cli, [str(part) for part in arguments], env={"AMPLY_VERIFIER_KEY": key}, input=stdin
    )


@pytest.fixture
def receipt(golden: Path) -> Path:
    return golden / "valid.tlog-proof"


def test_a_receipt_says_in_words_what_it_proves(receipt: Path) -> None:
    result = run("receipt", receipt, "--key", KEY)
    assert result.exit_code == Exit.VERIFIED
    assert result.stderr == ""
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert lines[0] == f"OK: {receipt}"
    for line in (
        "entry ent_5q0x7m3gk9r2v8cdt4h6wzb1ne, donation.succeeded",
        "amount 25.00 EUR (2500 minor units)",
        "organisation org_01k9z3v8x4e5t6y7m8n9p0q1r2, its entry number 0",
        "time 2026-11-21 07:44 UTC",
        "index 0 of the 3 entries under the checkpoint",
        "opened: donor_name Zoë Ångström",
        "left closed donor_email, reference",
        "signed by log.amply.example/example",
    ):
        assert line in lines


def test_an_amount_that_completes_a_pending_transfer_says_so(golden: Path) -> None:
    result = run("receipt", golden / "valid_posting_of_a_pending_transfer.tlog-proof", "--key", KEY)
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert "amount 35.00 EUR (3500 minor units), post" in lines


def test_a_receipt_says_the_same_as_json(receipt: Path) -> None:
    result = run("receipt", receipt, "--key", KEY, "--json")
    document = json.loads(result.stdout)
    assert document["verdict"] == "verified"
    assert document["transfers"][0]["minor_units"] == "2500"
    assert document["opened"] == {"donor_name": "Zoë Ångström"}
    assert document["left_closed"] == ["donor_email", "reference"]
    assert document["checkpoint"]["size"] == 3


@pytest.mark.parametrize("arguments", [["receipt"], ["checkpoint"]])
def test_without_a_key_nothing_is_verified(receipt: Path, arguments: list[str]) -> None:
    result = run(*arguments, receipt)
    assert result.exit_code == Exit.NO_KEY
    assert result.stdout == ""
    assert "could not be checked" in result.stderr
    assert "--key" in result.stderr


def test_the_key_may_come_from_the_environment_as_itself_or_as_its_file(receipt: Path, golden: Path) -> None:
    assert run("receipt", receipt, key=KEY).exit_code == Exit.VERIFIED
    assert run("receipt", receipt, key=str(golden / "verifier-key.txt")).exit_code == Exit.VERIFIED


def test_a_key_given_by_hand_replaces_the_environment_s(receipt: Path) -> None:
    result = run("receipt", receipt, "--key", str(verifier_key(STRANGERS_KEY)), key=KEY)
    assert result.exit_code == Exit.SIGNATURE


def test_one_of_several_keys_is_enough(receipt: Path) -> None:
    result = run("receipt", receipt, "--key", str(verifier_key(STRANGERS_KEY)), "--key", KEY)
    assert result.exit_code == Exit.VERIFIED


def test_the_receipt_itself_is_no_source_of_keys(receipt: Path) -> None:
    assert run("receipt", receipt, "--key", receipt).exit_code == Exit.NO_KEY


@pytest.mark.parametrize(
    "content", [b"", b"# only a comment\n", b"\xff", b"x" * 70_000, (KEY + "\n").encode() * 65]
)
def test_a_key_file_without_usable_keys_is_refused(receipt: Path, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "key"
    file.write_bytes(content)
    assert run("receipt", receipt, "--key", file).exit_code == Exit.NO_KEY


@pytest.mark.parametrize("name", ["missing.tlog-proof", ".", "nul\0byte"])
def test_a_file_that_cannot_be_read_was_not_checked(name: str) -> None:
    result = run("receipt", name, "--key", KEY, "--json")
    assert result.exit_code == Exit.UNREADABLE
    assert json.loads(result.stdout)["verdict"] == "not_checked"


def test_a_huge_file_is_refused_without_reading_it_all(tmp_path: Path) -> None:
    file = tmp_path / "huge"
    with file.open("wb") as handle:
        handle.truncate(1 << 40)  # sparse: a terabyte that takes no room
    assert run("receipt", file, "--key", KEY).exit_code == Exit.MALFORMED


def test_a_receipt_may_come_from_standard_input(receipt: Path) -> None:
    assert run("receipt", "-", "--key", KEY, stdin=receipt.read_bytes()).exit_code == Exit.VERIFIED


def test_a_checkpoint_file_is_verified(tmp_path: Path) -> None:
    file = tmp_path / "checkpoint"
    file.write_text(example_log().note())
    result = run("checkpoint", file, "--key", KEY)
    assert result.exit_code == Exit.VERIFIED
    assert "3 entries, root " in result.stdout
    assert "not read" in result.stdout


def test_a_false_checkpoint_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "checkpoint"
    file.write_text(example_log().note().replace("\n3\n", "\n4\n"))
    result = run("checkpoint", file, "--key", KEY, "--json")
    assert result.exit_code == Exit.SIGNATURE
    assert json.loads(result.stdout)["verdict"] == "refused"


def test_a_hostile_name_cannot_steer_the_terminal(tmp_path: Path) -> None:
    name, salt = "\x1b[2J\x1b]0;OK\x07\u202eEUR [bold]x[/bold]\n  OK: forged", bytes(32)
    entry = sample_entry(commitments={"donor_name": commit(field="donor_name", value=name, salt=salt)})
    file = tmp_path / "hostile.tlog-proof"
    file.write_bytes(
        encode_receipt(SampleLog([encode(entry)]).receipt(0, {"donor_name": Opening(name, salt)}))
    )
    result = run("receipt", file, "--key", KEY)
    assert result.exit_code == Exit.VERIFIED
    assert not set(result.stdout) & {"\x1b", "\x07", "\u202e"}
    assert "\\x1b[2J" in result.stdout
    assert "[bold]x[/bold]\\n  OK: forged" in result.stdout


@pytest.mark.parametrize("arguments", [[], ["receipt"], ["receipt", "--keys"], ["entry", "ent_1"], ["audit"]])
def test_wrong_usage_never_exits_with_0(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == Exit.USAGE


@pytest.mark.parametrize("entry_id", ["don_1", "ent_1/../../x", "ent_", "ENT_1"])
def test_what_is_no_entry_id_never_reaches_an_address(entry_id: str) -> None:
    result = run("entry", entry_id, "--api", "https://a.example", "--log", "https://b.example", "--key", KEY)
    assert result.exit_code == Exit.USAGE


@pytest.mark.parametrize(
    ("api", "log"), [("file:///etc/passwd", "https://b.example"), ("https://a.example", "b")]
)
def test_only_http_addresses_are_read(api: str, log: str) -> None:
    assert run("entry", "ent_1", "--api", api, "--log", log, "--key", KEY).exit_code == Exit.USAGE


@pytest.mark.parametrize(
    ("minor_units", "currency", "words"),
    [
        (2500, "EUR", "25.00 EUR (2500 minor units)"),
        (5, "USD", "0.05 USD (5 minor units)"),
        (2500, "JPY", "2500 minor units of JPY"),
        (2500, "KWD", "2500 minor units of KWD"),
        (2**63 - 1, "EUR", "92233720368547758.07 EUR (9223372036854775807 minor units)"),
    ],
)
def test_an_amount_has_a_decimal_point_only_where_the_format_pins_one(
    minor_units: int, currency: str, words: str
) -> None:
    assert amount_in_words(minor_units, currency) == words


def test_ordinary_names_are_printed_as_they_are() -> None:
    assert printable("Zoë Ångström 愛") == "Zoë Ångström 愛"


def test_the_module_runs_as_a_command_and_needs_no_terminal_that_can_show_every_name(receipt: Path) -> None:
    sources = [str(ROOT / "services" / name / "src") for name in ("ledger_format", "verify")]
    environment = {
        "PYTHONPATH": os.pathsep.join(sources),
        "PYTHONIOENCODING": "ascii",
        "PATH": os.environ["PATH"],
    }
    command = [sys.executable, "-m", "amply_verify", "receipt", str(receipt), "--key", KEY]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == Exit.VERIFIED
    assert result.stdout.startswith("OK: ")
    assert "Zo\\xeb" in result.stdout


def test_a_defect_is_never_taken_for_a_verdict(receipt: Path) -> None:
    sources = [str(ROOT / "services" / name / "src") for name in ("ledger_format", "verify")]
    program = (
        "import sys, amply_verify.cli as c\n"
        "def broken(*_): raise ZeroDivisionError\n"
        "c.check_receipt = broken\n"
        f"sys.argv = ['amply-verify', 'receipt', {str(receipt)!r}, '--key', {KEY!r}]\n"
        "c.main()\n"
    )
    environment = {"PYTHONPATH": os.pathsep.join(sources), "PATH": os.environ["PATH"]}
    command = [sys.executable, "-c", program]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == Exit.INTERNAL
    assert result.stdout == ""
    assert "nothing was verified" in result.stderr


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy"
    path.write_text(sample_policy().text())
    return path


def witnessed_receipt(path: Path, *names: str) -> Path:
    receipt = dataclasses.replace(example_receipt(), checkpoint_note=cosigned(example_log().note(), *names))
    path.write_bytes(encode_receipt(receipt))
    return path


def test_a_policy_that_is_met_says_who_witnessed_and_when(policy: Path, tmp_path: Path) -> None:
    receipt = witnessed_receipt(tmp_path / "r", "lantern", "harbour")
    result = run("receipt", receipt, "--policy", policy, "--key", KEY)
    assert result.exit_code == Exit.VERIFIED
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert "witnessed by harbour (witness.harbour.example), 2026-11-18T11:06:40Z" in lines
    assert "witnessed by lantern (witness.lantern.example), 2026-11-18T11:06:40Z" in lines
    assert "witnesses demanded the quorum partners of the policy, which is met" in lines
    assert "shown the same log" not in result.stdout
    document = json.loads(run("receipt", receipt, "--policy", policy, "--json").stdout)["checkpoint"]
    assert (document["witnesses_demanded"], document["quorum"]) == (True, "partners")
    assert [seen["name"] for seen in document["witnesses"]] == ["harbour", "lantern"]


@pytest.mark.parametrize("names", [(), ("harbour",)])
@pytest.mark.parametrize("as_json", [False, True])
def test_too_few_witnesses_have_an_exit_code_of_their_own(
    names: tuple[str, ...], policy: Path, tmp_path: Path, *, as_json: bool
) -> None:
    receipt = witnessed_receipt(tmp_path / "r", *names)
    result = run("receipt", receipt, "--policy", policy, *(["--json"] if as_json else []))
    assert result.exit_code == 15
    if as_json:
        assert json.loads(result.stdout)["error"] == "quorum"
        assert json.loads(result.stdout)["verdict"] == "refused"
    else:
        assert "are not enough for the policy's quorum" in result.stderr


@pytest.mark.parametrize("given", ["none", "policy"])
def test_that_no_witness_was_demanded_is_said_clearly(given: str, tmp_path: Path) -> None:
    receipt = witnessed_receipt(tmp_path / "r", "harbour", "lantern")
    options = ["--key", KEY]
    if given == "policy":
        (tmp_path / "policy").write_text("quorum none\n")
        options += ["--policy", str(tmp_path / "policy")]
    result = run("receipt", receipt, *options)
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert result.exit_code == Exit.VERIFIED
    assert any(line.startswith("witnesses demanded NONE:") for line in lines)
    assert "that others are shown the same log" in result.stdout
    document = json.loads(run("receipt", receipt, *options, "--json").stdout)
    assert document["checkpoint"]["witnesses_demanded"] is False


def test_a_checkpoint_is_held_against_a_policy_too(policy: Path, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    path.write_text(cosigned(example_log().note(), "harbour"))
    assert run("checkpoint", path, "--policy", policy).exit_code == Exit.QUORUM
    path.write_text(cosigned(example_log().note(), "harbour", "orchard"))
    assert run("checkpoint", path, "--policy", policy).exit_code == Exit.VERIFIED


def test_the_policy_may_come_from_the_environment(policy: Path, tmp_path: Path) -> None:
    receipt = witnessed_receipt(tmp_path / "r", "harbour")
    told = {"AMPLY_POLICY": str(policy), "AMPLY_VERIFIER_KEY": None}
    assert CliRunner().invoke(cli, ["receipt", str(receipt)], env=told).exit_code == Exit.QUORUM


def test_a_key_given_beside_a_policy_must_have_signed_as_well(policy: Path, tmp_path: Path) -> None:
    receipt = witnessed_receipt(tmp_path / "r", "harbour", "lantern")
    stranger = str(verifier_key(STRANGERS_KEY))
    assert run("receipt", receipt, "--policy", policy, "--key", stranger).exit_code == Exit.SIGNATURE


@pytest.mark.parametrize(
    "content",
    ["", "quorum none", "quorum x\n", "x" * 200_000],
    ids=["empty", "cut off", "undefined", "too long"],
)
def test_a_policy_that_cannot_be_read_checks_nothing(content: str, tmp_path: Path) -> None:
    receipt = witnessed_receipt(tmp_path / "r", "harbour", "lantern")
    (tmp_path / "policy").write_text(content)
    result = run("receipt", receipt, "--policy", tmp_path / "policy", "--key", KEY)
    assert result.exit_code == Exit.NO_KEY
    assert "could not be checked" in result.stderr
    assert run("receipt", receipt, "--policy", tmp_path / "nowhere").exit_code == Exit.UNREADABLE


def test_a_policy_without_logs_needs_a_key_beside_it(tmp_path: Path) -> None:
    receipt = witnessed_receipt(tmp_path / "r", "harbour", "lantern")
    (tmp_path / "policy").write_text(sample_policy(logs=[]).text())
    assert run("receipt", receipt, "--policy", tmp_path / "policy").exit_code == Exit.NO_KEY
    assert run("receipt", receipt, "--policy", tmp_path / "policy", "--key", KEY).exit_code == Exit.VERIFIED
