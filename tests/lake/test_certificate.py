"""What receivers type: `amply-verify certificate`, and one changed byte."""

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from amply_lake import Release
from amply_verify.cli import cli
from amply_verify.outcome import Exit
from ledger_format.certificates import (
    Certificate,
    Part,
    encode_certificate,
    open_certificate,
    sign_certificate,
)
from ledger_format.errors import CertificateError, FormatError
from ledger_format.notes import sign_note
from tests.lake.lake_world import TestSigner, World, people, policy

KEY = str(TestSigner().verifier())


@dataclasses.dataclass(frozen=True)
class Received:
    """Two releases to one buyer, the second with a part more, and one to another."""

    first: Release
    second: Release
    stranger: Release

    @property
    def certificate(self) -> Path:
        return self.second.folder / "certificate"

    @property
    def data(self) -> list[Path]:
        return [self.second.folder / part.file for part in self.second.certificate.parts]


@pytest.fixture(scope="module")
def received(tmp_path_factory: pytest.TempPathFactory) -> Received:
    world = World(tmp_path_factory.mktemp("received"), policy())
    first = world.released(world.source(people(range(20))))
    second = world.released(world.source(people(range(30, 50), age=61)))
    return Received(first, second, world.released(buyer="stranger"))


def run(*arguments: str | Path, key: str | None = KEY) -> Result:
    given = ("--key", key) if key else ()
    return CliRunner().invoke(
        cli, ["certificate", *map(str, arguments), *given], env={"AMPLY_VERIFIER_KEY": None}
    )


def everything(received: Received) -> list[str | Path]:
    data = [part for path in received.data for part in ("--data", path)]
    return [received.certificate, *data, "--previous", received.first.folder / "certificate"]


def test_a_release_says_in_words_what_it_is(received: Received) -> None:
    result = run(*everything(received))
    assert result.exit_code == Exit.VERIFIED, result.stderr
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert lines[0] == f"OK: {received.certificate}"
    for line in (
        "release number 2 of gifts to buyer",
        "issued 2026-11-27 05:00:00 UTC",
        "l 2: so many values are in each class",
        "file part-000001.csv, 20 rows of 20 people, hash right, k, l and t counted again",
        "signed by amply.example/certificates",
    ):
        assert line in lines


def test_it_says_the_same_as_json(received: Received) -> None:
    document = json.loads(run(*everything(received), "--json").stdout)
    assert document["verdict"] == "verified"
    assert (document["release"], document["k"], document["l"], document["rows"]) == (2, 20, 2, 40)
    assert document["previous_checked"]
    assert all(part["rows_counted"] for part in document["parts"])


def test_without_the_files_it_says_that_they_were_not_looked_at(received: Received) -> None:
    result = run(received.certificate)
    assert result.exit_code == Exit.VERIFIED
    assert "not given (--previous)" in result.stdout
    assert "It does not prove what is in the files that were not given" in " ".join(result.stdout.split())


def changed(path: Path, at: int, into: Path) -> Path:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    into.write_bytes(content)
    return into


def test_one_changed_byte_of_the_certificate_is_refused_wherever_it_is(
    received: Received, tmp_path: Path
) -> None:
    raw = received.certificate.read_bytes()
    for at in range(len(raw)):
        altered = bytearray(raw)
        altered[at] ^= 1
        with pytest.raises(FormatError):
            open_certificate(bytes(altered), [TestSigner().verifier()])
    result = run(changed(received.certificate, len(raw) // 2, tmp_path / "certificate"))
    assert result.exit_code == Exit.SIGNATURE
    assert "is false: the text or the signature was changed" in result.stderr


def test_one_changed_byte_of_a_file_is_refused_with_the_reason(received: Received, tmp_path: Path) -> None:
    altered = changed(received.data[0], 100, tmp_path / received.data[0].name)
    result = run(received.certificate, "--data", altered)
    assert result.exit_code == Exit.MISMATCH
    assert "is not the file that was certified: its SHA-256 is" in result.stderr


def test_a_file_of_somebody_elses_release_is_refused(received: Received) -> None:
    result = run(received.certificate, "--data", received.stranger.folder / "part-000001.csv")
    assert result.exit_code == Exit.MISMATCH


def test_without_a_key_nothing_is_verified(received: Received) -> None:
    assert run(received.certificate, key=None).exit_code == Exit.NO_KEY
    assert run(received.certificate, key=f"9 {KEY}").exit_code == Exit.NO_KEY
    assert run(received.certificate, key=str(TestSigner(8).verifier())).exit_code == Exit.SIGNATURE


@pytest.mark.parametrize(
    ("which", "code"), [("stranger", Exit.MISMATCH), ("second", Exit.MISMATCH), ("first", Exit.VERIFIED)]
)
def test_the_certificate_before_has_to_be_the_one_before(received: Received, which: str, code: Exit) -> None:
    before = getattr(received, which).folder / "certificate"
    assert run(received.certificate, "--previous", before).exit_code == code


def test_two_certificates_of_one_number_are_a_fork(received: Received, tmp_path: Path) -> None:
    other = signed(dataclasses.replace(received.first.certificate, parts=received.second.certificate.parts))
    (tmp_path / "other").write_text(other, encoding="utf-8")
    assert run(received.certificate, "--previous", tmp_path / "other").exit_code == Exit.FORK


def signed(certificate: Certificate) -> str:
    signer = TestSigner()
    return sign_certificate(certificate, signer.name, signer.public_key, signer.sign)


def claiming(received: Received, tmp_path: Path, **claims: Any) -> Path:
    """A certificate that its signer should not have signed."""
    first, *others = received.second.certificate.parts
    told = dataclasses.replace(
        received.second.certificate, parts=(dataclasses.replace(first, **claims), *others)
    )
    (tmp_path / "claims").write_text(signed(told), encoding="utf-8")
    return tmp_path / "claims"


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"k": 19}, "k is 20, and"),
        ({"l": 9}, "l is 2, and"),
        ({"t": "0.4"}, "t is 0.0"),
        ({"classes": 3}, "classes is 1"),
    ],
)
def test_a_signed_claim_that_the_rows_do_not_bear_out_is_refused(
    received: Received, tmp_path: Path, claims: dict[str, Any], reason: str
) -> None:
    result = run(claiming(received, tmp_path, **claims), "--data", received.data[0])
    assert result.exit_code == Exit.BOOKS
    assert reason in result.stderr


