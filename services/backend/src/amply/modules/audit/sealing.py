"""Archives the audit log once a day: the records appended since, in a file with the head of the chain.

What a file holds is decided in the database first, by a row that nobody changes. So a run that ends in the middle, a
second one and one at the same time all write the same bytes under the same names.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

import rfc8785
from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.kernel.errors import invariant
from amply.modules.audit.chain import ChainBroken, Head, head_of, links_between, refuse_loose, walk
from amply.modules.audit.domain import GENESIS, chained
from amply.modules.audit.ports import ArchiveDiffers, AuditArchive

PART_RECORDS: Final = 10_000
"""Records in a file: about 5 MB."""

_PREFIX: Final = "audit/"
_ARCHIVED_WITHIN: Final = timedelta(hours=6)
_ARCHIVED_MAX: Final = 100
"""Files written in one run; the next one continues."""

_LAST = text("SELECT day, last_position, hash FROM audit_seal ORDER BY day DESC, part DESC LIMIT 1")
_HASH_AT = text("SELECT hash FROM audit_link WHERE position = :position")
_LOCK = text("SELECT pg_advisory_xact_lock(:lock)")
_SEALING: Final = 0x616D706C7904
"""Advisory lock, like those of the ledger: letters of the name and a number (3 is the chain's own)."""
_SEAL = text("""
    INSERT INTO audit_seal (day, part, first_position, last_position, previous_hash, hash, sealed_at)
    VALUES (:day, :part, :first, :last, :previous, :hash, :now)
""")
_SEALS = text("""
    SELECT day, part, first_position, last_position, previous_hash, hash, archived_at
    FROM audit_seal
    ORDER BY day, part
""")
_WAITING = text("""
    SELECT day, part, first_position, last_position, previous_hash, hash, archived_at
    FROM audit_seal
    WHERE archived_at IS NULL
    ORDER BY day, part
    LIMIT :limit
""")
_UNARCHIVED = text("""
    SELECT
        (SELECT count(*) FROM audit_seal WHERE archived_at IS NULL AND sealed_at < :sealed_before)
        + CASE
            WHEN EXISTS (SELECT FROM audit_record WHERE at < :begins)
                AND NOT EXISTS (SELECT FROM audit_seal WHERE day >= :day)
            THEN 1 ELSE 0
        END
""")
_ARCHIVED = text("""
    UPDATE audit_seal
    SET archived_at = :now
    WHERE (day, part) = (:day, :part) AND archived_at IS NULL
""")


@dataclass(frozen=True, kw_only=True)
class Seal:
    """A file of the archive: a part of a day, its records by their positions, and the hashes before and after them."""

    day: date
    part: int
    first_position: int
    last_position: int
    previous_hash: bytes
    hash: bytes
    archived_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Verified:
    """Result of a verification: records, the head's hash in hex, and the number of archive files compared."""

    records: int
    head: str
    seals: int
    files: int


def seal_and_archive(database: Database, archive: AuditArchive, *, now: datetime) -> int:
    """Seal the previous day (UTC) if necessary, and archive pending files; returns their number.

    A day of which nothing is told has its file too: that nothing happened is then held as well. A day that passed
    without a run has none, and its records stand in the next one.

    Raises:
        ArchiveDiffers: The archive has another file under the name of one.
    """
    with database.transaction() as session:
        _seal(session, day=now.astimezone(UTC).date() - timedelta(days=1), now=now)
        waiting = _seals(session, _WAITING, limit=_ARCHIVED_MAX)
    for seal in waiting:
        archive.keep(path_of(seal), file_of(database, seal))
        with database.transaction() as session:
            session.execute(_ARCHIVED, {"day": seal.day, "part": seal.part, "now": now})
    return len(waiting)


def path_of(seal: Seal) -> str:
    """A file's path, such as `audit/2026-11-25.00000.0123456789abcdef.jsonl`: day, part, beginning of the head.

    With the head, so that a database that was restored to before a seal can seal that day again, and the archive has both.
    """
    return f"{_PREFIX}{seal.day.isoformat()}.{seal.part:05}.{seal.hash.hex()[:16]}.jsonl"


def file_of(database: Database, seal: Seal) -> bytes:
    """A file's lines: its position in the chain, then one record a line, in canonical JSON.

    Raises:
        ChainBroken: The records do not lead from one hash of the seal to the other: such a file is not written.
    """
    with database.transaction() as session:
        links = links_between(session, first=seal.first_position, last=seal.last_position)
    contents = [link.content.encode() for link in links if link.content is not None]
    if (
        len(contents) != seal.last_position - seal.first_position + 1
        or chained(seal.previous_hash, contents) != seal.hash
    ):
        raise ChainBroken(
            f"The records of {path_of(seal)} do not lead to its seal.", position=seal.first_position
        )
    heading = rfc8785.dumps(
        {
            "v": 1,
            "day": seal.day.isoformat(),
            "part": seal.part,
            "first": seal.first_position,
            "last": seal.last_position,
            "previous": seal.previous_hash.hex(),
            "head": seal.hash.hex(),
        }
    )
    return b"".join(line + b"\n" for line in (heading, *contents))


def count_unarchived(session: Session, *, now: datetime) -> int:
    """Count files not archived six hours after sealing, plus one if a day was not sealed in time."""
    yesterday = now.astimezone(UTC).date() - timedelta(days=1)
    asked = {
        "sealed_before": now - _ARCHIVED_WITHIN,
        "day": yesterday - timedelta(days=1),
        "begins": yesterday.isoformat(),
    }
    return int(session.execute(_UNARCHIVED, asked).scalar_one())


def verify(database: Database, archive: AuditArchive | None = None) -> Verified:
    """Recompute the whole chain, and compare it with its seals and, with `archive`, every file.

    Only the archive tells of records that were removed from the end together with their links and seals.

    Raises:
        ChainBroken: Something is not what was written.
        ArchiveDiffers: The archive has another file, or one more.
    """
    with database.transaction() as session:
        head = head_of(session)
        seals = _seals(session, _SEALS)
    _hold_seals(database, seals, until=head)
    refuse_loose(database)
    files = _compare(database, archive, seals) if archive is not None else 0
    return Verified(records=head.position, head=head.hash.hex(), seals=len(seals), files=files)


def _seals(session: Session, chosen: TextClause, **asked: int) -> list[Seal]:
    return [Seal(**row._mapping) for row in session.execute(chosen, asked)]  # noqa: SLF001 -- SQLAlchemy's public way to a row's names


def _seal(session: Session, *, day: date, now: datetime) -> None:
    session.execute(_LOCK, {"lock": _SEALING})
    last = session.execute(_LAST).one_or_none()
    if last is not None and last.day >= day:
        return
    before = Head(position=last.last_position, hash=last.hash) if last else Head(position=0, hash=GENESIS)
    head = head_of(session)
    for part, end in enumerate(_ends(before, head)):
        reached: bytes = session.scalar(_HASH_AT, {"position": end}) or GENESIS
        session.execute(
            _SEAL,
            {
                "day": day,
                "part": part,
                "first": before.position + 1,
                "last": end,
                "previous": before.hash,
                "hash": reached,
                "now": now,
            },
        )
        before = Head(position=end, hash=reached)


def _ends(before: Head, head: Head) -> Iterator[int]:
    """Where the files of a day end: one at least."""
    invariant(before.position <= head.position, "what was sealed is part of the chain")
    end = min(before.position + PART_RECORDS, head.position)
    yield end
    while end < head.position:
        end = min(end + PART_RECORDS, head.position)
        yield end


def _hold_seals(database: Database, seals: Sequence[Seal], *, until: Head) -> None:
    before = Head(position=0, hash=GENESIS)
    expected = {}
    for seal in seals:
        if (seal.first_position - 1, seal.previous_hash) != (before.position, before.hash):
            raise ChainBroken(f"The seal of {path_of(seal)} does not follow the one before.")
        before = Head(position=seal.last_position, hash=seal.hash)
        expected[before.position] = before.hash
    if before.position > until.position:
        raise ChainBroken("Records that were sealed are gone from the end.", position=until.position + 1)
    for reached in walk(database, until=until):
        if expected.get(reached.position, reached.hash) != reached.hash:
            raise ChainBroken("A record is not what was sealed.", position=reached.position)


def _compare(database: Database, archive: AuditArchive, seals: Sequence[Seal]) -> int:
    known = {path_of(seal): seal for seal in seals}
    for name in archive.names():
        if name not in known:
            raise ArchiveDiffers(name)
    compared = 0
    for path, seal in known.items():
        body = archive.read(path)
        if body is None and seal.archived_at is None:
            continue
        if body != file_of(database, seal):
            raise ArchiveDiffers(path)
        compared += 1
    return compared
