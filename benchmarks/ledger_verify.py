"""How fast a log is verified: entries per second against a bare hashlib loop over the same number of SHA-256 calls.

Verified means: bundles decoded, leaves hashed, the tree rebuilt, its root compared with the checkpoint's. The bare
loop hashes messages of the same lengths and does nothing else, so the ratio says what everything else costs.
`--quick` measures once, to see that it runs.
"""

import hashlib
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[1] / "services" / "ledger_format" / "src"))

from ledger_format.entries import Entry, Transfer, decode, encode
from ledger_format.merkle import leaf_hashes, root_of
from ledger_format.tiles import TILE_WIDTH, decode_bundle, encode_bundle

ENTRIES: Final = 40_000
READ_ENTRIES: Final = 4_000  # reading every leaf's JSON is slower: a part of the log is enough to measure it
REPEATS: Final = 5
NODE_BYTES: Final = 65
ORGANIZATION: Final = "org_01k9z3v8x4e5t6y7m8n9p0q1r2"


def make_leaf(number: int) -> bytes:
    """Write a donation as production would: two transfers and three commitments."""
    transfers = (
        Transfer(f"{ORGANIZATION}/processor_balance", f"{ORGANIZATION}/gifts", "EUR", 2_500 + number),
        Transfer(
            f"{ORGANIZATION}/processor_balance", f"{ORGANIZATION}/platform_contributions_due", "EUR", 200
        ),
    )
    return encode(
        Entry(
            log="log.amply.example/benchmark",
            id=f"ent_{number:026d}",
            kind="donation.succeeded",
            ts=datetime(2026, 11, 21, 7, 44, tzinfo=UTC),
            org=ORGANIZATION,
            org_seq=number,
            org_prev=bytes(32) if number else None,
            transfers=transfers,
            ref=f"stripe:payment_intent:pi_{number:024d}",
            commitments={field: bytes(32) for field in ("donation_id", "donor_email", "donor_name")},
        )
    )


def verify(bundles: Sequence[bytes], root: bytes) -> None:
    """Verify a whole log against its root."""
    hashes = leaf_hashes(leaf for bundle in bundles for leaf in decode_bundle(bundle))
    if len(hashes) != ENTRIES or root_of(hashes) != root:
        raise SystemExit("the log did not verify")


def hash_all(messages: Sequence[bytes]) -> None:
    """Hash each message, and nothing else."""
    sha256 = hashlib.sha256
    for message in messages:
        sha256(message).digest()


def read_all(leaves: Sequence[bytes]) -> None:
    """Read each leaf strictly, as an audit does on top of verifying."""
    for leaf in leaves:
        decode(leaf)


def seconds(run: Callable[[], None]) -> float:
    """Time one run, in CPU seconds: one thread, no waiting, so other work on the machine counts less."""
    start = time.process_time()
    run()
    return time.process_time() - start


def main() -> None:
    """Measure, print a table, and end with one line of JSON."""
    leaves = [make_leaf(number) for number in range(ENTRIES)]
    bundles = [encode_bundle(leaves[at : at + TILE_WIDTH]) for at in range(0, ENTRIES, TILE_WIDTH)]
    root = root_of(leaf_hashes(leaves))
    messages = [b"\0" + leaf for leaf in leaves] + [bytes(NODE_BYTES)] * (ENTRIES - 1)

    bare, verified, read = [], [], []
    repeats = 1 if "--quick" in sys.argv else REPEATS
    for _ in range(repeats):  # interleaved, so that a slow moment of the machine meets both
        bare.append(ENTRIES / seconds(lambda: hash_all(messages)))
        verified.append(ENTRIES / seconds(lambda: verify(bundles, root)))
        read.append(READ_ENTRIES / seconds(lambda: read_all(leaves[:READ_ENTRIES])))
    ratios = [ours / theirs for ours, theirs in zip(verified, bare, strict=True)]
    ratio = statistics.median(ratios)

    print(
        f"{ENTRIES:,} entries of {len(leaves[-1])} bytes, {repeats} interleaved repeats, one core; median (range)"
    )
    for name, rates in (
        ("bare hashlib loop, same SHA-256 calls", bare),
        ("verify: bundles, leaves, tree, root", verified),
        ("strict reading of every leaf, on top", read),
    ):
        print(f"  {name:40} {statistics.median(rates):>10,.0f} /s  ({min(rates):,.0f} to {max(rates):,.0f})")
    print(
        f"  {'verify as a share of the bare loop':40} {ratio:>10.0%}     ({min(ratios):.0%} to {max(ratios):.0%})"
    )
    print(
        json.dumps(
            {
                "benchmark": "ledger_verify",
                "ratio": round(ratio, 3),
                "ratio_range": [round(min(ratios), 3), round(max(ratios), 3)],
                "baseline": "bare hashlib loop making the same SHA-256 calls",
                "entries_per_second": round(statistics.median(verified)),
                "baseline_entries_per_second": round(statistics.median(bare)),
                "strict_reads_per_second": round(statistics.median(read)),
                "entries": ENTRIES,
                "entry_bytes": len(leaves[-1]),
            }
        )
    )


if __name__ == "__main__":
    main()
