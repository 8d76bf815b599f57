r"""How fast `amply-verify audit` checks a log, and that its memory does not grow with the log.

The log lies in files on disk, as a mirror has it, with a mix of gifts, fees, bank debits and refunds. In turns, in one
process, in CPU seconds:

- bare loop: the same SHA-256 calls over the same leaves, already in memory, and over the nodes above them, in the
  shortest Python that makes them: `sha256(b"\0" + leaf)`, `sha256(b"\1" + left + right)`
- hashes in memory: bundles cut, leaves and nodes hashed, nothing read
- audit, hashes only: what `fsck` does, files opened and read, every tile of every level compared
- audit with the books: each entry read strictly, replayed, and settled with all others

`ratio` is the third against the first, `ratio_replay` the fourth. Then all cores at once in wall-clock time, and the
sizes of proofs and receipts in simulated logs of up to a thousand million entries. `--memory N ...` audits logs of so many entries in
processes of their own and prints the largest resident set of each; `--quick` measures once and small.
"""

import hashlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from amply_verify.auditing.run import Audit, NoProgress, cores, run_audit
from amply_verify.keys import Trust
from benchmarks.apparatus.big_log import VERIFIER, leaves_of, write_log
from benchmarks.apparatus.donors_receipt import receipt_bytes
from benchmarks.apparatus.huge_tree import HugeTree
from ledger_format.merkle import leaf_hash, root_of, verify_consistency, verify_inclusion
from ledger_format.tiles import (
    TILE_WIDTH,
    bundle_hashes,
    consistency_proof,
    encode_bundle,
    inclusion_proof,
    tree_root,
)

ENTRIES: Final = 131_072
QUICK_ENTRIES: Final = 4_096
REPEATS: Final = 5
HUGE: Final = 1_000_000_000
RECEIPTS_AT: Final = (1_000, 32_768, 65_536, 1_000_000, 10_000_000, 100_000_000, HUGE)
_CHILD: Final = "--one-audit"


def bare_loop(leaves: Sequence[bytes]) -> None:
    """Make the SHA-256 calls of a whole tree, and nothing else."""
    sha256 = hashlib.sha256
    row = [sha256(b"\0" + leaf).digest() for leaf in leaves]
    while len(row) > 1:
        row = [sha256(b"\1" + left + right).digest() for left, right in zip(row[::2], row[1::2], strict=True)]


def hash_in_memory(bundles: Sequence[bytes]) -> None:
    """Hash a log's bundles up to its root."""
    root_of([root_of(bundle_hashes(bundle)) for bundle in bundles])


def audit(directory: Path, *, replay: bool, jobs: int) -> None:
    """Check the log in a directory."""
    run_audit(Audit(place=str(directory), trusted=Trust((VERIFIER,)), replay=replay, jobs=jobs), NoProgress())


def cpu_seconds(act: Callable[[], None]) -> float:
    """Time one run in CPU seconds: one thread, so other work on the machine counts less."""
    start = time.process_time()
    act()
    return time.process_time() - start


def wall_seconds(act: Callable[[], None]) -> float:
    """Time one run by the clock."""
    start = time.monotonic()
    act()
    return time.monotonic() - start


def measure(directory: Path, entries: int, *, repeats: int) -> dict[str, list[float]]:
    """Entries a CPU second, by kind of work; interleaved, so that a slow moment of the machine meets all."""
    leaves = list(leaves_of(entries))
    bundles = [encode_bundle(leaves[at : at + TILE_WIDTH]) for at in range(0, entries, TILE_WIDTH)]
    acts: dict[str, Callable[[], None]] = {
        "bare loop, same SHA-256 calls": lambda: bare_loop(leaves),
        "hashes, in memory": lambda: hash_in_memory(bundles),
        "audit, hashes only": lambda: audit(directory, replay=False, jobs=1),
        "audit with the books": lambda: audit(directory, replay=True, jobs=1),
    }
    rates: dict[str, list[float]] = {name: [] for name in acts}
    for _ in range(repeats):
        for name, act in acts.items():
            rates[name].append(entries / cpu_seconds(act))
    return rates


def shares_of(rates: dict[str, list[float]], name: str) -> list[float]:
    """The rate of each turn against the bare loop's in the same turn."""
    bare = rates["bare loop, same SHA-256 calls"]
    return [ours / theirs for ours, theirs in zip(rates[name], bare, strict=True)]


