"""A published log of plain gifts, signed with the key of `tests.verify.ledger_samples`.

Its entries and its bundles are written here from their specification alone; `test_ledger_page.py` holds them against the
format package, so that the two cannot drift apart.
"""

import json
from collections.abc import Sequence
from typing import Any, Final

from ledger_format.tiles import tile_path
from tests.browser.platform_double import ORGANIZATION
from tests.verify.ledger_samples import ORIGIN, SampleLog, verifier_key

POLICY: Final = f"log {verifier_key()}\nquorum none\n"
"""What a site pins that trusts this log's key and demands no witness."""
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
    """The files under `log/` that a log of these entries publishes."""
    tiles = SampleLog(entries).tiles
    files = {"checkpoint": checkpoint(entries), **{tile_path(tile): tiles[tile] for tile in tiles}}
    for first in range(0, len(entries), _BUNDLE_WIDTH):
        bundle = entries[first : first + _BUNDLE_WIDTH]
        partial = "" if len(bundle) == _BUNDLE_WIDTH else f".p/{len(bundle)}"
        content = b"".join(len(entry).to_bytes(2, "big") + entry for entry in bundle)
        files[f"tile/entries/{first // _BUNDLE_WIDTH:03d}{partial}"] = content
    return files


def checkpoint(entries: Sequence[bytes]) -> bytes:
    """The signed checkpoint of a log of these entries."""
    return SampleLog(entries).note().encode()
