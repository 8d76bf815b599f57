"""Restores entries from the public log after the database was restored to an earlier state.

What was published is a promise: it keeps its places, its bytes and its hashes. Nothing is written before the bundles,
on top of the leaves this database still has, give a root that the log's key has signed. Then entries, transfers and
leaves are written by the statements that always write them, under the tables' own checks, and every leaf must come out
byte for byte as it was published. Only what was decided once is not decided again: whether a refund, a payout or an
account was allowed to take what it took. What the public never had cannot come back: openings of commitments, seconds.

Nor was the idempotency key public, by which a fact that is delivered again is known. Facts that the processor still
knows are therefore laid beside the entries, and an entry takes the key of a fact that says the same. Among entries that
nobody can tell apart (same kind, books, minute, links and transfers) it does not matter which takes which.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog
from sqlalchemy import TextClause, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.kernel.errors import Conflict
from amply.kernel.money import Money
from amply.modules.ledger import repository
from amply.modules.ledger.domain import NewEntry, NewTransfer, stored_key
from amply.modules.ledger.leaves import append
from amply.modules.ledger.locks import SEQUENCER_LOCK
from amply.modules.ledger.tree import tile_reader, tree_size
from ledger_format.checkpoints import Checkpoint, open_checkpoint
from ledger_format.entries import Entry, decode, to_minute
from ledger_format.errors import FormatError
from ledger_format.merkle import leaf_hash
from ledger_format.notes import VerifierKey
from ledger_format.tiles import TILE_WIDTH, Tile, TileReader, bundle_path, decode_bundle, grow, tree_root

ReadFile = Callable[[str], bytes | None]
"""Reads a file of the log by its path below the prefix (`checkpoint`, `tile/entries/000`), or None."""

_BATCH_MAX: Final = 1_000

_log = structlog.get_logger()

_MAY_WRITE: Final = text("SELECT pg_try_advisory_xact_lock(:lock)")

_STANDING_IDS: Final = text("SELECT id FROM entry WHERE id = ANY(CAST(:ids AS text[]))")

_STANDING_KEYS: Final = text("""
    SELECT idempotency_key FROM entry WHERE idempotency_key = ANY(CAST(:keys AS text[]))
""")

_BOOKED_MEANWHILE: Final = text("""
    SELECT idempotency_key
    FROM entry
    WHERE idempotency_key = ANY(CAST(:keys AS text[]))
      AND id <> ALL(CAST(:ids AS text[]))
      AND (SELECT true FROM leaf WHERE leaf.entry_id = entry.id) IS NULL
