"""A log of any size on disk, quickly: gifts, fees, bank debits that are posted later, refunds; signed, with every tile.

Of 100 entries 46 are gifts (two transfers, four commitments), 46 their fees, 3 reserve a bank debit, 3 post it, and 2
refund a gift. They belong to 1,000 organisations. Its private key is public.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger_format.checkpoints import Checkpoint
from ledger_format.literals import EMPTY_ROOT
from ledger_format.merkle import leaf_hashes, root_of
from ledger_format.notes import VerifierKey, sign_note
from ledger_format.tiles import TILE_WIDTH, Tile, bundle_path, encode_bundle, tile_path, tree_root

ORIGIN: Final = "log.amply.example/benchmark"
KEY: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
VERIFIER: Final = VerifierKey.from_ed25519(ORIGIN, KEY.public_key().public_bytes_raw())
ORGANIZATIONS: Final = 1_000

_HEAD: Final = (
    b'{"commitments":{%b},"id":"ent_%026d","kind":"%b","log":"log.amply.example/benchmark","org":"%b",'
)
_TAIL: Final = b'"org_seq":"%d",%b"transfers":[%b],"ts":"2026-%02d-%02dT%02d:%02dZ","v":1}'
_LINE: Final = b'{"amt":"%d","c":"%b/%b","cur":"EUR","d":"%b/%b"%b}'
_FIELDS: Final = (b"donation_id", b"donor_email", b"donor_name", b"reference")


def write_log(directory: Path, entries: int) -> Path:
    """Write a log of so many entries below `directory`, unless it is there already."""
    if not (directory / "checkpoint").exists():
        levels: list[list[bytes]] = [[] for _ in range(8)]
        counts = [0] * 8
        for number, leaves in enumerate(_bundles(entries)):
            _write(directory / bundle_path(number, len(leaves)), encode_bundle(leaves))
            for hashed in leaf_hashes(leaves):
                _grow(directory, levels, counts, 0, hashed)
        _finish(directory, levels, counts, entries)
    return directory


def leaves_of(entries: int) -> Iterator[bytes]:
    """Spell the entries one after the other; each organisation's continue each other."""
    ends: dict[bytes, tuple[int, bytes]] = {}
    for number in range(entries):
        org = _organization(number)
        seq, prev = ends.get(org, (0, b""))
        raw = _spell(number, org, seq, prev)
        ends[org] = seq + 1, hashlib.sha256(b"\0" + raw).hexdigest().encode()
        yield raw


def _organization(number: int) -> bytes:
    block, place = divmod(number, 100)
    tenth = 8 if place >= 98 else 2 if place >= 92 else place % 10  # noqa: PLR2004 -- refunds and debits: see _spell
    return b"org_%026d" % (block * 10 % ORGANIZATIONS + tenth)


def _spell(number: int, org: bytes, seq: int, prev: bytes) -> bytes:
    block, place = divmod(number, 100)
    fields: tuple[bytes, ...] = _FIELDS
    link, extra = b"", b""
    amount = (500, 1_000, 2_500, 5_000, 10_000)[number // 7 % 5] + block % 40 * 10
    moves = [
        (amount, b"gifts", b"processor_balance"),
        (200, b"platform_contributions_due", b"processor_balance"),
    ]
    kind = b"donation.succeeded"
    if place >= 98:  # noqa: PLR2004 -- two refunds of the gift at 8
        kind, fields, link = (
            b"donation.refunded",
            _FIELDS[3:],
            b'"reverses":"ent_%026d",' % (number - place + 8),
        )
        moves = [(100, b"processor_balance", b"gifts")]
    elif place >= 95:  # noqa: PLR2004 -- three postings of what was reserved three entries before
        fields, moves = _FIELDS[3:], [(3_500, b"gifts", b"processor_balance")]
        extra = b',"pending":"ent_%026d#0","phase":"post"' % (number - 3)
    elif place >= 92:  # noqa: PLR2004 -- three bank debits on their way
        kind, extra = b"donation.processing", b',"phase":"pending"'
        moves = [(4_000, b"gifts", b"processor_balance")]
    elif place % 2:
        kind, fields = b"processor.fee", _FIELDS[3:]
        moves = [(30 + amount // 50, b"processor_balance", b"processor_fees")]
    lines = b",".join(_LINE % (minor, org, credit, org, debit, extra) for minor, credit, debit in moves)
    committed = b",".join(
        b'"%b":"%b"' % (field, hashlib.sha256(b"%d" % number + field).hexdigest().encode())
        for field in fields
    )
    head = _HEAD % (committed, number, kind, org)
    if seq:
        head += b'"org_prev":"%b",' % prev
    day = number // 20_000
    when = (day // 28 % 12 + 1, day % 28 + 1, number // 1_000 % 24, number // 20 % 60)
    return head + _TAIL % (seq, link, lines, *when)


def _bundles(entries: int) -> Iterator[list[bytes]]:
    gathered: list[bytes] = []
    for raw in leaves_of(entries):
        gathered.append(raw)
        if len(gathered) == TILE_WIDTH:
            yield gathered
            gathered = []
    if gathered:
        yield gathered


def _grow(directory: Path, levels: list[list[bytes]], counts: list[int], level: int, value: bytes) -> None:
    row = levels[level]
    row.append(value)
    counts[level] += 1
    if len(row) == TILE_WIDTH:
        tile = Tile(level, counts[level] // TILE_WIDTH - 1, TILE_WIDTH)
        _write(directory / tile_path(tile), b"".join(row))
        levels[level] = []
        _grow(directory, levels, counts, level + 1, root_of(row))


def _finish(directory: Path, levels: list[list[bytes]], counts: list[int], entries: int) -> None:
    edge: dict[Tile, bytes] = {}
    for level, row in enumerate(levels):
        if row:
            tile = Tile(level, counts[level] // TILE_WIDTH, len(row))
            edge[tile] = b"".join(row)
            _write(directory / tile_path(tile), edge[tile])
    root = tree_root(entries, edge.__getitem__) if entries else EMPTY_ROOT
    text = Checkpoint(ORIGIN, entries, root).note_text()
    note = sign_note(text, ORIGIN, VERIFIER.public_key, KEY.sign)
    _write(directory / "checkpoint", note.encode())


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
