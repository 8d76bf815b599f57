"""Posting entries and erasing what stands behind their commitments."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from amply.kernel.ids import new_random_id
from amply.modules.ledger import repository
from amply.modules.ledger.commitments import CommitmentSecrets
from amply.modules.ledger.domain import EntryContradicts, NewEntry, PostedEntry
from ledger_format.commitments import commit


def post(
    session: Session,
    *,
    entry: NewEntry,
    now: datetime,
    secrets: CommitmentSecrets,
    keeps_openings: bool = True,
) -> PostedEntry:
    """Book an entry in the caller's transaction; the same idempotency key is booked once.

    Missing accounts are opened. Nothing is locked that another organisation's entry needs. The entry appears in the
    public log when the sequencer has taken it, after the transaction commits. Without `keeps_openings` nobody will
    ever open its commitments: it is about somebody who was erased.

    Raises:
        EntryContradicts: The key was booked before with other transfers, kind, organisation or reversal.
    """
    prepared = prepare(entry, now=now, secrets=secrets)
    if not keeps_openings:
        prepared["sealed"] = None
    row = session.execute(repository.POST, prepared).one_or_none()
    if row is not None:
        return PostedEntry(id=row.id, created=True)
    standing = repository.find_standing(session, entry)
    if not standing.says_the_same:
        raise EntryContradicts(idempotency_key=entry.idempotency_key, entry_id=standing.id)
    return PostedEntry(id=standing.id, created=False)


def prepare(entry: NewEntry, *, now: datetime, secrets: CommitmentSecrets) -> dict[str, Any]:
    """All that posting does before it asks the database: identity, commitments, sealed openings, parameters."""
    # Public for ever, beside a time rounded to the minute on purpose: the id must not undo that.
    entry_id = new_random_id("ent")
    openings = {field: secrets.new_opening(value) for field, value in entry.personal.items()}
    commitments = {
        field: commit(field=field, value=opening.value, salt=opening.salt)
        for field, opening in openings.items()
    }
    sealed = secrets.seal(openings, entry_id=entry_id) if openings else None
    return repository.parameters(entry, entry_id=entry_id, commitments=commitments, sealed=sealed, now=now)


def erase_openings(session: Session, *, entry_ids: Sequence[str]) -> int:
    """Forget salts and values of these entries; return how many entries had any.

    The commitments stay in the public log for ever and say nothing any more, except to who holds a receipt.
    """
    return repository.erase(session, entry_ids)
