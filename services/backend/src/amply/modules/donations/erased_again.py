"""What was erased, kept outside the database: so that a backup that is restored brings nobody back (ADR 0123).

Kept are digests of the ids that erased gifts had. Ids have more than 100 random bits and are given anew by an erasure: a digest
leads to nobody, and finds the gift in a copy of the database from before.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from amply.modules.donations.models import DedicationRow, DonationRow

PREFIX: Final = "erased/"
"""Of the list's files in the archive."""
_ROWS: Final = 10_000


class ErasureList(Protocol):
    """Files by name, of which none is ever overwritten or removed."""

    def keep(self, path: str, body: bytes) -> None:
        """Store a file; one that is there already with the same bytes is fine."""
        ...

    def read(self, path: str) -> bytes | None:
        """The file of this name, or None."""
        ...

    def names(self) -> Sequence[str]:
        """The names of all files of the list."""
        ...


@dataclass(frozen=True, kw_only=True)
class ErasedBefore:
    """What a database still has of what was erased: gifts, and gifts whose recipient was to be told of them."""

    gifts: Sequence[str]
    told: Sequence[str]


def note(listed: ErasureList, *, gifts: Collection[str], told: Collection[str]) -> None:
    """Write down that these are erased, before they are: killed in between, a restored database loses what was to go anyway.

    Outside transactions. The name is made of the content: the same again is the same file.
    """
    digests = sorted({*(_digest("gift", each) for each in gifts), *(_digest("told", each) for each in told)})
    if digests:
        body = json.dumps({"version": 1, "digests": digests}).encode()
        listed.keep(f"{PREFIX}{hashlib.sha256(body).hexdigest()}.json", body)


def noted(listed: ErasureList) -> frozenset[str]:
    """Every digest of the list. Outside transactions."""
    bodies = (listed.read(name) for name in listed.names())
    return frozenset(digest for body in bodies if body is not None for digest in json.loads(body)["digests"])


def still_there(session: Session, digests: Collection[str]) -> ErasedBefore:
    """What this database still has of them. Reads the id of every gift."""
    gifts = session.scalars(
        select(DonationRow.id).where(DonationRow.erased_at.is_(None)).execution_options(yield_per=_ROWS)
    )
    told = session.scalars(
        select(DedicationRow.donation_id).where(
            or_(DedicationRow.recipient_index.is_not(None), DedicationRow.plain_recipient_sha256.is_not(None))
        )
    )
    return ErasedBefore(
        gifts=[each for each in gifts if _digest("gift", each) in digests],
        told=[each for each in told if _digest("told", each) in digests],
    )


def forget_told(session: Session, *, donation_ids: Collection[str]) -> None:
    """Take from these gifts whom they were to be told to; the gifts stay."""
    forget_recipients(
        session.scalars(
            select(DedicationRow).where(DedicationRow.donation_id.in_(donation_ids)).with_for_update()
        )
    )


def forget_recipients(dedications: Iterable[DedicationRow]) -> int:
    """Take away whom these gifts were to be told to, the digest too; return how many they were."""
    done = 0
    for row in dedications:
        row.forget_recipient()
        row.recipient_sha256 = None
        done += 1
    return done


def _digest(kind: str, donation_id: str) -> str:
    return hashlib.sha256(f"amply/erased/1\0{kind}\0{donation_id}".encode()).hexdigest()
