"""Numbered receipts: issued once for each gift, voided when it is refunded, replaced when it changes.

The database gives the numbers, without gaps and never twice (migration 0018): an issuing that is rolled back takes none.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from enum import StrEnum

from sqlalchemy import func, insert, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from amply.kernel import ids
from amply.kernel.money import Money
from amply.modules.mail import Language
from amply.modules.receipts import settings as receipt_settings
from amply.modules.receipts.composing import compose, language_of, numbered
from amply.modules.receipts.digest import document_in, fresh_salt, words_of
from amply.modules.receipts.domain import (
    Document,
    GiftFacts,
    IssuedReceipt,
    Jurisdiction,
    Reason,
    ReceiptKind,
    number_of,
)
from amply.modules.receipts.models import IssuedReceiptRow
from amply.modules.receipts.rules import assess


class VoidReason(StrEnum):
    """Why a receipt is void."""

    REFUNDED = "refunded"
    CORRECTED = "corrected"


def issue(
    session: Session, *, gift: GiftFacts, now: datetime, replaces: IssuedReceipt | None = None
) -> IssuedReceipt:
    """The valid receipt of a gift: existing, or new with the next number of its series.

    Whoever calls it holds the lock of the gift's row of `receipt`; should two come all the same, the second one's
    transaction fails and is repeated.
    """
    standing = latest(session, donation_id=gift.donation_id)
    if standing is not None and standing.voided_at is None:
        return standing
    settings = receipt_settings.find(session, organization_id=gift.organization_id)
    assessment = assess(settings, gift)
    document = compose(
        settings, gift, assessment, replaces=replaces.number if replaces is not None else None, now=now
    )
    receipt_id, said, salt = ids.new_id("rct"), document.as_json(), fresh_salt()
    row = session.scalars(
        insert(IssuedReceiptRow)
        .values(
            id=receipt_id,
            organization_id=gift.organization_id,
            jurisdiction=settings.jurisdiction if settings is not None else Jurisdiction.NONE,
            donation_id=gift.donation_id,
            kind=assessment.kind,
            reasons=list(assessment.reasons),
            minor_units=gift.amount.minor_units,
            eligible_minor_units=assessment.eligible.minor_units,
            currency=gift.amount.currency,
            language=language_of(settings, gift),
            words=words_of(said, salt=salt),
            **IssuedReceiptRow.fields.at_rest(
                session,
                row_id=receipt_id,
                fields={"document": said, "salt": salt},
                beside=gift.donation_id,
            ),
            replaces=replaces.id if replaces is not None else None,
            issued_at=now,
        )
        .returning(IssuedReceiptRow)
    ).one()
    return _receipt(row)


def void(
    session: Session,
    *,
    donation_id: str,
    reason: VoidReason,
    remaining: Money,
    gift: GiftFacts | None,
    now: datetime,
) -> IssuedReceipt | None:
    """Void a gift's receipt because `remaining` is left; return the receipt that is valid now.

    Where something is left and `gift` is given (with `remaining` as its amount), the replacement is returned; otherwise the
    cancelled receipt, or None where none was ever issued. Refunds repeated, late or reordered change nothing: what counts is
    how much is left.
    """
    standing = latest(session, donation_id=donation_id)
    if standing is None:
        return None
    if standing.voided_at is None:
        if standing.amount == remaining and reason is VoidReason.REFUNDED:
            return standing
        row = session.get_one(IssuedReceiptRow, standing.id)
        row.voided_at, row.void_reason = now, reason
        session.flush()
        standing = _receipt(row)
    if remaining.minor_units > 0 and gift is not None:
        return issue(session, gift=gift, now=now, replaces=standing)
    return standing


def latest(session: Session, *, donation_id: str) -> IssuedReceipt | None:
    """The newest receipt of a gift, valid or void."""
    row = session.scalars(
        select(IssuedReceiptRow)
        .where(IssuedReceiptRow.donation_id == donation_id)
        .order_by(
            IssuedReceiptRow.voided_at.is_(None).desc(),
            IssuedReceiptRow.issued_at.desc(),
            IssuedReceiptRow.serial.desc(),
        )
        .limit(1)
    ).one_or_none()
    return _receipt(row) if row is not None else None


def find(session: Session, *, receipt_id: str, donation_id: str) -> IssuedReceipt | None:
    """One receipt of a gift, valid or void, or None."""
    row = session.scalars(
        select(IssuedReceiptRow).where(
            IssuedReceiptRow.id == receipt_id, IssuedReceiptRow.donation_id == donation_id
        )
    ).one_or_none()
    return _receipt(row) if row is not None else None


def latest_of_many(session: Session, *, donation_ids: Collection[str]) -> Mapping[str, IssuedReceipt]:
    """The newest receipt of each gift that has one."""
    rows = session.scalars(
        select(IssuedReceiptRow)
        .where(IssuedReceiptRow.donation_id.in_(donation_ids))
        .ext(distinct_on(IssuedReceiptRow.donation_id))
        .order_by(
            IssuedReceiptRow.donation_id,
            IssuedReceiptRow.voided_at.is_(None).desc(),
            IssuedReceiptRow.issued_at.desc(),
            IssuedReceiptRow.serial.desc(),
        )
    )
    return {row.donation_id: _receipt(row) for row in rows}


def problems(session: Session, *, organization_id: str) -> Mapping[str, int]:
    """Count gifts with an acknowledgement instead of a receipt, by reason, without void ones."""
    reason = func.unnest(IssuedReceiptRow.reasons).label("reason")
    rows = session.execute(
        select(reason, func.count())
        .where(IssuedReceiptRow.organization_id == organization_id, IssuedReceiptRow.voided_at.is_(None))
        .group_by(reason)
        .order_by(reason)
    )
    return {str(found): int(count) for found, count in rows}


def _receipt(row: IssuedReceiptRow) -> IssuedReceipt:
    document = document_in(row)
    number = number_of(Jurisdiction(row.jurisdiction), row.serial)
    return IssuedReceipt(
        id=row.id,
        organization_id=row.organization_id,
        jurisdiction=Jurisdiction(row.jurisdiction),
        serial=row.serial,
        donation_id=row.donation_id,
        kind=ReceiptKind(row.kind),
        reasons=tuple(Reason(reason) for reason in row.reasons),
        amount=Money(minor_units=row.minor_units, currency=row.currency),
        eligible=Money(minor_units=row.eligible_minor_units, currency=row.currency),
        language=Language(row.language),
        document=numbered(Document.of_json(document), number) if document is not None else None,
        replaces=row.replaces,
        issued_at=row.issued_at,
        voided_at=row.voided_at,
    )
