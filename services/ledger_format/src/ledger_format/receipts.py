"""Receipts: one entry, its place in a signed tree, and what opens its commitments; verifiable offline, for ever.

The file is a c2sp.org/tlog-proof@v1; its `extra` line carries the leaf and the openings as canonical JSON.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import rfc8785

from ledger_format.checkpoints import Checkpoint, SignedCheckpoint, open_checkpoint
from ledger_format.commitments import SALT_BYTES, verify_opening
from ledger_format.entries import MAX_COMMITMENTS, Entry, decode
from ledger_format.errors import MismatchError, ReceiptError
from ledger_format.literals import parse_base64, parse_base64_hash, parse_decimal, to_base64
from ledger_format.log_keys import LogKey
from ledger_format.merkle import leaf_hash, verify_inclusion
from ledger_format.policies import Policy

MAX_RECEIPT_BYTES: Final = 1_048_576
MAX_PROOF_HASHES: Final = 63  # a tree of 2^63 leaves

_MAGIC: Final = "c2sp.org/tlog-proof@v1"


@dataclasses.dataclass(frozen=True, slots=True)
class Opening:
    """What opens a commitment: the value, and the 32-byte salt it was committed under."""

    value: str
    salt: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt's parts as they were read; nothing in it is true until `verify_receipt` says so.

    Attributes:
        leaf: The entry's bytes.
        openings: By field; any subset of the entry's commitments.
        index: The entry's place in the tree, from 0.
        proof: Inclusion proof, from the leaf's sibling to the root's child.
        checkpoint_note: The signed checkpoint, verbatim.
    """

    leaf: bytes
    openings: Mapping[str, Opening]
    index: int
    proof: tuple[bytes, ...]
    checkpoint_note: str


@dataclasses.dataclass(frozen=True, slots=True)
class VerifiedReceipt:
    """What a verified receipt proves: this entry, at this index of this checkpoint, with these values behind it.

    `opened` maps each opened field to its value; `signed` says who signed the checkpoint, and who witnessed it.
    """

    entry: Entry
    leaf_hash: bytes
    index: int
    opened: Mapping[str, str]
    signed: SignedCheckpoint

    @property
    def checkpoint(self) -> Checkpoint:
        """The tree that the entry is in."""
        return self.signed.checkpoint

    @property
    def signers(self) -> tuple[str, ...]:
        """The names of the trusted keys that signed the checkpoint."""
        return self.signed.signers


def encode_receipt(receipt: Receipt) -> bytes:
    """Write a receipt as the text of a `.tlog-proof` file, in UTF-8.

    Raises:
        ReceiptError: It could not be read again (too large, a leaf that is not UTF-8, ...).
    """
    try:
        openings = {
            field: {"salt": to_base64(opening.salt), "value": opening.value}
            for field, opening in receipt.openings.items()
        }
        extra = rfc8785.dumps({"leaf": receipt.leaf.decode(), "openings": openings})
        lines = [
            _MAGIC,
            f"extra {to_base64(extra)}",
            f"index {receipt.index}",
            *map(to_base64, receipt.proof),
        ]
        raw = ("\n".join(lines) + "\n\n" + receipt.checkpoint_note).encode()
    except (UnicodeError, rfc8785.CanonicalizationError) as failure:
        raise ReceiptError("the receipt's leaf or values are not valid text") from failure
    _parse(raw)
    return raw


def decode_receipt(raw: bytes) -> Receipt:
    """Read the text of a `.tlog-proof` file, refusing whatever `encode_receipt` would not have written.

    Raises:
        ReceiptError: It is malformed.
    """
    receipt = _parse(raw)
    if encode_receipt(receipt) != raw:
        raise ReceiptError("the receipt is not in its canonical form")
    return receipt


