"""The worked example of docs/ledger-format.md: three entries of one organisation, and a receipt for the first."""

from datetime import UTC, datetime

from ledger_format.commitments import commit
from ledger_format.entries import encode
from ledger_format.merkle import leaf_hash, node_hash
from ledger_format.receipts import Opening, Receipt, encode_receipt
from ledger_format.tiles import bundle_path, encode_bundle
from tests.verify.ledger_samples import (
    ORGANIZATION,
    SIGNING_KEY,
    SampleLog,
    sample_entry,
    sample_transfer,
    verifier_key,
)

DONOR_NAME = Opening("Zoë Ångström", bytes(range(0x20, 0x40)))
DONOR_EMAIL = Opening("zoe@example.org", bytes(range(0x40, 0x60)))


def example_log() -> SampleLog:
    gift = sample_entry(
        ref="stripe:payment_intent:pi_3Q9example",
        commitments={
            "donor_email": commit(field="donor_email", value=DONOR_EMAIL.value, salt=DONOR_EMAIL.salt),
            "donor_name": commit(field="donor_name", value=DONOR_NAME.value, salt=DONOR_NAME.salt),
        },
    )
    fee = sample_entry(
        id="ent_01k9z3v8x4e5t6y7m8n9p0q1r4",
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
        ref="stripe:balance_transaction:txn_3Q9example",
    )
    refund = sample_entry(
        id="ent_01k9z3v8x4e5t6y7m8n9p0q1r5",
        kind="donation.refunded",
        ts=datetime(2026, 11, 23, 16, 5, tzinfo=UTC),
        org_seq=2,
        org_prev=leaf_hash(encode(fee)),
        transfers=(
            sample_transfer(
                debit=f"{ORGANIZATION}/gifts", credit=f"{ORGANIZATION}/processor_balance", amount_minor=1000
            ),
        ),
        ref="stripe:refund:re_3Q9example",
        reverses=gift.id,
        reason="requested_by_donor",
    )
    return SampleLog([encode(gift), encode(fee), encode(refund)])


def example_receipt() -> Receipt:
    """A receipt that opens the name and leaves the e-mail address closed."""
    return example_log().receipt(0, {"donor_name": DONOR_NAME})


def example_texts() -> dict[str, str]:
    """Every block of the worked example by its name in the document."""
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
        "leaf-hashes": "\n".join(hashed.hex() for hashed in log.hashes),
        "nodes": f"{node_hash(first, second).hex()}\n{node_hash(node_hash(first, second), third).hex()}",
        "tiles": "\n".join(
            f"{path}  {len(content)} bytes" for path, content in sorted(log.files().items()) if "tile" in path
        ),
        "bundle-start": f"{bundle_path(0, 3)}  {bundle[:8].hex(' ')} ...",
        "checkpoint": log.note().rstrip("\n"),
        "receipt": encode_receipt(example_receipt()).decode().rstrip("\n"),
    }
