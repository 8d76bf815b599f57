"""What witnesses sign, and checkpoints that a policy demands their signatures of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger_format.checkpoints import Checkpoint, open_checkpoint
from ledger_format.cosignatures import (
    MAX_COSIGNATURES_BYTES,
    WitnessKey,
    cosign,
    cosigned_at,
    cosigned_message,
    read_cosignatures,
)
from ledger_format.errors import NoteError, QuorumError, SignatureError, UntrustedNoteError
from ledger_format.literals import to_base64
from ledger_format.notes import VerifierKey, add_signatures, open_note, split_note
from ledger_format.policies import UNWITNESSED
from tests.verify.ledger_samples import (
    COSIGNED_AT,
    ORIGIN,
    SIGNING_KEY,
    STRANGERS_KEY,
    WITNESSES,
    cosignature,
    cosigned,
    sample_policy,
    sign,
    verifier_key,
    witness_key,
)

CHECKPOINT = Checkpoint(ORIGIN, 3, bytes(range(32)))
TEXT = CHECKPOINT.note_text()
NOTE = sign(TEXT)
LOG = verifier_key()
HARBOUR = witness_key("harbour")

# A witness of the public network; its key id is published with it (github.com/transparency-dev/formats, BSD-3-Clause).
REMORA = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"


def test_a_witness_of_the_public_network_has_the_key_id_it_is_published_with() -> None:
    key = WitnessKey.parse(REMORA)
    assert (key.name, key.key_id.hex(), str(key)) == ("remora.n621.de", "da77ade7", REMORA)


def test_the_message_is_a_header_a_time_and_the_whole_text() -> None:
    expected = (
        b"cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\n"
        b"CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    )
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    assert cosigned_message(text, seconds=1679315147) == expected


def test_the_specification_s_example_line_is_read_as_it_says() -> None:
    """Its keys are not published, so its parts are all that can be held: 72 bytes, and the time."""
    line = (
        "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5"
        "nNo0xUe+mbIUBkBIfZ+qnA==\n"
    )
    _, (signature,) = split_note(f"text\n\n{line}")
    assert (len(signature.signature), cosigned_at(signature), signature.line()) == (72, 1679315147, line)


def test_a_cosigned_checkpoint_says_who_witnessed_it_and_when() -> None:
    opened = open_checkpoint(cosigned(NOTE, "lantern", "harbour"), [LOG], policy=sample_policy())
    assert [(seen.name, seen.key_name, seen.seconds) for seen in opened.witnessed] == [
        ("harbour", "witness.harbour.example", COSIGNED_AT),
        ("lantern", "witness.lantern.example", COSIGNED_AT),
    ]
    assert opened.signers == (ORIGIN,)


@pytest.mark.parametrize("names", [(), ("harbour",), ("harbour", "harbour")])
def test_too_few_witnesses_are_refused_however_often_one_signs(names: tuple[str, ...]) -> None:
    lines = [cosignature(TEXT, name, seconds=COSIGNED_AT + at) for at, name in enumerate(names)]
    with pytest.raises(QuorumError):
        open_checkpoint(add_signatures(NOTE, lines), [LOG], policy=sample_policy())


def test_without_a_policy_cosignatures_mean_nothing_and_none_is_demanded() -> None:
    opened = open_checkpoint(cosigned(NOTE, "harbour"), [LOG])
    assert (opened.witnessed, opened.policy) == ((), None)
    assert open_checkpoint(NOTE, [LOG], policy=UNWITNESSED).witnessed == ()


def test_of_several_cosignatures_by_one_witness_the_latest_is_told() -> None:
    lines = [cosignature(TEXT, "harbour", seconds=seconds) for seconds in (5, 9, 7)]
    opened = open_checkpoint(add_signatures(NOTE, lines), [LOG], policy=sample_policy(1))
    assert [seen.seconds for seen in opened.witnessed] == [9]


def test_witnesses_without_the_log_prove_nothing() -> None:
    lines = "".join(cosignature(TEXT, name).line() for name in WITNESSES)
    with pytest.raises(UntrustedNoteError):
        open_checkpoint(f"{TEXT}\n{lines}", [LOG], policy=sample_policy())


def test_a_log_that_the_policy_does_not_accept_is_refused_although_its_key_is_trusted() -> None:
    other = verifier_key(STRANGERS_KEY)
    with pytest.raises(UntrustedNoteError, match="policy"):
        open_checkpoint(cosigned(NOTE, *WITNESSES), [LOG], policy=sample_policy(logs=[other]))


def test_a_policy_s_log_is_not_trusted_beyond_the_keys_that_were_given() -> None:
    with pytest.raises(UntrustedNoteError):
        open_checkpoint(cosigned(NOTE, *WITNESSES), [verifier_key(STRANGERS_KEY)], policy=sample_policy())


def test_a_policy_without_logs_takes_those_that_are_known_from_elsewhere() -> None:
    opened = open_checkpoint(cosigned(NOTE, *WITNESSES), [LOG], policy=sample_policy(logs=[]))
    assert len(opened.witnessed) == 3


def test_one_false_cosignature_of_a_known_witness_refuses_the_note_even_beside_a_quorum() -> None:
    false = cosignature(CHECKPOINT.note_text().replace("\n3\n", "\n4\n"), "orchard")
    with pytest.raises(SignatureError, match="orchard"):
        open_checkpoint(
            add_signatures(cosigned(NOTE, "harbour", "lantern"), [false]), [LOG], policy=sample_policy()
        )


def test_a_signature_by_the_witness_s_key_over_the_bare_text_is_no_cosignature() -> None:
    """The domains are apart: neither kind of signature can be passed off as the other."""
    plain = VerifierKey.from_ed25519(HARBOUR.name, HARBOUR.public_key)
    assert plain.key_id != HARBOUR.key_id
    stamped = (COSIGNED_AT).to_bytes(8, "big") + WITNESSES["harbour"].sign(TEXT.encode())
    line = f"— {HARBOUR.name} {to_base64(HARBOUR.key_id + stamped)}\n"
    with pytest.raises(SignatureError):
        open_note(NOTE + line, [LOG, HARBOUR])


@given(bit=st.integers(min_value=0, max_value=72 * 8 - 1))
def test_no_bit_of_a_cosignature_may_change(bit: int) -> None:
    signature = bytearray(cosignature(TEXT, "harbour").signature)
    signature[bit // 8] ^= 1 << bit % 8
    assert not HARBOUR.verify(TEXT, bytes(signature))


@pytest.mark.parametrize("length", [0, 8, 64, 71, 73])
def test_a_cosignature_of_another_length_is_false(length: int) -> None:
    assert not HARBOUR.verify(TEXT, cosignature(TEXT, "harbour").signature.ljust(80, b"\0")[:length])


@pytest.mark.parametrize(
    ("seconds", "is_true"), [(0, True), (2**63 - 1, True), (2**63, False), (2**64 - 1, False)]
)
def test_a_time_beyond_what_the_specification_allows_is_false(*, seconds: int, is_true: bool) -> None:
    made = WITNESSES["harbour"].sign(cosigned_message(TEXT, seconds=seconds))
    assert HARBOUR.verify(TEXT, seconds.to_bytes(8, "big") + made) is is_true


@pytest.mark.parametrize("seconds", [-1, 2**63])
def test_no_witness_signs_an_impossible_time(seconds: int) -> None:
    with pytest.raises(NoteError):
        cosign(TEXT, HARBOUR, WITNESSES["harbour"].sign, seconds=seconds)


def test_a_signer_with_another_key_is_found_out() -> None:
    with pytest.raises(SignatureError):
        cosign(TEXT, HARBOUR, SIGNING_KEY.sign, seconds=1)


@pytest.mark.parametrize(
    "text",
    [
        str(LOG),
        str(HARBOUR).replace("harbour", "orchard"),
        str(HARBOUR)[:-4],
        f"{HARBOUR.name}+{HARBOUR.key_id.hex()}+{to_base64(bytes([6]) + HARBOUR.public_key)}",
        "",
    ],
)
def test_what_is_no_witness_s_key_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        WitnessKey.parse(text)


ANSWER = cosignature(TEXT, "harbour").line()


def test_of_an_answer_only_true_cosignatures_by_known_keys_are_taken() -> None:
    stranger = cosignature(TEXT, "orchard").line()
    (taken,) = read_cosignatures(stranger + ANSWER, TEXT, [HARBOUR])
    assert taken.line() == ANSWER
    assert read_cosignatures(stranger, TEXT, [HARBOUR]) == ()


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "\n",
        ANSWER[:-1],
        f"{ANSWER}\n",
        f"\n{ANSWER}",
        f"{ORIGIN}\n9\n\n{ANSWER}",
        ANSWER.replace("—", "-"),
        ANSWER * 65,
        f"{ANSWER}— {'x' * MAX_COSIGNATURES_BYTES} AAAAAAA=\n",
        ANSWER.replace("\n", "\r\n"),
        f"{ANSWER}<script>\n",
    ],
)
def test_an_answer_that_is_no_list_of_lines_is_refused(answer: str) -> None:
    with pytest.raises(NoteError):
        read_cosignatures(answer, TEXT, [HARBOUR])


def test_a_cosignature_over_another_checkpoint_is_refused_and_not_only_ignored() -> None:
    with pytest.raises(SignatureError):
        read_cosignatures(cosignature(TEXT.replace("\n3\n", "\n4\n"), "harbour").line(), TEXT, [HARBOUR])


def test_a_line_that_a_note_has_is_not_added_again() -> None:
    once = cosigned(NOTE, "harbour")
    assert cosigned(once, "harbour") == once
    assert once.startswith(NOTE)


def test_a_note_takes_no_more_lines_than_it_can_carry() -> None:
    lines = [cosignature(TEXT, "harbour", seconds=seconds) for seconds in range(64)]
    with pytest.raises(NoteError, match="64 signature lines"):
        add_signatures(NOTE, lines)
