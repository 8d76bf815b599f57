"""What has to hold: the API answers, no entry waits long, the newest checkpoint is signed and cosigned by as many as its
policy demands, and its tiles give its root.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from ledger_format.checkpoints import open_checkpoint
from ledger_format.errors import FormatError
from ledger_format.notes import VerifierKey
from ledger_format.policies import Policy
from ledger_format.tiles import TILE_WIDTH, Tile, TileReader, first_hashes, tile_path, tree_root

UNPUBLISHED_SECONDS_MAX: Final = 60

Get = Callable[[str], bytes]
"""Fetches an address. Raises NotThere for a 404, Unwell for everything else that is no answer."""


class Unwell(Exception):
    """Something a stranger would call broken; the message is one sentence for whoever is woken."""


class NotThere(Unwell):
    """The server says that there is nothing at this address."""


@dataclass(frozen=True, kw_only=True)
class Freshness:
    """What the API says of the log: entries published, and the age in seconds of the oldest one that is not."""

    published_size: int
    oldest_unpublished_seconds: float


@dataclass(frozen=True, kw_only=True)
class View:
    """What was seen when all was well."""

    checkpoint_size: int
    oldest_unpublished_seconds: float


def look(*, api: str, log: str, keys: Sequence[VerifierKey], policy: Policy, get: Get) -> View:
    """Take one look; `policy` says which witnesses must have cosigned.

    Raises:
        Unwell: Something is not as it has to be.
    """
    fresh = read_freshness(get(f"{api}/v1/public/log/freshness"))
    if fresh.oldest_unpublished_seconds > UNPUBLISHED_SECONDS_MAX:
        raise Unwell(
            f"An entry has been outside every checkpoint for {fresh.oldest_unpublished_seconds:.0f} seconds."
        )
    # Only now: a checkpoint asked for earlier could be older than what the API says is published.
    size = verify_newest(log, keys, policy, get) if fresh.published_size else 0
    if size < fresh.published_size:
        raise Unwell(f"The log shows {size} entries, and the API says {fresh.published_size} are published.")
    return View(checkpoint_size=size, oldest_unpublished_seconds=fresh.oldest_unpublished_seconds)


def read_freshness(answer: bytes) -> Freshness:
    """Read the API's answer; what is no such answer makes it unwell."""
    try:
        parsed = json.loads(answer)
        return Freshness(
            published_size=int(parsed["published_size"]),
            oldest_unpublished_seconds=float(parsed["oldest_unpublished_seconds"]),
        )
    except (ValueError, TypeError, KeyError) as error:
        raise Unwell("The API does not say how fresh the log is.") from error


def verify_newest(log: str, keys: Sequence[VerifierKey], policy: Policy, get: Get) -> int:
    """Verify the newest checkpoint: its signature, its quorum, and that the tiles at its right edge give its root."""
    try:
        note = get(f"{log}/checkpoint").decode()
        checkpoint = open_checkpoint(note, keys, policy=policy).checkpoint
        root = tree_root(checkpoint.size, _tiles(log, get))
    except (FormatError, UnicodeDecodeError) as error:
        raise Unwell(f"The public log does not verify: {error}.") from error
    if root != checkpoint.root:
        raise Unwell("The tiles that the log publishes do not give the root it has signed.")
    return checkpoint.size


def _tiles(log: str, get: Get) -> TileReader:
    def read(tile: Tile) -> bytes:
        partial, full = (tile_path(Tile(tile.level, tile.index, width)) for width in (tile.width, TILE_WIDTH))
        try:
            found = get(f"{log}/{partial}")
        except NotThere:
            # Once a tile is full the log need not keep its beginnings.
            found = get(f"{log}/{full}")
        return first_hashes(found, tile.width)

    return read