def verify_receipt(
    receipt: Receipt, verifiers: Sequence[LogKey], *, policy: Policy | None = None
) -> VerifiedReceipt:
    """Verify a receipt against keys, and a policy of witnesses, that come from anywhere but the receipt.

    Raises:
        FormatError: Whatever is wrong first: the checkpoint's signatures (NoteError), its text (CheckpointError), the
            proof (ProofError), the leaf (EntryError), the openings (CommitmentError), or how they fit (ReceiptError).
    """
    signed = open_checkpoint(receipt.checkpoint_note, verifiers, policy=policy)
    checkpoint = signed.checkpoint
    hashed = leaf_hash(receipt.leaf)
    verify_inclusion(
        leaf=hashed, index=receipt.index, size=checkpoint.size, proof=receipt.proof, root=checkpoint.root
    )
    entry = decode(receipt.leaf)
    if entry.log != checkpoint.origin:
        raise MismatchError(f"the entry was written for the log {entry.log}, not for {checkpoint.origin}")
    opened = _open(entry, receipt.openings)
    return VerifiedReceipt(entry, hashed, receipt.index, opened, signed)


def _open(entry: Entry, openings: Mapping[str, Opening]) -> dict[str, str]:
    for field, opening in openings.items():
        if field not in entry.commitments:
            raise MismatchError(f"the receipt opens {field}, which the entry does not commit to")
        verify_opening(
            field=field, value=opening.value, salt=opening.salt, commitment=entry.commitments[field]
        )
    return {field: opening.value for field, opening in openings.items()}


def _parse(raw: bytes) -> Receipt:
    if len(raw) > MAX_RECEIPT_BYTES:
        raise ReceiptError(f"a receipt has at most {MAX_RECEIPT_BYTES} bytes, not {len(raw)}")
    try:
        text = raw.decode()
    except UnicodeDecodeError as failure:
        raise ReceiptError("a receipt is UTF-8 text") from failure
    head, separator, checkpoint_note = text.partition("\n\n")
    lines = head.split("\n")
    if lines[0] != _MAGIC:
        raise ReceiptError(f"a receipt begins with the line {_MAGIC}")
    if not separator or not checkpoint_note or len(lines) < 3:  # noqa: PLR2004 -- the three lines named next
        raise ReceiptError("a receipt has an extra line, an index line, and a checkpoint after an empty line")
    if len(lines) > 3 + MAX_PROOF_HASHES:
        raise ReceiptError(f"an inclusion proof has at most {MAX_PROOF_HASHES} hashes")
    leaf, openings = _parse_extra(_after("extra ", lines[1]))
    return Receipt(
        leaf=leaf,
        openings=openings,
        index=parse_decimal(_after("index ", lines[2]), what="the index", error=ReceiptError),
        proof=tuple(parse_base64_hash(line, what="a proof hash", error=ReceiptError) for line in lines[3:]),
        checkpoint_note=checkpoint_note,
    )


def _after(label: str, line: str) -> str:
    if not line.startswith(label):
        raise ReceiptError(f"a line of the receipt should begin with {label.strip()!r}")
    return line.removeprefix(label)


def _parse_extra(encoded: str) -> tuple[bytes, dict[str, Opening]]:
    raw = parse_base64(encoded, what="the extra line", error=ReceiptError)
    try:
        extra = json.loads(raw.decode(), object_pairs_hook=_strings_and_objects)
        leaf = _exactly(extra, "leaf", "openings")["leaf"].encode()
        openings = {field: _parse_opening(value) for field, value in extra["openings"].items()}
    except (ValueError, RecursionError, AttributeError) as failure:
        raise ReceiptError("the extra line does not hold a leaf and openings") from failure
    if len(openings) > MAX_COMMITMENTS:
        raise ReceiptError(f"a receipt has at most {MAX_COMMITMENTS} openings")
    return leaf, openings


def _parse_opening(value: Any) -> Opening:
    parts = _exactly(value, "salt", "value")
    salt = parse_base64(parts["salt"], what="a salt", error=ReceiptError)
    if len(salt) != SALT_BYTES or not isinstance(parts["value"], str):
        raise ReceiptError(f"an opening has a salt of {SALT_BYTES} bytes and a value")
    return Opening(parts["value"], salt)


def _exactly(value: Any, *keys: str) -> dict[str, Any]:
    if not isinstance(value, dict) or value.keys() != set(keys):
        raise ReceiptError(f"the extra line should have exactly the keys {' and '.join(keys)} here")
    return value


def _strings_and_objects(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs) or not all(isinstance(value, str | dict) for value in result.values()):
        raise ReceiptError("the extra line holds a key twice, or something else than strings and objects")
    return result
