"""What was proven: as lines for people, and as a document for programs."""

import dataclasses
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from amply_verify.checkpoint_check import CheckedCheckpoint
from amply_verify.entry_check import CheckedEntry
from ledger_format.checkpoints import Checkpoint
from ledger_format.entries import Entry, Transfer
from ledger_format.literals import to_base64
from ledger_format.receipts import VerifiedReceipt

# The table of docs/ledger-format.md. ISO 4217 has changed exponents before, and what is written is for ever: a
# currency that is not pinned there is shown without a decimal point rather than with a guessed one.
_DIGITS: Final = {"CHF": 2, "EUR": 2, "GBP": 2, "USD": 2}


@dataclasses.dataclass(frozen=True, slots=True)
class Proven:
    """A finished proof: label and text of each line, the same as a document, and what it does not prove."""

    lines: tuple[tuple[str, str], ...]
    document: Mapping[str, Any]
    limits: str


def say_receipt(receipt: VerifiedReceipt) -> Proven:
    """Say what a verified receipt proves."""
    opened = [(f"opened: {field}", value) for field, value in sorted(receipt.opened.items())]
    closed = sorted(receipt.entry.commitments.keys() - receipt.opened.keys())
    return Proven(
        lines=(
            *_entry_lines(receipt.entry, receipt.index, receipt.checkpoint),
            *(opened or [("opened", "no commitment")]),
            *([("left closed", ", ".join(closed))] if closed else []),
            *checkpoint_lines(receipt.checkpoint, receipt.signers),
        ),
        document={
            **_entry_document(receipt.entry, receipt.index, receipt.leaf_hash),
            "opened": dict(receipt.opened),
            "left_closed": closed,
            "checkpoint": checkpoint_document(receipt.checkpoint, receipt.signers),
        },
        limits="It does not prove that the checkpoint is the latest, or that others are shown the same log.",
    )


def say_entry(checked: CheckedEntry) -> Proven:
    """Say what an entry found in the log proves."""
    checkpoint, signers = checked.signed.checkpoint, checked.signed.signers
    return Proven(
        lines=(
            *_entry_lines(checked.entry, checked.index, checkpoint),
            *checkpoint_lines(checkpoint, signers),
        ),
        document={
            **_entry_document(checked.entry, checked.index, checked.leaf_hash),
            "checkpoint": checkpoint_document(checkpoint, signers),
        },
        limits="It does not prove that others are shown the same log.",
    )


def say_checkpoint(checked: CheckedCheckpoint) -> Proven:
    """Say what a checkpoint proves."""
    checkpoint, signers = checked.signed.checkpoint, checked.signed.signers
    tiles = (
        "the published tiles give this root" if checked.tiles_agree else "not read (the checkpoint is a file)"
    )
    return Proven(
        lines=(*checkpoint_lines(checkpoint, signers), ("tiles", tiles)),
        document={
            "checkpoint": checkpoint_document(checkpoint, signers),
            "tiles_agree": checked.tiles_agree,
        },
        limits="It does not prove that the log is complete, or that others are shown the same log.",
    )


def amount_in_words(minor_units: int, currency: str) -> str:
    """Write an amount with its minor units, and with a decimal point where the format pins one."""
    digits = _DIGITS.get(currency)
    if digits is None:
        return f"{minor_units} minor units of {currency}"
    whole, rest = divmod(minor_units, 10**digits)
    return f"{whole}.{rest:0{digits}d} {currency} ({minor_units} minor units)"


def printable(text: str) -> str:
    """Escape whatever could steer a terminal or turn the direction of a line; a donor's name may be hostile."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text
    )


def _entry_lines(entry: Entry, index: int, checkpoint: Checkpoint) -> list[tuple[str, str]]:
    totals = Counter[tuple[str, str]]()  # what is reserved or given up is no sum with what has moved
    for transfer in entry.transfers:
        totals[transfer.currency, _phase_in_words(transfer)] += transfer.amount_minor
    related = {name: getattr(entry, name) for name in ("ref", "reverses", "supersedes", "matches", "reason")}
    return [
        ("entry", f"{entry.id}, {entry.kind}"),
        *(
            ("amount", f"{amount_in_words(total, currency)}{phase}")
            for (currency, phase), total in totals.items()
        ),
        *(("transfer", _transfer_in_words(transfer)) for transfer in entry.transfers),
        ("organisation", f"{entry.org}, its entry number {entry.org_seq}"),
        ("time", f"{entry.ts:%Y-%m-%d %H:%M} UTC"),
        *((name, value) for name, value in related.items() if value is not None),
        ("index", f"{index} of the {checkpoint.size} entries under the checkpoint"),
    ]


def _transfer_in_words(transfer: Transfer) -> str:
    resolved = f" of {transfer.pending}" if transfer.pending else ""
    amount = amount_in_words(transfer.amount_minor, transfer.currency)
    return f"{amount} from {transfer.credit} to {transfer.debit}{_phase_in_words(transfer)}{resolved}"


def _phase_in_words(transfer: Transfer) -> str:
    return f", {transfer.phase}" if transfer.phase else ""


def checkpoint_lines(checkpoint: Checkpoint, signers: tuple[str, ...]) -> list[tuple[str, str]]:
    """A checkpoint as lines."""
    return [
        ("log", checkpoint.origin),
        ("checkpoint", f"{checkpoint.size} entries, root {to_base64(checkpoint.root)}"),
        ("signed by", ", ".join(signers)),
    ]


def _entry_document(entry: Entry, index: int, hashed: bytes) -> dict[str, Any]:
    return {
        "entry_id": entry.id,
        "kind": entry.kind,
        "organization_id": entry.org,
        "org_seq": str(entry.org_seq),
        "time": f"{entry.ts:%Y-%m-%dT%H:%MZ}",
        "transfers": [
            {
                "debit": transfer.debit,
                "credit": transfer.credit,
                "currency": transfer.currency,
                "minor_units": str(transfer.amount_minor),
                "phase": transfer.phase,
                "pending": transfer.pending,
            }
            for transfer in entry.transfers
        ],
        "ref": entry.ref,
        "reverses": entry.reverses,
        "supersedes": entry.supersedes,
        "matches": entry.matches,
        "reason": entry.reason,
        "index": index,
        "leaf_hash": hashed.hex(),
    }


def checkpoint_document(checkpoint: Checkpoint, signers: tuple[str, ...]) -> dict[str, Any]:
    """A checkpoint for programs."""
    return {
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "root": to_base64(checkpoint.root),
        "signers": list(signers),
    }
