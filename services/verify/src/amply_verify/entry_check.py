"""Is the entry of this id in the log? The API only says where to look; the signed tree decides."""

import dataclasses
import json
from typing import Any, Final

from amply_verify.checkpoint_check import fetch_checkpoint, get_partial, tile_reader
from amply_verify.keys import Trust
from amply_verify.log_reader import Getter
from amply_verify.outcome import CheckFailure, Exit
from ledger_format.checkpoints import SignedCheckpoint
from ledger_format.entries import Entry, decode
from ledger_format.literals import MAX_INTEGER
from ledger_format.merkle import leaf_hash, verify_inclusion
from ledger_format.tiles import (
    MAX_BUNDLE_BYTES,
    TILE_WIDTH,
    bundle_path,
    decode_bundle,
    inclusion_proof,
)

MAX_LOCATION_BYTES: Final = 65_536


@dataclasses.dataclass(frozen=True, slots=True)
class CheckedEntry:
    """An entry that was found in the log's signed tree, and where."""

    entry: Entry
    leaf_hash: bytes
    index: int
    signed: SignedCheckpoint


def check_entry(entry_id: str, *, api: str, log: str, trusted: Trust, getter: Getter) -> CheckedEntry:
    """Find an entry in the log at `log` and verify its inclusion under the log's latest checkpoint.

    Raises:
        CheckFailure: Something could not be read, is not there yet, or is another entry than the one asked for.
        FormatError: Something is malformed or not true.
    """
    index, claimed_hash = _locate(entry_id, api=api.rstrip("/"), getter=getter)
    prefix = log.rstrip("/")
    signed = fetch_checkpoint(prefix, trusted, getter)
    size = signed.checkpoint.size
    if index >= size:
        raise _not_yet(f"the entry has index {index}, and the log's checkpoint covers {size} entries")
    raw = _read_entry(prefix, index, size, getter)
    hashed = leaf_hash(raw)
    proof = inclusion_proof(index, size, tile_reader(prefix, getter))
    verify_inclusion(leaf=hashed, index=index, size=size, proof=proof, root=signed.checkpoint.root)
    entry = decode(raw)
    _check_identity(entry, entry_id, signed)
    if hashed.hex() != claimed_hash:
        raise _mismatch("the API names another leaf hash for this entry than the log holds")
    return CheckedEntry(entry, hashed, index, signed)


def _locate(entry_id: str, *, api: str, getter: Getter) -> tuple[int, str]:
    """Ask the API for the entry's index and leaf hash (hexadecimal)."""
    answer = getter.get(f"{api}/v1/public/entries/{entry_id}", limit=MAX_LOCATION_BYTES)
    try:
        location: Any = json.loads(answer)
        index, hashed, found_id = location["index"], location["leaf_hash"], location["id"]
    except (ValueError, RecursionError, TypeError, KeyError) as error:
        raise _bad_answer() from error
    if index is None:
        raise _not_yet("the entry is recorded and has no place in the log yet")
    if type(index) is not int or not 0 <= index <= MAX_INTEGER or not isinstance(hashed, str):
        raise _bad_answer()
    if found_id != entry_id:
        raise _mismatch("the API answered about another entry than the one asked for")
    return index, hashed


def _read_entry(prefix: str, index: int, size: int, getter: Getter) -> bytes:
    bundle, offset = divmod(index, TILE_WIDTH)
    width = min(TILE_WIDTH, size - bundle * TILE_WIDTH)
    address, full = (f"{prefix}/{bundle_path(bundle, wide)}" for wide in (width, TILE_WIDTH))
    entries = decode_bundle(get_partial(getter, address, full, limit=MAX_BUNDLE_BYTES))
    if len(entries) < width:
        raise CheckFailure(
            Exit.MALFORMED,
            f"{address} holds {len(entries)} entries instead of {width}",
            "what the log serves is damaged, so report it to the log's operator",
        )
    return entries[offset]


def _check_identity(entry: Entry, entry_id: str, signed: SignedCheckpoint) -> None:
    if entry.id != entry_id:
        raise _mismatch(f"the log holds {entry.id} at this index, not {entry_id}")
    if entry.log != signed.checkpoint.origin:
        raise _mismatch(f"the entry was written for the log {entry.log}, not for {signed.checkpoint.origin}")


def _mismatch(reason: str) -> CheckFailure:
    return CheckFailure(Exit.MISMATCH, reason, "do not rely on it, and report it to the log's operator")


def _not_yet(reason: str) -> CheckFailure:
    return CheckFailure(Exit.NOT_THERE, reason, "try again in a minute")


def _bad_answer() -> CheckFailure:
    return CheckFailure(
        Exit.UNREACHABLE,
        "the API's answer is not the place of an entry",
        "check the address given with --api",
    )
