"""Publishes checkpoints, in an order that survives a crash at every step.

Tiles and bundles first, then the checkpoint's row (which only one publisher can write), then the signature, then the
witnesses, then the public checkpoint, then the archive, then the mark that it is done. Whoever comes after a crash
repeats the steps from the first: each of them changes nothing when it was done before. Nothing is signed that does not
extend what the public has seen, and nothing is shown that too few witnesses have cosigned.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import text

from amply.infra import outbox
from amply.infra.database import Database
from amply.kernel.errors import invariant
from amply.modules.ledger import booking_gate, checkpoints, clearance
from amply.modules.ledger.checkpoints import CheckpointTaken, LogProgress
from amply.modules.ledger.forks import ForkRefused, PublicCheckpoint, refuse_fork
from amply.modules.ledger.ports import (
    AlreadyDifferent,
    Archive,
    CheckpointMoved,
    PublicLog,
    Signer,
    StoredCheckpoint,
)
from amply.modules.ledger.signing import NO_FORMER_KEYS, FormerKeys, LogKeys
from amply.modules.ledger.tree import tile_reader, tree_size
from amply.modules.ledger.witnessing import QuorumMissing, Witnesses
from ledger_format.checkpoints import Checkpoint, witnessed_by
from ledger_format.literals import EMPTY_ROOT
from ledger_format.notes import add_signatures, open_note
from ledger_format.tiles import (
    TILE_WIDTH,
    Bundle,
    bundle_path,
    changed_bundles,
    changed_tiles,
    encode_bundle,
    tile_path,
)

TOPIC_CHECKPOINT_PUBLISHED: Final = "ledger.checkpoint_published"
_FIRST: Final = "first-checkpoint"
"""Archive name of the first checkpoint's text, stored before it is signed."""

ENTRIES_MAX: Final = 65_536
"""Maximum growth from one checkpoint to the next, which bounds the upload."""

_log = structlog.get_logger()

_BUNDLE: Final = text("SELECT bytes FROM leaf WHERE idx >= :start AND idx < :stop ORDER BY idx")


@dataclass(frozen=True, kw_only=True)
class PublishedCheckpoint:
    """A published checkpoint: size, root, note, and how many witnesses are missing."""

    size: int
    root: bytes
    note: str
    witnesses_missing: int = 0


@dataclass(frozen=True, kw_only=True)
class _Target:
    """A checkpoint to publish. Files changed since `base` leaves are uploaded; `note` is set once signed."""

    size: int
    root: bytes
    base: int
    is_first: bool
    previous_size: int | None
    is_claimed: bool
    note: str | None


@dataclass(frozen=True, kw_only=True)
class _File:
    path: str
    body: bytes
    is_full: bool


def check_public_log(
    database: Database,
    *,
    origin: str,
    signer: Signer,
    public_log: PublicLog,
    witnesses: Witnesses,
    before: FormerKeys = NO_FORMER_KEYS,
) -> None:
    """Verify that this database extends what the public and the witnesses have seen.

    What the bucket shows is compared whoever answers. It is not enough alone: its last publisher may have died between
    the witnesses and the bucket, and both may have been restored.

    Raises:
        ForkRefused: It does not.
        WitnessesSilent: Nobody says that it does not, and too few have answered to be sure.
    """
    keys = LogKeys(origin=origin, signer=signer, before=before)
    with database.transaction() as session:
        standing = checkpoints.read_progress(session)
    seen = public_log.checkpoint()
    public = keys.open(seen)
    with database.transaction() as session:
        refuse_fork(
            session,
            public=public.checkpoint if public else None,
            published_size=standing.published_size,
            size=standing.tree_size,
        )
    if not witnesses.policy.demands_witnesses:
        return
    # Every tree extends the empty one, so that a signature on it commits to nothing.
    shown = public.checkpoint if public else Checkpoint(origin=origin, size=0, root=EMPTY_ROOT)
    note = seen.note if seen else keys.sign(shown.note_text(), None, both=False)
    answers = witnesses.ask(database, checkpoint=shown, note=note, hears_out=True)
    with database.transaction() as session:
        sequenced = tree_size(session)
    witnesses.refuse_fork(answers, tree_size=sequenced)
    witnesses.refuse_silence(answers, tree_size=sequenced)