def proofs_of_a_huge_log() -> dict[str, int]:
    """Prove and verify inclusion and consistency in a log of HUGE entries, of which only the needed tiles exist."""
    index = HUGE // 3
    tree = HugeTree(HUGE, leaf_hash(b"the entry"), index)
    root = tree_root(HUGE, tree.read)
    included = inclusion_proof(index, HUGE, tree.read)
    verify_inclusion(leaf=leaf_hash(b"the entry"), index=index, size=HUGE, proof=included, root=root)
    old = HUGE - 12_345_678
    extended = consistency_proof(old, HUGE, tree.read)
    verify_consistency(
        old_size=old, old_root=tree_root(old, tree.read), new_size=HUGE, new_root=root, proof=extended
    )
    return {
        "inclusion_hashes": len(included),
        "inclusion_bytes": sum(map(len, included)),
        "consistency_hashes": len(extended),
        "tiles_read": tree.tiles_read,
    }


def report_memory(sizes: Sequence[int]) -> dict[str, int]:
    """Audit logs of these sizes with all cores, and say how much memory the largest process held, in MiB."""
    held = {}
    print(f"\n{'entries':>12}{'seconds':>10}{'entries/s':>12}{'largest process, MiB':>24}")
    for entries in sizes:
        room = Path(os.environ.get("AMPLY_BENCHMARK_LOGS", tempfile.gettempdir())) / f"amply-log-{entries}"
        directory = write_log(room, entries)
        done = subprocess.run(
            [sys.executable, __file__, _CHILD, str(directory)], capture_output=True, text=True, check=True
        )
        told = json.loads(done.stdout)
        held[str(entries)] = told["mebibytes"]
        rate = entries / told["seconds"]
        print(f"{entries:>12,}{told['seconds']:>10.1f}{rate:>12,.0f}{told['mebibytes']:>24,}")
    return held


def audit_and_tell(directory: str) -> None:
    """In a process of its own: audit, and print time and memory."""
    seconds = wall_seconds(lambda: audit(Path(directory), replay=True, jobs=cores()))
    kibibytes = max(
        resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(json.dumps({"seconds": seconds, "mebibytes": kibibytes // 1024}))


def main() -> None:
    """Measure, print a table, and end with one line of JSON."""
    is_quick = "--quick" in sys.argv
    entries, repeats = (QUICK_ENTRIES, 1) if is_quick else (ENTRIES, REPEATS)
    with tempfile.TemporaryDirectory(prefix="amply-bench-") as room:
        directory = write_log(Path(room), entries)
        rates = measure(directory, entries, repeats=repeats)
        together = entries / wall_seconds(lambda: audit(directory, replay=True, jobs=cores()))
    print(f"{entries:,} entries, {repeats} interleaved repeats, one core, CPU time; median (range)")
    for name, measured in rates.items():
        share = statistics.median(shares_of(rates, name))
        print(
            f"  {name:32}{statistics.median(measured):>10,.0f} /s{share:>7.0%}"
            f"  ({min(measured):,.0f} to {max(measured):,.0f})"
        )
    print(f"  {f'with the books, {cores()} cores, by the clock':32}{together:>10,.0f} /s")
    proofs = proofs_of_a_huge_log()
    print(
        f"  proof of one entry in {HUGE:,}: {proofs['inclusion_hashes']} hashes, {proofs['inclusion_bytes']} bytes"
    )
    receipts = {str(size): receipt_bytes(size) for size in RECEIPTS_AT}
    for size, length in receipts.items():
        print(
            f"  receipt with three witnesses and four openings, of {int(size):>13,} entries: {length:,} bytes"
        )
    memory = (
        report_memory([int(size) for size in sys.argv[sys.argv.index("--memory") + 1 :]])
        if "--memory" in sys.argv
        else {}
    )
    hashes, books = shares_of(rates, "audit, hashes only"), shares_of(rates, "audit with the books")
    print(
        json.dumps(
            {
                "benchmark": "ledger_verify",
                "ratio": round(statistics.median(hashes), 3),
                "ratio_range": [round(min(hashes), 3), round(max(hashes), 3)],
                "ratio_in_memory": round(statistics.median(shares_of(rates, "hashes, in memory")), 3),
                "ratio_replay": round(statistics.median(books), 3),
                "baseline": "bare Python loop making the same SHA-256 calls, leaves and nodes",
                "entries_per_second": round(statistics.median(rates["audit with the books"])),
                "entries_per_second_all_cores": round(together),
                **proofs,
                "receipt_bytes": receipts,
                "memory_mebibytes": memory,
                "entries": entries,
            }
        )
    )


if __name__ == "__main__":
    if _CHILD in sys.argv:
        audit_and_tell(sys.argv[-1])
    else:
        main()
