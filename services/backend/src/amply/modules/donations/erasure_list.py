"""Records erased gifts on the erasure list outside the database (ADR 0123), and finds them in a restored one."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from amply.infra import erasures
from amply.infra.erasures import ErasureList, digest_of
from amply.modules.donations.models import DedicationRow, DonationRow

_GIFT: Final = "gift"
_TOLD: Final = "told"
_ROWS: Final = 10_000


@dataclass(frozen=True, kw_only=True)
class ErasedBefore:
    """Gifts that were erased before and are in this database again, and gifts whose dedication's recipient was."""

    gifts: Sequence[str]
    told: Sequence[str]


def note(listed: ErasureList, *, gifts: Collection[str], told: Collection[str]) -> None:
    """Record these on the erasure list before erasing them. Outside transactions.

    Outside transactions.
    """
    erasures.note(
        listed, {*(digest_of(_GIFT, each) for each in gifts), *(digest_of(_TOLD, each) for each in told)}
    )


def still_there(session: Session, digests: Collection[str]) -> ErasedBefore:
    """Erased gifts that are in this database again. Reads the id of every gift."""
    gifts = session.scalars(
        select(DonationRow.id).where(DonationRow.erased_at.is_(None)).execution_options(yield_per=_ROWS)
    )
    told = session.scalars(
        select(DedicationRow.donation_id).where(
            or_(DedicationRow.recipient_index.is_not(None), DedicationRow.plain_recipient_sha256.is_not(None))
        )
    )
    return ErasedBefore(
        gifts=[each for each in gifts if digest_of(_GIFT, each) in digests],
        told=[each for each in told if digest_of(_TOLD, each) in digests],
    )


def told_of_gifts(session: Session, *, donation_ids: Collection[str]) -> set[str]:
    """Digests of these gifts' dedication recipients, where they can still be decrypted."""
    rows = session.scalars(select(DedicationRow).where(DedicationRow.donation_id.in_(donation_ids)))
    return {row.recipient_sha256 for row in rows if row.recipient_sha256 is not None}


def forget_told(session: Session, *, donation_ids: Collection[str]) -> None:
    """Erase the dedication recipients of these gifts; the gifts stay."""
    forget_recipients(
        session.scalars(
            select(DedicationRow).where(DedicationRow.donation_id.in_(donation_ids)).with_for_update()
        )
    )


def forget_recipients(dedications: Iterable[DedicationRow]) -> int:
    """Erase dedication recipients with their digests; return how many."""
    done = 0
    for row in dedications:
        row.forget_recipient()
        row.recipient_sha256 = None
        done += 1
    return done
