"""Signed notes, verifier keys and checkpoints."""

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger_format.checkpoints import Checkpoint, open_checkpoint, parse_checkpoint
from ledger_format.errors import CheckpointError, NoteError, SignatureError, UntrustedNoteError
from ledger_format.literals import EMPTY_ROOT, to_base64
from ledger_format.notes import MAX_SIGNATURES, VerifierKey, open_note, sign_note
from tests.verify.ledger_samples import ORIGIN, SIGNING_KEY, STRANGERS_KEY, sign, verifier_key

TEXT = "Three lines\n\nof prose, with ümlauts\n"
KEY = verifier_key()
SIGNATURE_LINE = sign(TEXT).split("\n\n")[-1]
STRANGERS_LINE = sign(TEXT, STRANGERS_KEY, "stranger.example").split("\n\n")[-1]


def test_a_signed_note_opens_with_its_key() -> None:
    opened = open_note(sign(TEXT), [KEY])
    assert opened.text == TEXT
    assert [(signature.name, signature.key_id) for signature in opened.signatures] == [(ORIGIN, KEY.key_id)]


def test_without_a_trusted_key_no_note_opens() -> None:
    with pytest.raises(UntrustedNoteError):
        open_note(sign(TEXT), [])
    with pytest.raises(UntrustedNoteError):
        open_note(sign(TEXT), [verifier_key(STRANGERS_KEY)])
    with pytest.raises(UntrustedNoteError):
        open_note(sign(TEXT), [verifier_key(name="other.example")])


def test_signatures_by_strangers_are_ignored_and_not_reported() -> None:
    opened = open_note(sign(TEXT) + STRANGERS_LINE, [KEY])
    assert [signature.name for signature in opened.signatures] == [ORIGIN]


def test_one_false_signature_by_a_trusted_key_refuses_the_note_even_beside_a_true_one() -> None:
    other = sign("Another text\n").split("\n\n")[-1]
    with pytest.raises(SignatureError):
        open_note(sign(TEXT) + other, [KEY])


def test_a_signature_of_another_length_is_refused() -> None:
    with pytest.raises(SignatureError):
        open_note(f"{TEXT}\n— {ORIGIN} {to_base64(KEY.key_id + bytes(63))}\n", [KEY])


def test_sixteen_signatures_are_accepted_as_the_specification_asks_and_too_many_refused() -> None:
    assert open_note(sign(TEXT) + STRANGERS_LINE * 15, [KEY]).text == TEXT
    with pytest.raises(NoteError):
        open_note(sign(TEXT) + STRANGERS_LINE * MAX_SIGNATURES, [KEY])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: "",
        lambda note: note[:-1],
        lambda note: note + "\n",
        lambda note: note.replace("\n", "\r\n"),
        lambda note: note.replace("— ", "- "),
        lambda note: note.replace("— ", "—  "),
        lambda note: note.replace("prose", "pro\tse"),
        lambda note: note.replace("prose", "pro\0se"),
        lambda note: note.replace("prose", "pro\ud800se"),
        lambda note: note.replace("=\n", "\n"),
        lambda note: note.replace(ORIGIN, "log+example"),
        lambda note: note.replace(ORIGIN, "log\u00a0example"),
        lambda note: note.replace(ORIGIN, ""),
        lambda note: note.replace("\n\n— ", "\n— "),
        lambda note: note + "not a signature\n",
        lambda note: "x" * 200_000 + note,
        lambda _: "\n\n" + SIGNATURE_LINE,
        lambda _: TEXT,
        lambda _: TEXT + "\n— name AAAA\n",
    ],
)
def test_a_malformed_note_is_refused(spoil: Callable[[str], str]) -> None:
    with pytest.raises(NoteError):
        open_note(spoil(sign(TEXT)), [KEY])


def test_unusual_line_separators_are_part_of_the_text_and_break_nothing() -> None:
    text = "a\u2028b\u0085c\n"
    assert open_note(sign(text), [KEY]).text == text


