"""What was proven: as lines for people, and as a document for programs."""

import dataclasses
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from amply_verify.checkpoint_check import CheckedCheckpoint
from amply_verify.entry_check import CheckedEntry
from amply_verify.outcome import CheckFailure, Exit
from ledger_format.checkpoints import Checkpoint, SignedCheckpoint, Witnessed
from ledger_format.entries import Entry, Transfer
from ledger_format.literals import to_base64
from ledger_format.receipts import VerifiedReceipt

# The table of docs/ledger-format.md. ISO 4217 has changed exponents before, and what is written is for ever: a
# currency that is not pinned there is shown without a decimal point rather than with a guessed one.
_DIGITS: Final = {"CHF": 2, "EUR": 2, "GBP": 2, "USD": 2}


@dataclasses.dataclass(frozen=True, slots=True)
class Proven:
    """A finished proof: label and text of each line, the same as a document, and what it does not prove.

    `not_checked` says what of the thing itself could not be checked; where it says anything, nothing is called verified.
    `refused` is why it is not, where everything was checked and something of it is wrong: the rest is told with it.
    """

    lines: tuple[tuple[str, str], ...]
    document: Mapping[str, Any]
    limits: str
    not_checked: tuple[str, ...] = ()
    refused: CheckFailure | None = None

    @property
    def exit_code(self) -> Exit:
        """What is wrong outweighs what is not known."""
        if self.refused is not None:
            return self.refused.exit_code
        return Exit.PARTLY if self.not_checked else Exit.VERIFIED


def say_receipt(receipt: VerifiedReceipt) -> Proven:
    """Say what a verified receipt proves."""
    opened = [(f"opened: {field}", value) for field, value in sorted(receipt.opened.items())]
    closed = sorted(receipt.entry.commitments.keys() - receipt.opened.keys())
    return Proven(
        lines=(
            *_entry_lines(receipt.entry, receipt.index, receipt.checkpoint),
            *(opened or [("opened", "no commitment")]),
            *([("left closed", ", ".join(closed))] if closed else []),
            *checkpoint_lines(receipt.signed),
        ),
        document={
            **_entry_document(receipt.entry, receipt.index, receipt.leaf_hash),
            "opened": dict(receipt.opened),
            "left_closed": closed,
            "checkpoint": checkpoint_document(receipt.signed),
        },
        limits=limits_of(receipt.signed, "that the checkpoint is the latest"),
    )


def say_entry(checked: CheckedEntry) -> Proven:
    """Say what an entry found in the log proves."""
    return Proven(
        lines=(
            *_entry_lines(checked.entry, checked.index, checked.signed.checkpoint),
            *checkpoint_lines(checked.signed),
        ),
        document={
            **_entry_document(checked.entry, checked.index, checked.leaf_hash),
            "checkpoint": checkpoint_document(checked.signed),
        },
        limits=limits_of(checked.signed),
    )


def say_checkpoint(checked: CheckedCheckpoint) -> Proven:
    """Say what a checkpoint proves."""
    tiles = (
        "the published tiles give this root" if checked.tiles_agree else "not read (the checkpoint is a file)"
    )
    return Proven(
        lines=(*checkpoint_lines(checked.signed), ("tiles", tiles)),
        document={
            "checkpoint": checkpoint_document(checked.signed),
            "tiles_agree": checked.tiles_agree,
        },
        limits=limits_of(checked.signed, "that the log is complete"),
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


def checkpoint_lines(signed: SignedCheckpoint) -> list[tuple[str, str]]:
    """A checkpoint as lines."""
    checkpoint = signed.checkpoint
    return [
        ("log", checkpoint.origin),
        ("checkpoint", f"{checkpoint.size} entries, root {to_base64(checkpoint.root)}"),
        *signature_lines(signed),
    ]


def signature_lines(signed: SignedCheckpoint) -> list[tuple[str, str]]:
    """Who has signed and cosigned a checkpoint, and what was demanded, as lines."""
    return [
        ("signed by", ", ".join(signed.signers)),
        *(("witnessed by", _witness_in_words(witness)) for witness in signed.witnessed),
        ("witnesses demanded", _demand_in_words(signed)),
    ]


def _witness_in_words(witness: Witnessed) -> str:
    return f"{witness.name} ({witness.key_name}), {_time(witness) or 'at an impossible time'}"


def _time(witness: Witnessed) -> str | None:
    """When the witness says it was, in UTC; None for a time that no calendar has."""
    try:
        return f"{datetime.fromtimestamp(witness.seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError, OSError):
        return None


def _demand_in_words(signed: SignedCheckpoint) -> str:
    if signed.policy is None:
        return "NONE: no policy was given (--policy)"
    if not signed.policy.demands_witnesses:
        return "NONE: the policy says 'quorum none'"
    return f"the quorum {signed.policy.quorum} of the policy, which is met"


def limits_of(signed: SignedCheckpoint, *also: str) -> str:
    """What is not proven. Only a met quorum speaks against a log that shows each person another history."""
    if signed.policy is None or not signed.policy.demands_witnesses:
        also = (*also, "that others are shown the same log")
    else:
        also = (*also, "that the witnesses are independent of the log and of one another")
    return f"It does not prove {', or '.join(also)}."


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


def checkpoint_document(signed: SignedCheckpoint) -> dict[str, Any]:
    """A checkpoint for programs."""
    policy = signed.policy
    return {
        "origin": signed.checkpoint.origin,
        "size": signed.checkpoint.size,
        "root": to_base64(signed.checkpoint.root),
        "signers": list(signed.signers),
        "witnesses_demanded": policy is not None and policy.demands_witnesses,
        "quorum": policy.quorum if policy else None,
        "witnesses": [
            {"name": witness.name, "key_name": witness.key_name, "time": _time(witness)}
            for witness in signed.witnessed
        ],
    }
