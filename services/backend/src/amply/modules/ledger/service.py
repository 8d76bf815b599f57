"""Posts entries, closes accounts, and erases the openings of commitments."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from amply.infra.vault import Keyring, keyring_of
from amply.kernel.ids import new_random_id
from amply.modules.ledger import repository
from amply.modules.ledger.breaches import breach
from amply.modules.ledger.commitments import CommitmentSecrets
from amply.modules.ledger.domain import EntryContradicts, NewEntry, PostedEntry
from amply.modules.ledger.openings import OfGift, at_rest
from ledger_format.commitments import commit


def post(
    session: Session,
    *,
    entry: NewEntry,
    now: datetime,
    secrets: CommitmentSecrets,
    gift: OfGift | None = None,
    keeps_openings: bool = True,
) -> PostedEntry:
    """Post an entry in the caller's transaction, once for each idempotency key.

    Missing accounts are opened. Nothing is locked that another organisation's entry needs. The entry appears in the
    public log when the sequencer has taken it, after the transaction commits. What opens its commitments goes with
    the donor of `gift`. Without `keeps_openings` nobody will ever open them: it is about somebody who was erased.

    What only reserves may be refused; what moves at once is taken as a fact, whatever it leaves.

    Raises:
        EntryContradicts: The key was booked before with other transfers, kind, organisation or links.
        ReversalExceedsOriginal: More would be reserved to be taken back than the original gave.
        BalanceInsufficient: More would be reserved to be paid out than the balance holds.
        PendingResolved, PendingMismatch: A post or void does not fit what was pending, or comes second.
        AccountClosed: A closed account takes nothing.
        EntrySuperseded: The entry was corrected before.
        PayoutBooked: This step of this payout was booked before, under another key.
        BookingsPaused: The publisher has not compared this database with the public log, or refuses it.
        KeyNotAtHand: The key service was away when this process began; it is posted later.
        sqlalchemy.exc.OperationalError: The transaction is older than an entry it names; begin it again.
    """
    whose = gift if keeps_openings else None
    prepared = prepare(entry, now=now, secrets=secrets, keyring=keyring_of(session), gift=whose)
    if not keeps_openings:
        prepared["sealed"] = None
    try:
        row = session.execute(repository.POST, prepared).one_or_none()
    except IntegrityError as error:
        if (found := breach(error)) is None:
            raise
        raise found from error
    if row is not None:
        return PostedEntry(id=row.id, created=True)
    standing = repository.find_existing(session, entry)
    if not standing.says_the_same:
        raise EntryContradicts(idempotency_key=entry.idempotency_key, entry_id=standing.id)
    return PostedEntry(id=standing.id, created=False)


def prepare(
    entry: NewEntry,
    *,
    now: datetime,
    secrets: CommitmentSecrets,
    keyring: Keyring | None = None,
    gift: OfGift | None = None,
) -> dict[str, Any]:
    """Everything before the insert: id, commitments, encrypted openings, parameters."""
    # Public for ever, beside a time rounded to the minute on purpose: the id must not undo that.
    entry_id = new_random_id("ent")
    openings = {field: secrets.new_opening(value) for field, value in entry.personal.items()}
    commitments = {
        field: commit(field=field, value=opening.value, salt=opening.salt)
        for field, opening in openings.items()
    }
    sealed = None
    if openings:
        inner = secrets.seal(openings, entry_id=entry_id)
        sealed = at_rest(keyring, inner, entry_id=entry_id, gift=gift)
    return repository.parameters(
        entry,
        entry_id=entry_id,
        commitments=commitments,
        sealed=sealed,
        donation_id=gift.id if gift is not None else None,
        now=now,
    )


def erase_openings(session: Session, *, entry_ids: Sequence[str]) -> int:
    """Erase salts and values of these entries; return how many entries had any.

    The commitments stay in the public log for ever and say nothing any more, except to who holds a receipt.
    """
    return repository.erase(session, entry_ids)


def close_account(session: Session, *, account: str, currency: str, reason: str, now: datetime) -> None:
    """Close an account to new entries (reversible). Waits briefly for concurrent posting.

    Raises:
        AccountUnsettled: Money is still reserved on it.
        sqlalchemy.exc.OperationalError: A transaction did not end within two seconds; try again.
    """
    try:
        repository.decide_closure(
            session, account=account, currency=currency, is_closed=True, reason=reason, now=now
        )
    except IntegrityError as error:
        if (found := breach(error)) is None:
            raise
        raise found from error


def reopen_account(session: Session, *, account: str, currency: str, reason: str, now: datetime) -> None:
    """Reopen a closed account."""
    repository.decide_closure(
        session, account=account, currency=currency, is_closed=False, reason=reason, now=now
    )