def clear_sequencer(
    database: Database,
    *,
    origin: str,
    signer: Signer,
    public_log: PublicLog,
    now: datetime,
    witnesses: Witnesses,
    before: FormerKeys = NO_FORMER_KEYS,
) -> None:
    """Check public log and witnesses, then open the booking gate and clear the sequencer.

    Raises:
        ForkRefused: This database does not extend what they have seen; the sequencer stops, and so does every booking.
        WitnessesSilent: Too few have answered to be sure. Nothing is allowed, and nothing that was allowed is stopped.
    """
    with database.transaction() as session:
        # Before the comparison: should another server answer meanwhile, it is not the one that was compared.
        life = booking_gate.present_life(session)
        asked = clearance.newest(session)
    try:
        check_public_log(
            database,
            origin=origin,
            signer=signer,
            public_log=public_log,
            before=before,
            witnesses=witnesses,
        )
    except ForkRefused as refusal:
        with database.transaction() as session:
            booking_gate.close_bookings(session, life=life, reason=refusal.reason, now=now)
            if asked is not None:
                clearance.withdraw(session, token=asked.token, reason=refusal.reason)
        raise
    with database.transaction() as session:
        booking_gate.open_bookings(session, life=life, now=now)
        if asked is not None:
            clearance.give(session, token=asked.token, now=now)


def clearance_is_due(database: Database) -> bool:
    """Whether a sequencer waits for clearance, or the booking gate is closed."""
    with database.transaction() as session:
        asked = clearance.newest(session)
        return (asked is not None and asked.is_open) or not booking_gate.takes_entries(session)


def publish_checkpoint(
    database: Database,
    *,
    origin: str,
    signer: Signer,
    public_log: PublicLog,
    archive: Archive,
    now: datetime,
    witnesses: Witnesses,
    before: FormerKeys = NO_FORMER_KEYS,
) -> PublishedCheckpoint | None:
    """Publish what was sequenced since the last checkpoint, or complete an interrupted publication.

    None when there is nothing new, or when another publisher was faster. No transaction is open while anything outside
    is called.

    Raises:
        ForkRefused: The log does not extend the published checkpoint; nothing was signed. Or witnesses say that it
            does not extend what they have seen; nothing was shown.
        QuorumMissing: Too few witnesses have cosigned; what they said is kept, and nothing was shown.
        AlreadyDifferent: A place that never changes holds other bytes.
    """
    with database.transaction() as session:
        standing = checkpoints.read_progress(session)
    if standing.is_complete:
        return None
    keys = LogKeys(origin=origin, signer=signer, before=before)
    seen = public_log.checkpoint()
    public = keys.open(seen)
    target = _plan(database, standing, public=public.checkpoint if public else None)
    _upload(database, target, public_log)
    try:
        _claim(database, target, now=now)
        _refuse_a_second_beginning(target, archive, origin=origin)
        note = _sign(database, target, keys=keys, public=public, seen=seen)
        missing = 0
        if seen is None or seen.note != note:
            note, missing = _have_witnessed(database, target, note, keys=keys, witnesses=witnesses)
        _show(note, seen, public_log)
    except (CheckpointTaken, CheckpointMoved) as faster:
        _log.info("ledger_publisher_was_overtaken", size=target.size, reason=str(faster))
        return None
    _keep_copies(database, target, note, archive)
    _finish(database, target, now=now)
    return PublishedCheckpoint(size=target.size, root=target.root, note=note, witnesses_missing=missing)


def _plan(database: Database, standing: LogProgress, *, public: Checkpoint | None) -> _Target:
    """Choose the size to publish: the one that was claimed and not finished, otherwise all that was sequenced."""
    public_size = public.size if public else 0
    head = standing.head
    unfinished = head if head and not head.published and head.size >= public_size else None
    start = max(public_size, head.size if head else 0)
    size = unfinished.size if unfinished else min(standing.tree_size, start + ENTRIES_MAX)
    with database.transaction() as session:
        root = refuse_fork(
            session, public=public, published_size=standing.published_size, size=max(size, public_size)
        )
    invariant(unfinished is None or unfinished.root == root, "the tree of a claimed checkpoint never changes")
    return _Target(
        size=max(size, public_size),
        root=root,
        base=min(public_size, standing.published_size),
        is_first=public is None,
        previous_size=head.size if head else None,
        is_claimed=unfinished is not None,
        note=unfinished.note if unfinished else None,
    )


def _upload(database: Database, target: _Target, public_log: PublicLog) -> None:
    for file in _files(database, target):
        if file.is_full:
            public_log.put_full(file.path, file.body)
        else:
            public_log.put_partial(file.path, file.body)


def _claim(database: Database, target: _Target, *, now: datetime) -> None:
    if target.is_claimed:
        return
    with database.transaction() as session:
        checkpoints.claim(
            session, size=target.size, previous_size=target.previous_size, root=target.root, now=now
        )


