"""Run in `.venv-peers`: evaluates leaves, roots and proofs by pymerkle and sigstore. JSON on standard input.

sigstore's verification takes an entry of its own; only the fields it reads are given to it.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any

# Installed in .venv-peers alone, where the types of the rest are not looked for.
from pymerkle import InmemoryTree  # type: ignore[import-not-found]  # only in .venv-peers
from sigstore._internal.merkle import verify_merkle_inclusion  # type: ignore[import-not-found]  # likewise
from sigstore.errors import VerificationError  # type: ignore[import-not-found]  # likewise


def roots(leaves: Iterable[bytes]) -> Iterator[str]:
    tree = InmemoryTree(algorithm="sha256")
    for leaf in leaves:
        tree.append_entry(leaf)
        yield tree.get_root().hex()


def is_included(case: dict[str, Any]) -> bool:
    proof = SimpleNamespace(
        log_index=case["index"],
        tree_size=case["size"],
        hashes=[bytes.fromhex(value) for value in case["proof"]],
        root_hash=bytes.fromhex(case["root"]),
    )
    entry = SimpleNamespace(
        _inner=SimpleNamespace(inclusion_proof=proof, canonicalized_body=bytes.fromhex(case["leaf"]))
    )
    try:
        verify_merkle_inclusion(entry)
    except VerificationError:
        return False
    return True


def main() -> None:
    asked = json.load(sys.stdin)
    leaves = [bytes.fromhex(leaf) for leaf in asked["leaves"]]
    said = {"roots": list(roots(leaves)), "included": [is_included(case) for case in asked["proofs"]]}
    json.dump(said, sys.stdout)


main()