def test_signing_refuses_a_signature_of_another_key_than_the_one_named() -> None:
    with pytest.raises(SignatureError):
        sign_note(TEXT, ORIGIN, KEY.public_key, STRANGERS_KEY.sign)


@pytest.mark.parametrize("text", ["", "\n", "no newline", "bell\a\n"])
def test_signing_refuses_what_could_not_be_opened(text: str) -> None:
    with pytest.raises(NoteError):
        sign(text)


def test_a_verifier_key_reads_back_as_it_is_written() -> None:
    assert VerifierKey.parse(str(KEY)) == KEY
    assert str(KEY).startswith(f"{ORIGIN}+{KEY.key_id.hex()}+")


@pytest.mark.parametrize(
    "text",
    [
        "",
        ORIGIN,
        f"{ORIGIN}+{'0' * 8}+{str(KEY).split('+', 2)[2]}",
        str(KEY).replace(ORIGIN, "log.amply.example/other"),
        str(KEY)[:-4],
        str(KEY) + "=",
        str(KEY) + "\n",
        str(KEY).upper(),
        str(KEY).replace("+A", "+B", 1),
        "+" + str(KEY).split("+", 1)[1],
    ],
)
def test_a_malformed_verifier_key_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        VerifierKey.parse(text)


def test_a_public_key_of_another_length_is_refused() -> None:
    with pytest.raises(NoteError):
        VerifierKey.from_ed25519(ORIGIN, bytes(31))


def test_thirty_two_bytes_that_are_no_key_verify_nothing() -> None:
    assert not VerifierKey.from_ed25519(ORIGIN, b"\xff" * 32).verify(TEXT, bytes(64))


CHECKPOINT = Checkpoint(ORIGIN, 3, bytes(range(32)))


def test_a_checkpoint_reads_back_as_it_is_written() -> None:
    text = CHECKPOINT.note_text()
    assert text == f"{ORIGIN}\n3\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
    assert parse_checkpoint(text) == CHECKPOINT


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: "",
        lambda text: text[:-1],
        lambda text: text + "extension\n",
        lambda text: text + "\n",
        lambda text: text.replace("\n3\n", "\n03\n"),
        lambda text: text.replace("\n3\n", "\n-3\n"),
        lambda text: text.replace("\n3\n", "\n٣\n"),
        lambda text: text.replace("\n3\n", "\n9223372036854775808\n"),
        lambda text: text.replace("\n3\n", "\n0\n"),
        lambda text: text.replace("Hh8=", "Hh9="),
        lambda text: text.replace("Hh8=", "Hh8"),
        lambda text: text.replace("Hh8=", "Hg=="),
        lambda text: text.replace(ORIGIN, "log example"),
        lambda text: text.replace(ORIGIN, ""),
    ],
)
def test_a_malformed_checkpoint_is_refused(spoil: Callable[[str], str]) -> None:
    with pytest.raises(CheckpointError):
        parse_checkpoint(spoil(CHECKPOINT.note_text()))


def test_the_empty_tree_has_one_root() -> None:
    assert parse_checkpoint(Checkpoint(ORIGIN, 0, EMPTY_ROOT).note_text()).size == 0
    with pytest.raises(CheckpointError):
        Checkpoint(ORIGIN, 0, bytes(32))


def test_a_signed_checkpoint_opens() -> None:
    opened = open_checkpoint(sign(CHECKPOINT.note_text()), [KEY])
    assert opened.checkpoint == CHECKPOINT
    assert opened.signers == (ORIGIN,)


def test_a_trusted_witness_alone_does_not_speak_for_the_log() -> None:
    witness = Ed25519PrivateKey.generate()
    note = sign(CHECKPOINT.note_text(), witness, "witness.example")
    with pytest.raises(UntrustedNoteError):
        open_checkpoint(note, [KEY, verifier_key(witness, "witness.example")])


def test_one_trusted_log_does_not_speak_for_another() -> None:
    other = verifier_key(SIGNING_KEY, "log.amply.example/other")
    note = sign(CHECKPOINT.note_text(), SIGNING_KEY, "log.amply.example/other")
    with pytest.raises(UntrustedNoteError):
        open_checkpoint(note, [other])
