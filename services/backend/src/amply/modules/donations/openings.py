"""Encrypts the openings of a gift's ledger commitments under its donor's key-tree leaf (ADR 0138)."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from amply.infra.vault import DONORS, Head, KeyNotAtHand, keyring_of
from amply.infra.vault.reencryption import SealedRows
from amply.infra.vault.resealing import sealed_before
from amply.modules import ledger, payments
from amply.modules.donations.models import DonationRow


def gift_of(row: DonationRow) -> ledger.OfGift:
    """A gift as the owner of its entries' openings."""
    return of_gift(row.id, row.sealed)


def of_gift(donation_id: str, sealed: bytes | None) -> ledger.OfGift:
    """The same, for a gift with these encrypted bytes."""
    whose = DonationRow.fields.whose(None, row_id=donation_id)
    return ledger.OfGift(id=donation_id, whose=whose, sealed=None if sealed is None else bytes(sealed))


def sealed_openings(secrets: ledger.CommitmentSecrets | None) -> SealedRows:
    """Openings as `SealedRows`. With `secrets`, those of the previous release are assigned to their gifts once."""
    return SealedRows(
        name=ledger.OpeningRow.__tablename__,
        reseal=lambda session, limit: _reseal(session, secrets, limit=limit),
        columns={DONORS: (ledger.OpeningRow.sealed,)},
        move=lambda session, head, limit: _move(session, head, limit=limit),
    )


def _reseal(session: Session, secrets: ledger.CommitmentSecrets | None, *, limit: int) -> int:
    """Gifts come first: before, their leaves are not known.

    Raises:
        KeyNotAtHand: The key service was away when this process began.
        cryptography.exceptions.InvalidTag: This is not the secret that sealed one of them.
    """
    keyring = keyring_of(session)
    if keyring is None or not keyring.seals(DONORS):
        return 0
    begins = keyring.begins(DONORS)
    if not ledger.is_under_leaves(begins) or _gifts_wait(session, begins):
        return 0
    rows = ledger.openings_before(session, begins=begins, limit=limit, linked=secrets is None)
    gifts = _gifts_of(session, rows, secrets)
    done = sum(ledger.seal_anew(session, row, gift=gifts.get(row.entry_id)) for row in rows)
    session.flush()
    # A batch that was full is followed by another though some of it wait for their gifts, unless none could go.
    return len(rows) if done else 0


def _move(session: Session, head: Head, *, limit: int) -> int:
    """From a leaf that is closed to the one that the gift is under by now.

    Raises:
        KeyNotAtHand: The gift has no leaf yet; it is done by a later turn.
    """
    rows = ledger.openings_under(session, head=head, limit=limit)
    gifts = _gifts_of(session, rows, None)
    for row in rows:
        if not ledger.seal_anew(session, row, gift=gifts.get(row.entry_id)):
            raise KeyNotAtHand(DONORS)
    session.flush()
    return len(rows)


def _gifts_wait(session: Session, begins: bytes) -> bool:
    return bool(session.scalar(select(exists().where(sealed_before(DonationRow, begins)))))


def _gifts_of(
    session: Session, rows: Sequence[ledger.OpeningRow], secrets: ledger.CommitmentSecrets | None
) -> Mapping[str, ledger.OfGift]:
    """The gift of each entry, where it has one."""
    known = {row.entry_id: row.donation_id for row in rows if row.donation_id is not None}
    others = [row for row in rows if row.donation_id is None]
    if others and secrets is not None:
        known |= _looked_up(session, ledger.names_of_gifts(session, others, secrets=secrets))
    found = _by_id(session, set(known.values()))
    return {entry_id: found[donation_id] for entry_id, donation_id in known.items() if donation_id in found}


def _looked_up(session: Session, names: Mapping[str, set[str]]) -> dict[str, str]:
    every = {name for found in names.values() for name in found}
    gifts = {**{each: each for each in every}, **payments.gifts_named(session, remote_ids=every)}
    standing = _by_id(session, set(gifts.values()))
    return {
        entry_id: gift
        for entry_id, found in names.items()
        for gift in sorted({gifts[name] for name in found} & set(standing))[:1]
    }


def _by_id(session: Session, donation_ids: Collection[str]) -> dict[str, ledger.OfGift]:
    rows = session.execute(select(DonationRow.id, DonationRow.sealed).where(DonationRow.id.in_(donation_ids)))
    return {row.id: of_gift(row.id, row.sealed) for row in rows}
