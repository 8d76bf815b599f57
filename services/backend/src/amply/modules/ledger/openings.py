"""Openings of commitments at rest, encrypted under the commitment secret and under the donor's key-tree leaf (ADR 0138).

As long as the gift has no leaf, an opening is kept as the commitments' secret sealed it, and the worker puts it under the leaf later.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import func, literal_column, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from amply.infra.orm import Record
from amply.infra.vault import DONORS, CellLocation, Head, Keyring, LeafCut, NoKeysHere, keyring_of
from amply.infra.vault.format import LEAFED, LEAFED_BYTES
from amply.infra.vault.resealing import under_leaf
from amply.modules.ledger.commitments import CommitmentSecrets
from ledger_format.receipts import Opening

_TABLE: Final = "opening"
_LEADING: Final = ("donation_id", "reference")
"""Fields whose values are ours, and lead to the gift. What donors say of themselves is not asked whose it is."""


class OpeningRow(Record):
    """`donation_id`: the gift it belongs to; None if not assigned yet, or there is none."""

    __tablename__ = _TABLE

    entry_id: Mapped[str] = mapped_column(primary_key=True)
    sealed: Mapped[bytes]
    donation_id: Mapped[str | None]


@dataclass(frozen=True, kw_only=True)
class OfGift:
    """The gift of an entry, whose donor's key encrypts the openings.

    Attributes:
        id: The gift's.
        whose: Whose leaf it is under where it says nothing of a donor (`SealedFields.whose`).
        sealed: What it says of its donor, as it rests; None where it says nothing.
    """

    id: str
    whose: str
    sealed: bytes | None = field(repr=False)


def at_rest(keyring: Keyring | None, inner: bytes, *, entry_id: str, gift: OfGift | None) -> bytes:
    """What the database keeps of an entry's openings: under the leaf of its gift, where that has one already.

    Raises:
        KeyNotAtHand: No key that seals is at hand, or the tree is away.
    """
    if keyring is None or gift is None:
        return inner
    return _under_leaf(keyring, inner, entry_id=entry_id, gift=gift) or inner


def inner_of(keyring: Keyring | None, sealed: bytes, *, entry_id: str) -> bytes:
    """What the commitments' secret sealed.

    Raises:
        KeyNotAtHand, SealedBytesUnreadable: As the keyring says.
        LeafCut: Whoever it is of was erased: this is a copy from before.
        NoKeysHere: It is under a leaf, and this process has no keys.
    """
    if not is_under_leaves(sealed):
        return sealed
    if keyring is None:
        raise NoKeysHere
    return keyring.open(sealed, scope=DONORS, at=_place(entry_id))


def read(
    keyring: Keyring | None, sealed: bytes, *, entry_id: str, secrets: CommitmentSecrets
) -> dict[str, Opening]:
    """An entry's openings; none of whoever was erased, in a copy from before.

    Raises:
        cryptography.exceptions.InvalidTag: As `CommitmentSecrets.unseal` says.
        KeyNotAtHand, NoKeysHere, SealedBytesUnreadable: As `inner_of` says.
    """
    try:
        inner = inner_of(keyring, sealed, entry_id=entry_id)
    except LeafCut:
        return {}
    return secrets.unseal(inner, entry_id=entry_id)


def is_under_leaves(sealed: bytes) -> bool:
    """Whether a value, or what values begin with now, is under a leaf."""
    return sealed[: len(LEAFED)] == LEAFED


def openings_before(
    session: Session, *, begins: bytes, limit: int, linked: bool = False
) -> Sequence[OpeningRow]:
    """Some that are sealed before what begins with these bytes, locked; those that others change at the moment are left out.

    `linked`: of those alone whose gift is known.
    """
    head = func.substring(OpeningRow.sealed, literal_column("1"), literal_column(str(LEAFED_BYTES)))
    asked = select(OpeningRow).where(head < begins)
    if linked:
        asked = asked.where(OpeningRow.donation_id.is_not(None))
    return session.scalars(asked.limit(limit).with_for_update(skip_locked=True)).all()


def openings_under(session: Session, *, head: Head, limit: int) -> Sequence[OpeningRow]:
    """Some of those under a leaf, locked. Waits for whoever changes one at the moment."""
    return session.scalars(
        select(OpeningRow).where(under_leaf(OpeningRow.sealed, head)).limit(limit).with_for_update()
    ).all()


def names_of_gifts(
    session: Session, rows: Sequence[OpeningRow], *, secrets: CommitmentSecrets
) -> Mapping[str, set[str]]:
    """What leads from each of these entries to its gift: ids of ours, and the last names of references.

    Raises:
        cryptography.exceptions.InvalidTag: This is not the secret they were sealed with.
    """
    keyring = keyring_of(session)
    said = {
        row.entry_id: read(keyring, bytes(row.sealed), entry_id=row.entry_id, secrets=secrets) for row in rows
    }
    return {
        entry_id: {openings[name].value.rpartition(":")[2] for name in _LEADING if name in openings}
        for entry_id, openings in said.items()
    }


def seal_anew(session: Session, row: OpeningRow, *, gift: OfGift | None) -> bool:
    """Put an opening under the leaf of its gift, or under one of its own where it is of none. False where the gift has none yet.

    One that opens for nobody any more is let go of: whoever it is of was erased, and this is a copy from before.

    Raises:
        KeyNotAtHand, NoKeysHere, SealedBytesUnreadable: As `inner_of` says.
    """
    keyring = keyring_of(session)
    if keyring is None:
        raise NoKeysHere
    try:
        inner = inner_of(keyring, bytes(row.sealed), entry_id=row.entry_id)
    except LeafCut:
        session.delete(row)
        return True
    sealed = _under_leaf(keyring, inner, entry_id=row.entry_id, gift=gift)
    if sealed is None:
        return False
    row.sealed = sealed
    if gift is not None and row.donation_id is None:
        row.donation_id = gift.id
    return True


def _under_leaf(keyring: Keyring, inner: bytes, *, entry_id: str, gift: OfGift | None) -> bytes | None:
    sealed = keyring.seal(
        inner,
        scope=DONORS,
        at=_place(entry_id),
        of=f"{_TABLE}:{entry_id}" if gift is None else gift.whose,
        beside=None if gift is None else gift.sealed,
    )
    return sealed if is_under_leaves(sealed) else None


def _place(entry_id: str) -> CellLocation:
    return CellLocation(table=_TABLE, column="sealed", row=entry_id)