def test_parquet_is_counted_where_pyarrow_is_and_otherwise_said_not_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, policy())
    done = world.release(world.source(people(range(20))), form="parquet")
    assert isinstance(done, Release)
    arguments: list[str | Path] = [done.folder / "certificate", "--data", done.folder / "part-000001.parquet"]
    assert run(*arguments).exit_code == Exit.VERIFIED
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    result = run(*arguments)
    assert result.exit_code == Exit.PARTLY
    assert "pyarrow is not installed" in result.stdout


@pytest.mark.parametrize(
    "changes",
    [
        {"k": 2},
        {"l": 1},
        {"t": None},
        {"rows": 21},
        {"people": 19},
        {"suppressed": 10},
        {"file": "../part.csv"},
        {"sha256": "0" * 63},
        {"levels": {}},
        {"sources": 0},
        {"sources_sha256": ""},
        {"loss": "1e-3"},
    ],
)
def test_what_contradicts_itself_is_not_signed(received: Received, changes: dict[str, Any]) -> None:
    part: Part = dataclasses.replace(received.first.certificate.parts[0], **changes)
    with pytest.raises(CertificateError):
        encode_certificate(dataclasses.replace(received.first.certificate, parts=(part,)))


def test_what_was_left_out_is_compared_as_decimals(received: Received) -> None:
    """As floats, 0.29 of 100 is 28.999999999999996."""
    told = {"rows_in": 100, "suppressed": 29, "suppression_limit": "0.29"}
    part = dataclasses.replace(received.first.certificate.parts[0], **told)  # type: ignore[arg-type]  # fields of several types
    encode_certificate(dataclasses.replace(received.first.certificate, parts=(part,)))


def test_what_leaves_no_room_for_a_signature_is_not_signed(received: Received) -> None:
    (part,) = received.first.certificate.parts
    wide = dataclasses.replace(part, levels={f"c{at:02}_{'x' * 50}": 0 for at in range(64)})
    parts = tuple(dataclasses.replace(wide, batch=at, file=f"part-{at}.csv") for at in range(1, 41))
    with pytest.raises(CertificateError, match="131072 bytes with its signature"):
        encode_certificate(dataclasses.replace(received.first.certificate, parts=parts))


def test_a_hundred_parts_of_five_hundred_files_are_one_certificate(received: Received) -> None:
    (part,) = received.first.certificate.parts
    few = dataclasses.replace(part, levels={"age": 0}, sources=500)
    parts = tuple(dataclasses.replace(few, batch=at, file=f"part-{at:06}.csv") for at in range(1, 101))
    certificate = dataclasses.replace(received.first.certificate, parts=parts)
    assert (
        open_certificate(signed(certificate).encode(), [TestSigner().verifier()]).certificate == certificate
    )


def test_a_version_that_is_not_known_yet_is_no_refusal(received: Received, tmp_path: Path) -> None:
    signer = TestSigner()
    text = encode_certificate(received.first.certificate).replace("@v1", "@v2")
    (tmp_path / "later").write_text(
        sign_note(text, signer.name, signer.public_key, signer.sign), encoding="utf-8"
    )
    assert run(tmp_path / "later").exit_code == Exit.UNKNOWN_VERSION
