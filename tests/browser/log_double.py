"""A published log, written here from its specification alone: what the ledger page must be able to read.

`test_ledger_page.py` holds it against the format package, so that the two cannot drift apart.
"""

import base64
import json
from collections.abc import Sequence
from typing import Any, Final

from ledger_format.merkle import leaf_hash, root_of
from tests.browser.platform_double import ORGANIZATION

ORIGIN: Final = "log.amply.example/test"
_BUNDLE_WIDTH: Final = 256


def leaf(index: int, **more: Any) -> bytes:
    """One entry's bytes: a gift of 25.00 EUR unless `more` says otherwise."""
    owner = f"{ORGANIZATION}/"
    entry: dict[str, Any] = {
        "v": 1,
        "log": ORIGIN,
        "id": f"ent_{index:032d}",
        "kind": "donation.succeeded",
        "ts": "2026-11-21T07:44Z",
        "org": ORGANIZATION,
        "org_seq": str(index),
        **({"org_prev": f"{index:064x}"} if index else {}),
        "transfers": [{"d": f"{owner}processor_balance", "c": f"{owner}gifts", "cur": "EUR", "amt": "2500"}],
        **more,
    }
    return json.dumps(entry, sort_keys=True, separators=(",", ":")).encode()


def donation_entries(count: int) -> list[bytes]:
    """`count` gifts, every third followed by what the processor kept of it."""
    fee = [
        {
            "d": f"{ORGANIZATION}/processor_fees",
            "c": f"{ORGANIZATION}/processor_balance",
            "cur": "EUR",
            "amt": "63",
        }
    ]
    return [
        leaf(index, kind="processor.fee", transfers=fee) if index % 3 == 1 else leaf(index)
        for index in range(count)
    ]


def published(entries: Sequence[bytes]) -> dict[str, bytes]:
    """The files under `log/` that a log of these entries publishes, as far as the page reads them."""
    files = {"checkpoint": checkpoint(entries)}
    for first in range(0, len(entries), _BUNDLE_WIDTH):
        bundle = entries[first : first + _BUNDLE_WIDTH]
        partial = "" if len(bundle) == _BUNDLE_WIDTH else f".p/{len(bundle)}"
        content = b"".join(len(entry).to_bytes(2, "big") + entry for entry in bundle)
        files[f"tile/entries/{first // _BUNDLE_WIDTH:03d}{partial}"] = content
    return files


def checkpoint(entries: Sequence[bytes]) -> bytes:
    """A checkpoint whose signature is none: the page shows the root and leaves checking to the verifier."""
    root = base64.b64encode(root_of([leaf_hash(entry) for entry in entries])).decode()
    return f"{ORIGIN}\n{len(entries)}\n{root}\n\n— {ORIGIN} AAAAAAAA\n".encode()
