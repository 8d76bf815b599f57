"""What a donor's leaf costs: sealing and opening a gift's fields under it, against the key of the scope alone.

Baseline: AES-256-GCM by one key, as everything is sealed that is under no leaf. Ours: the leaf is derived from what is left of a
tree that many erasures have cut leaves out of, and opens the same value. In one process and one thread, in turns; what is told is
the median of each. Beside them the size of the tree's object, and how long it takes to cut one leaf more and encrypt all of it.
`--quick` takes few of everything, to see that it runs.
"""

import json
import secrets
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from amply.infra.vault import format as sealed_format
from amply.infra.vault.format import Head
from amply.infra.vault.leaves import Leaves
from amply.infra.vault.puncturable_prf import KeyTree
from amply.infra.vault.stored_trees import HeldTree
from amply.kernel.clock import system_clock

IS_QUICK = "--quick" in sys.argv
VALUES = 200 if IS_QUICK else 5_000
TURNS = 1 if IS_QUICK else 7
ERASURES = (0, 10) if IS_QUICK else (0, 100, 1_000, 10_000)
CONTENT = json.dumps({"donor_name": "Ada Lovelace", "donor_email": "ada@example.org"}).encode()
BOUND = b"amply/sealed/2\0donors\0donation\0sealed\0don_01m8d2ws2se0taxh2sd1beyb1c"


def microseconds(work: Callable[[], object]) -> float:
    """Each value's share of one turn."""
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1_000_000 / VALUES


def grown(erasures: int) -> KeyTree:
    tree = KeyTree.grown()
    for number in range(erasures):
        tree = tree.cut(tree.leaf_of(f"erased {number}"))
    return tree


def measured(tree: KeyTree) -> dict[str, float]:
    """Microseconds a value, by what is done with it."""
    key = secrets.token_bytes(32)
    leaves = Leaves(begin_at=system_clock(), grown=tree.id, held=HeldTree(tree=tree, mark="", looked_at=0.0))
    donors = [f"{number:064x}" for number in range(VALUES)]

    def seal(head: Head) -> bytes:
        return sealed_format.seal(leaves.key_for(head, key=key), CONTENT, head=head, bound=BOUND)

    def unseal(sealed: bytes) -> bytes:
        opens = leaves.key_for(sealed_format.head_of(sealed), key=key)
        return sealed_format.unseal(opens, sealed, bound=BOUND)

    plain = [seal(Head(version=1)) for _ in donors]
    leafed = [seal(Head(version=1, leaf=tree.leaf_of(each))) for each in donors]
    turns: dict[str, Callable[[], object]] = {
        "seal, by the key alone": lambda: [seal(Head(version=1)) for _ in donors],
        "seal, under a leaf": lambda: [seal(Head(version=1, leaf=tree.leaf_of(each))) for each in donors],
        "open, by the key alone": lambda: [unseal(each) for each in plain],
        "open, under a leaf": lambda: [unseal(each) for each in leafed],
    }
    taken: dict[str, list[float]] = {name: [] for name in turns}
    for _ in range(TURNS):
        for name, turn in turns.items():
            taken[name].append(microseconds(turn))
    return {name: statistics.median(each) for name, each in taken.items()}


def milliseconds_to_cut(tree: KeyTree) -> float:
    """One leaf more, and all of it encrypted as it is stored."""
    began = time.process_time()
    changed = tree.cut(tree.leaf_of("one more"))
    AESGCM(secrets.token_bytes(32)).encrypt(secrets.token_bytes(12), changed.encode(), BOUND)
    return (time.process_time() - began) * 1_000


def main() -> None:
    print(f"{VALUES} values a turn, {TURNS} turns, median of processor time")
    trees = {erasures: grown(erasures) for erasures in ERASURES}
    costs = {erasures: measured(tree) for erasures, tree in trees.items()}
    print(f"{'microseconds a value':28}" + "".join(f"{erasures:>10} cut" for erasures in ERASURES))
    for name in costs[0]:
        print(f"{name:28}" + "".join(f"{costs[erasures][name]:>14.1f}" for erasures in ERASURES))
    sizes = {erasures: len(tree.encode()) for erasures, tree in trees.items()}
    print(f"{'kilobytes of the object':28}" + "".join(f"{size / 1_000:>14.1f}" for size in sizes.values()))
    cuts = {erasures: milliseconds_to_cut(tree) for erasures, tree in trees.items()}
    print(f"{'milliseconds to cut':28}" + "".join(f"{cut:>14.1f}" for cut in cuts.values()))
    last = ERASURES[-1]
    print(
        json.dumps(
            {
                "benchmark": "key_tree",
                "ratio": round(costs[last]["open, by the key alone"] / costs[last]["open, under a leaf"], 3),
                "baseline": "opening the same value by the key of its scope alone",
                "erasures": last,
                "open_microseconds": round(costs[last]["open, under a leaf"], 1),
                "seal_microseconds": round(costs[last]["seal, under a leaf"], 1),
                "baseline_open_microseconds": round(costs[last]["open, by the key alone"], 1),
                "baseline_seal_microseconds": round(costs[last]["seal, by the key alone"], 1),
                "bytes_an_erasure": round((sizes[last] - sizes[0]) / last),
                "cut_milliseconds": round(cuts[last], 1),
            }
        )
    )


if __name__ == "__main__":
    main()
