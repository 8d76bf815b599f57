"""The pages' verifier and witnesses: cosignatures, policies, the quorum."""

import hashlib
from collections.abc import Callable

import pytest

from ledger_format.literals import to_base64
from ledger_format.receipts import encode_receipt
from tests.verify.flips import ALL_BY_NIGHT, positions
from tests.verify.javascript_runner import LOG_KEY, Ask, b64, kind, receipt_call
from tests.verify.ledger_samples import ORIGIN, SIGNING_KEY
from tests.verify.partner_witnesses import POLICY, SECONDS, WITNESSES, cosigning
from tests.verify.worked_example import example_log, example_receipt

# The log's own key under a witness's type.
_OWN = b"\x04" + SIGNING_KEY.public_key().public_bytes_raw()
OWN_WITNESS = f"own+{hashlib.sha256(b'own' + b'%c' % 10 + _OWN).hexdigest()[:8]}+{to_base64(_OWN)}"


def test_a_quorum_of_witnesses_is_demanded_once_a_policy_is_pinned(ask: Ask) -> None:
    receipts = [cosigning(), cosigning(2), cosigning(1, 3), cosigning(1, 2, 3), cosigning(2, 2)]
    answers = ask([receipt_call(raw, policy=POLICY) for raw in receipts])
    assert [kind(answer) for answer in answers] == ["quorum", "quorum", "verified", "verified", "quorum"]
    assert answers[2]["result"]["signers"] == [
        [ORIGIN, None],
        [WITNESSES[0].name, str(SECONDS)],
        [WITNESSES[2].name, str(SECONDS)],
    ]


def test_a_false_cosignature_by_a_trusted_witness_refuses_the_receipt(ask: Ask) -> None:
    other_text = example_log().checkpoint().note_text().replace("\n3\n", "\n4\n")
    good, lie = cosigning(1, 2), WITNESSES[2].line(other_text).encode()
    answers = ask([receipt_call(raw, policy=POLICY) for raw in (good, good + lie)])
    assert [kind(answer) for answer in answers] == ["verified", "signature"]


def test_a_witness_cannot_speak_for_the_log(ask: Ask) -> None:
    text = example_log().checkpoint().note_text()
    head = encode_receipt(example_receipt()).decode().rpartition("\n\n")[0]
    raw = f"{head}\n\n{WITNESSES[0].line(text)}{WITNESSES[1].line(text)}".encode()
    assert kind(ask([receipt_call(raw, policy=POLICY)])[0]) == "signature"


def test_a_cosignature_from_beyond_time_is_refused(ask: Ask) -> None:
    assert kind(ask([receipt_call(cosigning(1, 2, seconds=2**63), policy=POLICY)])[0]) == "signature"


def test_without_a_policy_cosignatures_mean_nothing(ask: Ask) -> None:
    (answer,) = ask([receipt_call(cosigning(1, 2))])
    assert answer["result"]["signers"] == [[ORIGIN, None]]


@ALL_BY_NIGHT
def test_a_flipped_bit_of_the_witnesses_lines_is_refused(ask: Ask, bits: int) -> None:
    """With two witnesses and a quorum of two nothing may change, not even who signed and when."""
    raw = cosigning(1, 2)
    flipped = positions(raw, bits=bits, begin=len(encode_receipt(example_receipt())))
    (answer,) = ask([{"do": "flips", "file": b64(raw), "positions": flipped, "policy": POLICY}])
    assert answer["result"] == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.rstrip("\n"),
        lambda text: text.replace("quorum all-three\n", ""),
        lambda text: text + "quorum none\n",
        lambda text: text.replace("quorum all-three", "quorum others"),
        lambda text: text.replace("group all-three 2 w1 w2 w3", "group all-three 4 w1 w2 w3"),
        lambda text: text.replace("group all-three 2 w1 w2 w3", "group all-three 0 w1 w2 w3"),
        lambda text: text.replace("group all-three 2 w1 w2 w3", "group all-three 02 w1 w2 w3"),
        lambda text: text.replace("group all-three 2 w1 w2 w3", "group all-three 2 w1 w1 w3"),
        lambda text: text.replace("group all-three 2 w1 w2 w3", "group all-three any"),
        lambda text: text.replace("group all-three 2 w1 w2 w3", "group all-three 2 w1 w2 w4"),
        lambda text: text.replace("witness w2", "witness w1"),
        lambda text: text.replace("witness w2", "witness none"),
        lambda text: text.replace(WITNESSES[1].verifier_key, WITNESSES[0].verifier_key),
        lambda text: text.replace(WITNESSES[1].verifier_key, LOG_KEY),
        lambda text: text.replace(f"log {LOG_KEY}", f"log {WITNESSES[0].verifier_key}"),
        lambda text: text.replace("log ", "logs ", 1),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace(LOG_KEY, LOG_KEY.replace("4bf85353", "4bf85354")),
        lambda text: f"log {LOG_KEY}\n{text}",
        lambda text: f"witness own {OWN_WITNESS}\n{text}",
        lambda text: text + "#" * 131_072 + "\n",
        lambda _: "",
    ],
)
def test_a_policy_that_means_nothing_certain_is_refused(ask: Ask, spoil: Callable[[str], str]) -> None:
    good, spoilt = ask([{"do": "policy", "policy": POLICY}, {"do": "policy", "policy": spoil(POLICY)}])
    assert (kind(good), kind(spoilt)) == ("verified", "malformed")
