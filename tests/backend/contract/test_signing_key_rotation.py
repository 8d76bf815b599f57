"""A new signing key in the emulated KMS, as docs/runbooks/signing-key-rotation.md has it: nobody loses a receipt."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from click.testing import CliRunner

from amply.adapters.kms import KmsSigner
from amply.entrypoints.admin import main as admin
from amply.entrypoints.former_keys import parse_former_keys
from amply.modules import ledger
from amply_verify.cli import cli
from amply_verify.outcome import Exit
from ledger_format.checkpoints import open_checkpoint
from ledger_format.log_keys import FormerKey, parse_key_list
from ledger_format.notes import VerifierKey, split_note
from tests.backend.contract.test_ledger_outside import kms_key
from tests.backend.ledger_world import ORIGIN, LedgerWorld
from tests.backend.partners import Partner, asking, away, honest, partners

pytestmark = [pytest.mark.allow_hosts(["127.0.0.1"]), pytest.mark.usefixtures("cloud")]


@dataclass
class Rotating:
    """One log and its two keys; each `with_…` is a deployment of the runbook's next step."""

    books: LedgerWorld
    three: dict[str, Partner]
    first: str = field(default_factory=kms_key)
    second: str = field(default_factory=kms_key)

    def key(self, arn: str) -> VerifierKey:
        return VerifierKey.from_ed25519(ORIGIN, KmsSigner(key_arn=arn).public_key())

    def with_first(self) -> None:
        self.books.signer = KmsSigner(key_arn=self.first)  # type: ignore[assignment] # the real one
        self.books.before = ledger.FormerKeys()
        self.books.witnesses = asking(self.three)

    def with_second(self, before: ledger.FormerKeys) -> None:
        self.books.signer = KmsSigner(key_arn=self.second)  # type: ignore[assignment] # the real one
        self.books.before = before
        self.books.witnesses = asking(self.three)

    def overlapping(self) -> None:
        self.with_second(ledger.FormerKeys(overlapping=KmsSigner(key_arn=self.first)))

    def ended(self, size: int) -> None:
        former = ledger.FormerKey(key=self.key(self.first), last_size=size)
        self.with_second(ledger.FormerKeys(ended=(former,)))

    def publish(self, count: int = 1) -> str:
        """Publish new entries; returns the note that everyone sees."""
        self.books.check()
        self.books.post_many(count)
        self.books.sequence()
        assert self.books.publish() is not None
        return str(self.books.public_log.note)

    def signers(self, note: str) -> set[str]:
        """Which of the two keys have signed."""
        arns = {self.key(arn).key_id: name for name, arn in (("first", self.first), ("second", self.second))}
        return {arns[line.key_id] for line in split_note(note)[1] if line.key_id in arns}

    def receipt(self, path: Path) -> Path:
        posted = self.books.post(personal={"donor_name": "Zoë"})
        self.books.sequence()
        assert self.books.publish() is not None
        path.write_text(self.books.receipt(posted.id) or "")
        return path


@pytest.fixture
def log(books: LedgerWorld, tmp_path: Path) -> Rotating:
    rotating = Rotating(books, {})
    # Witnesses are told of the new key first.
    keys = (rotating.key(rotating.first), rotating.key(rotating.second))
    rotating.three = dict(partners(tmp_path, *keys))
    rotating.with_first()
    return rotating


def test_one_checkpoint_carries_both_signatures_and_the_next_only_the_new_one(log: Rotating) -> None:
    assert log.signers(log.publish(3)) == {"first"}
    log.overlapping()
    assert log.signers(log.publish(2)) == {"first", "second"}
    assert log.signers(log.publish(2)) == {"second"}
    log.ended(5)
    assert log.signers(log.publish(2)) == {"second"}


def test_the_overlapping_checkpoint_opens_with_either_key_and_its_witnesses(log: Rotating) -> None:
    log.publish()
    log.overlapping()
    note = log.publish()
    for arn in (log.first, log.second):
        assert open_checkpoint(note, [log.key(arn)]).checkpoint.size == 2
    assert len(split_note(note)[1]) == 2 + 3