def _refuse_a_second_beginning(target: _Target, archive: Archive, *, origin: str) -> None:
    """Nothing is public and this database published nothing: is that the beginning, or did both lose it?"""
    if not target.is_first:
        return
    checkpoint = Checkpoint(origin=origin, size=target.size, root=target.root)
    try:
        archive.keep(_FIRST, checkpoint.note_text().encode())
    except AlreadyDifferent as error:
        raise ForkRefused("No checkpoint is public, but the archive has another first one.") from error


def _sign(
    database: Database,
    target: _Target,
    *,
    keys: LogKeys,
    public: PublicCheckpoint | None,
    seen: StoredCheckpoint | None,
) -> str:
    """The signed note, kept. What is public already stays as it is, with the signatures it was given out with."""
    if seen is not None and public is not None and public.checkpoint.size == target.size:
        signed = seen.note
    else:
        text = Checkpoint(origin=keys.origin, size=target.size, root=target.root).note_text()
        signed = keys.sign(text, target.note, both=public is not None and not public.by_present_key)
    if target.note is None:
        with database.transaction() as session:
            checkpoints.keep_note(session, size=target.size, note=signed)
    elif signed != target.note:
        with database.transaction() as session:
            checkpoints.extend_note(session, size=target.size, seen=target.note, longer=signed)
    return signed


def _have_witnessed(
    database: Database, target: _Target, note: str, *, keys: LogKeys, witnesses: Witnesses
) -> tuple[str, int]:
    """The note with enough cosignatures, kept, and how many witnesses are missing.

    Cosignatures that were given are kept even when they are too few: the next turn asks only for the others.
    """
    if not witnesses.policy.demands_witnesses:
        return note, 0
    policy = witnesses.policy
    opened = open_note(note, [keys.present, *policy.witness_keys])
    have = {witness.name for witness in witnessed_by(opened, policy)}
    if policy.is_met(have):
        return note, len(policy.witnesses) - len(have)
    checkpoint = Checkpoint(origin=keys.origin, size=target.size, root=target.root)
    answers = witnesses.ask(database, checkpoint=checkpoint, note=note, have=have)
    given = [answer.cosignature for answer in answers if answer.cosignature is not None]
    if given:
        longer = add_signatures(note, given)
        with database.transaction() as session:
            checkpoints.extend_note(session, size=target.size, seen=note, longer=longer)
        note = longer
    have |= {answer.name for answer in answers if answer.cosignature is not None}
    if not policy.is_met(have):
        with database.transaction() as session:
            sequenced = tree_size(session)
        witnesses.refuse_fork(answers, tree_size=sequenced)
        raise QuorumMissing(size=target.size, policy=policy, answers=answers)
    return note, len(policy.witnesses) - len(have)


def _show(note: str, seen: StoredCheckpoint | None, public_log: PublicLog) -> None:
    if seen is None or seen.note != note:
        public_log.replace_checkpoint(note, replaces=seen.version if seen else None)


def _keep_copies(database: Database, target: _Target, note: str, archive: Archive) -> None:
    """Copy what will never change. Partial tiles are left out: each of their versions would be kept for ever."""
    for file in _files(database, target):
        if file.is_full:
            archive.keep(file.path, file.body)
    archive.keep(f"checkpoints/{target.size}", note.encode())


def _finish(database: Database, target: _Target, *, now: datetime) -> None:
    with database.transaction() as session:
        if checkpoints.mark_published(session, size=target.size, now=now):
            outbox.put(session, topic=TOPIC_CHECKPOINT_PUBLISHED, payload={"size": str(target.size)}, now=now)
    _log.info("ledger_checkpoint_published", size=target.size)


def _files(database: Database, target: _Target) -> Iterator[_File]:
    """What the tree at the target's size has and the one at its base had not; one short transaction a file."""
    for bundle in changed_bundles(target.base, target.size):
        body = _bundle(database, bundle)
        path = bundle_path(bundle.index, bundle.width)
        yield _File(path=path, body=body, is_full=bundle.width == TILE_WIDTH)
    for tile in changed_tiles(target.base, target.size):
        with database.transaction() as session:
            body = tile_reader(session)(tile)
        yield _File(path=tile_path(tile), body=body, is_full=tile.width == TILE_WIDTH)


def _bundle(database: Database, bundle: Bundle) -> bytes:
    start = bundle.index * TILE_WIDTH
    with database.transaction() as session:
        raws = session.scalars(_BUNDLE, {"start": start, "stop": start + bundle.width}).all()
    invariant(len(raws) == bundle.width, "every leaf below the checkpoint's size is stored")
    return encode_bundle([bytes(raw) for raw in raws])