""")

# Heard by the tables' checks from their owner alone (migration 0007).
_PUTS_BACK: Final = text("SELECT set_config('amply.puts_back', 'public', true)")

_ENTRIES: Final = text("SELECT * FROM entry WHERE id = ANY(CAST(:ids AS text[]))")

_WRITTEN: Final = text("SELECT bytes FROM leaf WHERE idx >= :start AND idx < :stop ORDER BY idx")


class CannotRestore(Conflict):
    """This database cannot be brought to where the public log is; nothing was written."""

    code = "ledger_cannot_restore"


@dataclass(frozen=True, kw_only=True)
class Restored:
    """Counts of what was restored.

    Attributes:
        start: How many leaves the database had.
        size: How many it has: as many as the signed checkpoint.
        waiting: Entries it still had, without a place; they got the one they have in public.
        keyless: Ids of entries for which no fact was given. A fact that is delivered again would be booked again.
    """

    start: int
    size: int
    waiting: int
    keyless: tuple[str, ...]


def restore_log(
    database: Database,
    *,
    key: VerifierKey,
    read: ReadFile,
    facts: Iterable[NewEntry],
    now: datetime,
    owner: str | None = None,
) -> Restored:
    """Restore entries that are in the public log and missing here. Resumable.

    `key` comes from people, not from the log. `facts` are what the processor knows to have happened in the lost time,
    as they would be booked again. `owner` is a role to act as: writing entries and leaves is no single service's right.
    All that is missing is held in memory: what a database lost, not what a log holds.

    Raises:
        CannotRestore: The checkpoint is not signed by `key`, a bundle is missing or not what was signed, this database
            has entries at places that are others' in public, a fact whose entry is public was booked once more meanwhile,
        or a sequencer is at work.
    """
    facts = tuple(facts)
    checkpoint = _signed(read, key)
    with database.transaction() as session:
        start = tree_size(session)
        raws = _missing(read, start=start, size=checkpoint.size)
        if raws:
            _refuse_another_history(session, raws, start=start, checkpoint=checkpoint)
            _refuse_a_fact_booked_twice(session, raws, _KeyRing(facts))
    keys = _KeyRing(facts)
    waiting, keyless = 0, list[str]()
    for at in range(0, len(raws), _BATCH_MAX):
        batch = _Batch(
            raws=raws[at : at + _BATCH_MAX], start=start + at, origin=checkpoint.origin, now=now, owner=owner
        )
        with database.transaction() as session:
            added = batch.write(session, keys)
        waiting += len(batch.raws) - len(added)
        keyless += [id_ for id_, known in added.items() if not known]
        _log.info("ledger_entries_put_back", size=start + at + len(batch.raws))
    return Restored(start=start, size=start + len(raws), waiting=waiting, keyless=tuple(keyless))


def _signed(read: ReadFile, key: VerifierKey) -> Checkpoint:
    note = read("checkpoint")
    if note is None:
        raise CannotRestore("There is no file 'checkpoint': give the folder that holds it beside 'tile'.")
    try:
        checkpoint = open_checkpoint(note.decode(), [key]).checkpoint
    except (FormatError, UnicodeDecodeError) as error:
        raise CannotRestore(
            f"The checkpoint is not one this key has signed ({error}); check both."
        ) from error
    return checkpoint


def _missing(read: ReadFile, *, start: int, size: int) -> list[bytes]:
    """The published bytes of the entries from `start` on."""
    raws: list[bytes] = []
    if start >= size:
        return raws
    for index in range(start // TILE_WIDTH, -(-size // TILE_WIDTH)):
        width = min(TILE_WIDTH, size - index * TILE_WIDTH)
        body = read(bundle_path(index, width)) or read(bundle_path(index, TILE_WIDTH))
        if body is None:
            raise CannotRestore(f"{bundle_path(index, width)} is missing: look for it in the archive.")
        try:
            held = decode_bundle(body)[:width]
        except FormatError as error:
            raise CannotRestore(
                f"{bundle_path(index, width)} is damaged ({error}): take another copy."
            ) from error
        raws += held[max(0, start - index * TILE_WIDTH) :]
    return raws


def _refuse_another_history(
    session: Session, raws: Sequence[bytes], *, start: int, checkpoint: Checkpoint
) -> None:
    """The leaves that are here, with the published ones behind them, must give the root that was signed."""
    here = tile_reader(session)
    grown = grow(start, [leaf_hash(raw) for raw in raws], here)
    if (
        start + len(raws) != checkpoint.size
        or tree_root(checkpoint.size, _over(grown, here)) != checkpoint.root
    ):
        raise CannotRestore(
            f"This database's {start} entries and the published ones behind them do not give the signed root: "
            "either a bundle was changed, or places were given to other entries here. Restore once more to before that."
        )


def _refuse_a_fact_booked_twice(session: Session, raws: Sequence[bytes], keys: "_KeyRing") -> None:
    """A worker that went on after the restore books from the events in the backup what the public log already has."""
    entries = [decode(raw) for raw in raws]
    ids = [entry.id for entry in entries]
    standing = set(session.scalars(_STANDING_IDS, {"ids": ids}))
    keys.leave_out_standing(session)
    meanwhile = keys.booked_meanwhile(session, public_ids=ids)
    for entry in entries:
        says = _what_an_entry_says(entry)
        if says in meanwhile and entry.id not in standing and keys.take(entry) is None:
            raise CannotRestore(
                f"{meanwhile[says]} was booked here after the backup, and entry {entry.id} of the public log says the "
                "same: it would stand there twice. Restore once more, with the worker stopped, and run this again."
            )


def _over(grown: dict[Tile, bytes], here: TileReader) -> TileReader:
    return lambda tile: grown[tile] if tile in grown else here(tile)


Says = tuple[Any, ...]
"""An entry's public content, except its key and commitments."""


class _KeyRing:
    """Idempotency keys of facts, each assigned once to a restored entry with the same content.

    A fact whose minute is not certain may be given under several.
    """

    def __init__(self, facts: Iterable[NewEntry]) -> None:
        self._keys: dict[Says, list[str]] = defaultdict(list)
        self._spent: set[str] = set()
        for fact in facts:
            self._keys[_what_a_fact_says(fact)].append(fact.idempotency_key)
        self._all: Final = {says: tuple(keys) for says, keys in self._keys.items()}

    def leave_out_standing(self, session: Session) -> None:
        """Drop keys of facts that this database has posted."""
        self._spent |= _standing(session, self._every(), _STANDING_KEYS, {})

    def booked_meanwhile(self, session: Session, *, public_ids: Sequence[str]) -> dict[Says, str]:
        """By what facts say: a key of theirs whose entry here has no place and is not public."""
        found = _standing(session, self._every(), _BOOKED_MEANWHILE, {"ids": list(public_ids)})
        return {says: key for says, keys in self._all.items() for key in keys if key in found}

    def _every(self) -> list[str]:
        return [key for keys in self._all.values() for key in keys]

    def take(self, entry: Entry) -> str | None:
        keys = self._keys.get(_what_an_entry_says(entry), [])
        while keys:
            key = keys.pop(0)
            if key not in self._spent:
                self._spent.add(key)
                return key
        return None


