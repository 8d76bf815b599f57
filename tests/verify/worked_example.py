"""The worked examples of docs/ledger-format.md: three entries of one organisation, a receipt, a two-phase transfer."""

from datetime import UTC, datetime

from ledger_format.commitments import commit
from ledger_format.cosignatures import cosigned_message
from ledger_format.entries import encode
from ledger_format.log_keys import FormerKey
from ledger_format.merkle import leaf_hash, node_hash
from ledger_format.notes import add_signatures, split_note
from ledger_format.receipts import Opening, Receipt, encode_receipt
from ledger_format.tiles import bundle_path, encode_bundle
from tests.verify.ledger_samples import (
    COSIGNED_AT,
    NEXT_KEY,
    ORGANIZATION,
    ORIGIN,
    SIGNING_KEY,
    WITNESSES,
    SampleLog,
    cosigned,
    sample_entry,
    sample_policy,
    sample_transfer,
    sign,
    verifier_key,
    witness_key,
)

DONOR_NAME = Opening("Zoë Ångström", bytes(range(0x20, 0x40)))
DONOR_EMAIL = Opening("zoe@example.org", bytes(range(0x40, 0x60)))
PAYMENT = "stripe:payment_intent:pi_3Q9example"
GIFT_REFERENCE = Opening(PAYMENT, bytes(range(0x60, 0x80)))
FEE_REFERENCE = Opening(PAYMENT, bytes(range(0x80, 0xA0)))
REFUND_REFERENCE = Opening("stripe:refund:re_3Q9example", bytes(range(0xA0, 0xC0)))


def commitments(**openings: Opening) -> dict[str, bytes]:
    return {
        field: commit(field=field, value=opening.value, salt=opening.salt)
        for field, opening in openings.items()
    }


def example_log() -> SampleLog:
    gift = sample_entry(
        commitments=commitments(donor_email=DONOR_EMAIL, donor_name=DONOR_NAME, reference=GIFT_REFERENCE)
    )
    fee = sample_entry(
        id="ent_2h8vd4rj6yq0n9zt3mxk7fc5pa",
        kind="processor.fee",
        org_seq=1,
        org_prev=leaf_hash(encode(gift)),
        transfers=(
            sample_transfer(
                debit=f"{ORGANIZATION}/processor_fees",
                credit=f"{ORGANIZATION}/processor_balance",
                amount_minor=62,
            ),
        ),
        commitments=commitments(reference=FEE_REFERENCE),
    )
    refund = sample_entry(
        id="ent_7czw1t5b9s4ge0p6kqhx3r8mvd",
        kind="donation.refunded",
        ts=datetime(2026, 11, 23, 16, 5, tzinfo=UTC),
        org_seq=2,
        org_prev=leaf_hash(encode(fee)),
        transfers=(
            sample_transfer(
                debit=f"{ORGANIZATION}/gifts", credit=f"{ORGANIZATION}/processor_balance", amount_minor=1000
            ),
        ),
        commitments=commitments(reference=REFUND_REFERENCE),
        reverses=gift.id,
        reason="requested_by_donor",
    )
    return SampleLog([encode(gift), encode(fee), encode(refund)])


def example_two_phases() -> list[bytes]:
    """The leaves of two entries: a bank debit that is reserved, and its completion with a part of the amount."""
    reserved = sample_entry(
        id="ent_3x9bt6hq1vw8cm4gz7kd0r5jnf",
        kind="donation.processing",
        transfers=(sample_transfer(amount_minor=4000, phase="pending"),),
    )
    posted = sample_entry(
        id="ent_6r2gk8zm5fd0th7xv9cq3bw1jp",
        ts=datetime(2026, 11, 24, 9, 30, tzinfo=UTC),
        org_seq=1,
        org_prev=leaf_hash(encode(reserved)),
        transfers=(sample_transfer(amount_minor=3500, phase="post", pending=f"{reserved.id}#0"),),
    )
    return [encode(reserved), encode(posted)]


def example_receipt() -> Receipt:
    """A receipt that opens the name and leaves the e-mail address and the reference closed."""
    return example_log().receipt(0, {"donor_name": DONOR_NAME})


def example_overlap() -> str:
    """The checkpoint as the former key and the next one have signed it."""
    note = example_log().note()
    text, _ = split_note(note)
    return add_signatures(sign(text, NEXT_KEY), split_note(note)[1])


def example_witnesses() -> dict[str, str]:
    """The blocks about witnesses and keys."""
    log = example_log()
    text = log.checkpoint().note_text()
    return {
        "witness-private-keys": "\n".join(
            f"{name} {key.private_bytes_raw().hex()}" for name, key in WITNESSES.items()
        ),
        "policy": sample_policy().text().rstrip("\n"),
        "cosigned-message": cosigned_message(text, seconds=COSIGNED_AT).decode().rstrip("\n"),
        "cosigned-checkpoint": cosigned(log.note(), "harbour", "lantern").rstrip("\n"),
        "next-verifier-key": str(verifier_key(NEXT_KEY)),
        "key-list": (
            f"# the present key of {ORIGIN}\n{verifier_key(NEXT_KEY)}\n"
            f"# former, behind the size of the last tree that it signed\n{FormerKey(verifier_key(), last_size=3)}"
        ),
        "overlapping-checkpoint": example_overlap().rstrip("\n"),
        "witness-verifier-key": str(witness_key("harbour")),
    }


def example_texts() -> dict[str, str]:
    """Every block of the worked examples by its name in the document."""
    log = example_log()
    first, second, third = log.hashes
    value = DONOR_NAME.value.encode()
    bundle = encode_bundle(log.leaves)
    return {
        "private-key": SIGNING_KEY.private_bytes_raw().hex(),
        "verifier-key": str(verifier_key()),
        "salt": DONOR_NAME.salt.hex(),
        "commitment-message": (
            b"amply/commitment/v1\0donor_name\0" + len(value).to_bytes(4, "big") + value
        ).hex(),
        "commitment": commit(field="donor_name", value=DONOR_NAME.value, salt=DONOR_NAME.salt).hex(),
        **{f"leaf-{index}": leaf.decode("ascii") for index, leaf in enumerate(log.leaves)},
        **dict(
            zip(
                ("pending-leaf", "post-leaf"),
                (leaf.decode("ascii") for leaf in example_two_phases()),
                strict=True,
            )
        ),
        "leaf-hashes": "\n".join(hashed.hex() for hashed in log.hashes),
        "nodes": f"{node_hash(first, second).hex()}\n{node_hash(node_hash(first, second), third).hex()}",
        "tiles": "\n".join(
            f"{path}  {len(content)} bytes" for path, content in sorted(log.files().items()) if "tile" in path
        ),
        "bundle-start": f"{bundle_path(0, 3)}  {bundle[:8].hex(' ')} ...",
        "checkpoint": log.note().rstrip("\n"),
        "receipt": encode_receipt(example_receipt()).decode().rstrip("\n"),
        **example_witnesses(),
    }
