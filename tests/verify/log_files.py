"""A log as files in a directory, with entries that extend their organisations' chains."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ledger_format.entries import Entry, Transfer, encode
from ledger_format.merkle import leaf_hash
from tests.verify.ledger_samples import ORGANIZATION, SampleLog, sample_entry, sample_transfer

OTHER_ORGANIZATION = "org_01k9z3v8x4e5t6y7m8n9p0q1r3"


def write_log(directory: Path, leaves: Sequence[bytes], *, origin: str | None = None) -> SampleLog:
    """Publish leaves as a signed log below a directory."""
    log = SampleLog(leaves) if origin is None else SampleLog(leaves, origin=origin)
    for path, content in log.files().items():
        file = directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return log


class Pen:
    """Writes the entries of a log one after the other; ids count up, chains continue."""

    def __init__(self) -> None:
        self.leaves: list[bytes] = []
        self._ends: dict[str, tuple[int, bytes | None]] = {}

    def write(self, *transfers: Transfer, org: str = ORGANIZATION, **changes: Any) -> str:
        """Add an entry and return its id."""
        seq, prev = self._ends.get(org, (0, None))
        fields: dict[str, Any] = {
            "id": f"ent_{len(self.leaves):026d}",
            "org": org,
            "org_seq": seq,
            "org_prev": prev,
            "transfers": transfers or (sample_transfer(),),
        }
        entry = sample_entry(**{**fields, **changes})
        return self.add(entry)

    def add(self, entry: Entry) -> str:
        """Add an entry as it is."""
        raw = encode(entry)
        self.leaves.append(raw)
        self._ends[entry.org] = (entry.org_seq + 1, leaf_hash(raw))
        return entry.id

    def many(self, count: int) -> None:
        """Add ordinary gifts of two organisations, and their fees."""
        for number in range(count):
            org = (ORGANIZATION, OTHER_ORGANIZATION)[number % 3 == 0]
            if number % 2:
                line = sample_transfer(
                    debit=f"{org}/processor_fees", credit=f"{org}/processor_balance", amount_minor=62
                )
                self.write(line, org=org, kind="processor.fee")
            else:
                line = sample_transfer(
                    debit=f"{org}/processor_balance", credit=f"{org}/gifts", amount_minor=1_000 + number
                )
                self.write(line, org=org, commitments={"reference": bytes(32)})


def gift(amount_minor: int = 2_500, **changes: Any) -> Transfer:
    return sample_transfer(amount_minor=amount_minor, **changes)


def taken_back(amount_minor: int, **changes: Any) -> Transfer:
    """The transfer of a refund."""
    return sample_transfer(
        **{
            "debit": f"{ORGANIZATION}/gifts",
            "credit": f"{ORGANIZATION}/processor_balance",
            "amount_minor": amount_minor,
            **changes,
        }
    )