def _standing(
    session: Session, keys: Sequence[str], asked: TextClause, more: Mapping[str, list[str]]
) -> set[str]:
    """Which of these keys the statement finds. Nothing else here looks at keys as the table stores them."""
    stored = {stored_key(key): key for key in keys}
    return {stored[found] for found in session.scalars(asked, {"keys": list(stored), **more})}


def _what_a_fact_says(fact: NewEntry) -> Says:
    moved = tuple(
        (t.debit, t.credit, t.amount.currency, t.amount.minor_units, t.phase, t.pending)
        for t in fact.transfers
    )
    named = (fact.reverses, fact.supersedes, fact.matches, fact.reason)
    return (fact.kind, fact.organization_id, to_minute(fact.event_at), named, moved)


def _what_an_entry_says(entry: Entry) -> Says:
    moved = tuple(
        (t.debit, t.credit, t.currency, t.amount_minor, t.phase, t.pending) for t in entry.transfers
    )
    named = (entry.reverses, entry.supersedes, entry.matches, entry.reason)
    return (entry.kind, entry.org, entry.ts, named, moved)


@dataclass(frozen=True, kw_only=True)
class _Batch:
    """Consecutive published leaves, written in one transaction."""

    raws: Sequence[bytes]
    start: int
    origin: str
    now: datetime
    owner: str | None

    def write(self, session: Session, keys: _KeyRing) -> dict[str, bool]:
        """Write missing entries; return each new entry's id, and whether it got a fact's key."""
        if self.owner is not None:
            session.execute(
                text(f"SET LOCAL ROLE {self.owner}")
            )  # a constant of ours: names are no parameters
        session.execute(_PUTS_BACK)
        if not session.scalar(_MAY_WRITE, {"lock": SEQUENCER_LOCK}) or tree_size(session) != self.start:
            raise CannotRestore("The sequencer is at work: stop it, and run this again.")
        entries = [decode(raw) for raw in self.raws]
        ids = [entry.id for entry in entries]
        standing = set(session.scalars(_STANDING_IDS, {"ids": ids}))
        keys.leave_out_standing(session)
        lost = {entry.id: keys.take(entry) for entry in entries if entry.id not in standing}
        for entry in entries:
            if entry.id in lost:
                self._put_back(session, entry, key=lost[entry.id] or f"restored:{entry.id}")
        found = {row.id: row for row in session.execute(_ENTRIES, {"ids": ids})}
        append(session, [found[id_] for id_ in ids], origin=self.origin)
        self._compare(session)
        return {id_: key is not None for id_, key in lost.items()}

    def _put_back(self, session: Session, entry: Entry, *, key: str) -> None:
        """The very statement that writes every entry, under the tables' own checks."""
        asked = _as_posted(entry, key=key)
        row = repository.parameters(
            asked,
            entry_id=entry.id,
            commitments=entry.commitments,
            sealed=None,
            donation_id=None,
            now=self.now,
        )
        try:
            posted = session.execute(repository.POST, row).one_or_none()
        except IntegrityError as error:
            raise CannotRestore(
                f"Entry {entry.id} does not fit what this database has ({_first_line(error)}): "
                "stop the worker, restore once more, and run this again."
            ) from error
        if posted is None:
            raise CannotRestore(f"{key} was booked meanwhile: stop the worker, and run this again.")

    def _compare(self, session: Session) -> None:
        """What was written must be what was published, or it is taken back with the transaction."""
        stop = self.start + len(self.raws)
        written = session.scalars(_WRITTEN, {"start": self.start, "stop": stop}).all()
        for idx, (raw, leaf) in enumerate(zip(self.raws, written, strict=True), start=self.start):
            if raw != bytes(leaf):
                raise CannotRestore(
                    f"Entry {idx} would not be written as it was published: its row cannot say all that its leaf says."
                )


def _as_posted(entry: Entry, *, key: str) -> NewEntry:
    """What its writer asked for, as far as the log tells."""
    return NewEntry(
        kind=entry.kind,
        organization_id=entry.org,
        idempotency_key=key,
        transfers=tuple(
            NewTransfer(
                debit=moved.debit,
                credit=moved.credit,
                amount=Money(minor_units=moved.amount_minor, currency=moved.currency),
                phase=moved.phase,
                pending=moved.pending,
            )
            for moved in entry.transfers
        ),
        event_at=entry.ts,
        reference=entry.ref,
        reverses=entry.reverses,
        supersedes=entry.supersedes,
        matches=entry.matches,
        reason=entry.reason,
    )


def _first_line(error: IntegrityError) -> str:
    return str(error.orig).partition("\n")[0]