def test_old_receipts_verify_with_the_former_key_and_new_ones_with_the_new(
    log: Rotating, tmp_path: Path
) -> None:
    old = log.receipt(tmp_path / "old")
    log.overlapping()
    between = log.receipt(tmp_path / "between")
    new = log.receipt(tmp_path / "new")
    first, second = str(log.key(log.first)), str(log.key(log.second))

    def code(receipt: Path, *keys: str) -> int:
        options = [part for key in keys for part in ("--key", key)]
        return CliRunner().invoke(cli, ["receipt", str(receipt), *options], env={}).exit_code

    assert [code(receipt, first) for receipt in (old, between, new)] == [0, 0, Exit.SIGNATURE]
    assert [code(receipt, second) for receipt in (old, between, new)] == [Exit.SIGNATURE, 0, 0]
    assert [code(receipt, first, second) for receipt in (old, between, new)] == [0, 0, 0]


def test_a_crash_between_the_deployment_and_the_overlap_changes_nothing(log: Rotating) -> None:
    """The last checkpoint of the former key was signed and not shown when the new key came."""
    log.publish()
    for partner in log.three.values():
        partner.manner = away
    log.books.post()
    log.books.sequence()
    with pytest.raises(ledger.QuorumMissing):
        log.books.publish()
    for partner in log.three.values():
        partner.manner = honest
    log.overlapping()
    log.books.check()
    assert log.books.publish() is not None
    assert log.signers(str(log.books.public_log.note)) == {"first", "second"}


def test_without_the_former_key_the_new_one_goes_on_from_its_last_tree(log: Rotating) -> None:
    """A key that is lost cannot overlap; what it signed last is public, and known by its size."""
    log.publish(3)
    log.ended(3)
    assert log.signers(log.publish()) == {"second"}


def test_a_former_key_is_not_believed_beyond_its_last_tree(log: Rotating) -> None:
    log.publish(3)
    log.ended(2)
    with pytest.raises(ledger.ForkRefused, match="signed by a former key only, which ended at 2"):
        log.books.check()


def test_a_key_nobody_announced_stops_the_publisher(log: Rotating) -> None:
    log.publish(3)
    log.with_second(ledger.FormerKeys())
    with pytest.raises(ledger.ForkRefused, match="not one this log's key has signed"):
        log.books.check()


def test_witnesses_that_were_not_told_refuse_the_new_key_and_the_log_waits(
    log: Rotating, tmp_path: Path
) -> None:
    untold = dict(partners(tmp_path, log.key(log.first)))
    log.three = untold
    log.with_first()
    log.publish()
    log.overlapping()
    log.publish()
    log.books.post()
    log.books.sequence()
    with pytest.raises(ledger.QuorumMissing, match="HTTP 403"):
        log.books.publish()


def test_operators_are_told_every_key_with_the_former_ones_marked(log: Rotating) -> None:
    first, second = log.key(log.first), log.key(log.second)
    environment = {
        "AMPLY_LOG_ORIGIN": ORIGIN,
        "AMPLY_SIGNING_KEY_ARN": log.second,
        "AMPLY_OVERLAPPING_KEY_ARN": "",
        "AMPLY_FORMER_KEYS": f"5 {first}",
    }
    told = CliRunner().invoke(admin, ["verifier-keys"], env=environment)
    assert told.exit_code == 0, told.output
    assert told.output.splitlines() == [
        f"# the present key of {ORIGIN}",
        str(second),
        "# former, behind the size of the last tree that it signed",
        f"5 {first}",
    ]
    assert parse_key_list(told.output) == [second, FormerKey(first, last_size=5)]
    overlap = {**environment, "AMPLY_OVERLAPPING_KEY_ARN": log.first, "AMPLY_FORMER_KEYS": ""}
    assert str(first) in CliRunner().invoke(admin, ["verifier-keys"], env=overlap).output.splitlines()


@pytest.mark.parametrize("text", ["5", "five KEY", "5 KEY KEY", "-1 KEY", "5 garbage"])
def test_a_malformed_former_key_is_refused(text: str, log: Rotating) -> None:
    written = text.replace("KEY", str(log.key(log.first)))
    with pytest.raises(ValueError, match="A former key is"):
        list(parse_former_keys(written, origin=ORIGIN))


def test_a_former_key_of_another_log_is_refused(log: Rotating) -> None:
    with pytest.raises(ValueError, match="of another log"):
        list(parse_former_keys(f"5 {log.key(log.first)}", origin="log.example/other"))


def test_the_runbook_types_the_commands_that_are_tried_here() -> None:
    page = Path(__file__).parents[3] / "docs" / "runbooks" / "signing-key-rotation.md"
    typed = set(re.findall(r"amply\.entrypoints\.admin ([a-z-]+)", page.read_text()))
    assert typed == {"verifier-key", "verifier-keys"}
