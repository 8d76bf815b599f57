"""A donor's receipt as production would write it: a gift with four commitments, all opened, and three witnesses."""

from datetime import UTC, datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.apparatus.huge_tree import receipt_in_a_huge_log
from ledger_format.commitments import commit
from ledger_format.cosignatures import WitnessKey, cosign
from ledger_format.entries import Entry, Transfer, encode
from ledger_format.notes import VerifierKey, add_signatures, sign_note
from ledger_format.policies import Group, Policy, PolicyWitness
from ledger_format.receipts import Opening, decode_receipt, encode_receipt, verify_receipt

_ORIGIN: Final = "log.amply.example/production"
_ORG: Final = "org_01k9z3v8x4e5t6y7m8n9p0q1r2"
_VALUES: Final = {
    "donation": "don_01k9z3v8x4e5t6y7m8n9p0q1r2",
    "donor_email": "zoe.angstroem-lindqvist@mail.example.org",
    "donor_name": "Zoë Ångström-Lindqvist",
    "reference": "stripe:payment_intent:pi_3Q9exampleexampleexample",
}
_OPENINGS: Final = {field: Opening(value, bytes(32)) for field, value in _VALUES.items()}
_LOG, *_WITNESSES = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in range(1, 5))
_NAMES: Final = ("harbour", "orchard", "lantern")
_SECONDS: Final = 1_795_000_000


def receipt_bytes(size: int) -> int:
    """How large the receipt is in a log of `size` entries. It verifies, with a policy that demands all three."""
    raw = encode_receipt(
        receipt_in_a_huge_log(encode(_entry()), _OPENINGS, origin=_ORIGIN, size=size, sign=_sign)
    )
    keys = [_witness(name, key) for name, key in zip(_NAMES, _WITNESSES, strict=True)]
    policy = Policy(
        logs=(),
        witnesses=tuple(PolicyWitness(name, key) for name, key in zip(_NAMES, keys, strict=True)),
        groups=(Group("all", len(keys), _NAMES),),
        quorum="all",
    )
    log_key = VerifierKey.from_ed25519(_ORIGIN, _LOG.public_key().public_bytes_raw())
    verify_receipt(decode_receipt(raw), [log_key], policy=policy)
    return len(raw)


def _entry() -> Entry:
    return Entry(
        log=_ORIGIN,
        id="ent_5q0x7m3gk9r2v8cdt4h6wzb1ne",
        kind="donation.succeeded",
        ts=datetime(2026, 11, 21, 7, 44, tzinfo=UTC),
        org=_ORG,
        org_seq=12_345,
        org_prev=bytes(32),
        transfers=(Transfer(f"{_ORG}/processor_balance", f"{_ORG}/gifts", "EUR", 2_500),),
        commitments={
            field: commit(field=field, value=opening.value, salt=opening.salt)
            for field, opening in _OPENINGS.items()
        },
    )


def _sign(text: str) -> str:
    note = sign_note(text, _ORIGIN, _LOG.public_key().public_bytes_raw(), _LOG.sign)
    cosignatures = [
        cosign(text, _witness(name, key), key.sign, seconds=_SECONDS)
        for name, key in zip(_NAMES, _WITNESSES, strict=True)
    ]
    return add_signatures(note, cosignatures)


def _witness(name: str, key: Ed25519PrivateKey) -> WitnessKey:
    return WitnessKey(f"witness.{name}.example", key.public_key().public_bytes_raw())
