"""Donor details for receipts, stored beside the gift and erased with it."""

import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from functools import partial
from typing import Any, Final

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from amply.infra.vault.reencryption import SealedRows, of_records
from amply.kernel.clock import iso
from amply.kernel.money import Money
from amply.modules.mail import Language
from amply.modules.receipts.domain import (
    Advantage,
    AdvantageKind,
    AdvantageNotAcceptable,
    Company,
    DonorFacts,
    DonorFactsNotAcceptable,
    GiftAidDeclaration,
    PostalAddress,
    harmless,
)
from amply.modules.receipts.models import IssuedReceiptRow, ReceiptFactsRow
from amply.modules.receipts.rules import is_usable, not_in_names

_DESCRIPTION_MAX = 300
_INWARD = 3
"""Characters of a UK postcode after its space."""
_AS_ON_EVERY_KEYBOARD: Final = str.maketrans("‘’ʼ‐‑‒–", "'''----")  # noqa: RUF001 -- those that are replaced
_GIFT_AID_WANTED: Final = (
    "Give the title in up to 4 letters, first and last name in up to 35 characters each, the house's name or number in up to 40, and "
    "the postcode of the home (X outside the UK)."
)


def declare(*, title: str, first_name: str, last_name: str, house: str, postcode: str) -> GiftAidDeclaration:
    """A declaration as HMRC's schedule takes it: no hyphens in names, plain apostrophes, the postcode in capitals with its
    space, X abroad.

    Raises:
        DonorFactsNotAcceptable: The schedule would not take it; the sentence names a character that it does not take in names.
    """
    compact = "".join(postcode.upper().split())
    declared = GiftAidDeclaration(
        title=_plain(title).rstrip("."),
        first_name=harmless(_plain(first_name).replace("-", " ")),
        last_name=harmless(_plain(last_name).replace("-", " ")),
        house=_plain(house),
        postcode=f"{compact[:-_INWARD]} {compact[-_INWARD:]}" if len(compact) > _INWARD else compact,
    )
    if not is_usable(declared):
        refused = not_in_names(declared.first_name) or not_in_names(declared.last_name)
        raise DonorFactsNotAcceptable(
            f"Leave “{refused}” out of the name: HMRC takes letters, spaces, apostrophes and full stops in it."
            if refused is not None
            else _GIFT_AID_WANTED,
            param="gift_aid",
        )
    return declared


def _plain(text: str) -> str:
    """As HMRC's schedule spells it: accents composed, apostrophes and hyphens those of every keyboard, whatever a phone made of them."""
    return harmless(unicodedata.normalize("NFC", text).translate(_AS_ON_EVERY_KEYBOARD))


def keep(session: Session, *, donation_id: str, donor: DonorFacts) -> None:
    """Store donor details, if any, in the transaction that records the gift."""
    if donor.is_empty:
        return
    said = {
        "address": asdict(donor.address) if donor.address else None,
        "gift_aid": _declaration_json(donor.gift_aid) if donor.gift_aid else None,
        "company": asdict(donor.company) if donor.company else None,
    }
    session.execute(
        insert(ReceiptFactsRow).values(
            donation_id=donation_id,
            language=donor.language,
            declares_gift_aid=donor.gift_aid is not None,
            **ReceiptFactsRow.fields.at_rest(session, row_id=donation_id, fields=said),
        )
    )


def told_of(session: Session, *, donation_id: str) -> tuple[DonorFacts, Advantage | None]:
    """Donor details of one gift."""
    row = session.scalars(
        select(ReceiptFactsRow).where(ReceiptFactsRow.donation_id == donation_id)
    ).one_or_none()
    return _read(row) if row is not None else (DonorFacts(), None)


def told_of_many(
    session: Session, *, donation_ids: Collection[str]
) -> Mapping[str, tuple[DonorFacts, Advantage | None]]:
    """Donor details of those of these gifts that have some."""
    rows = session.scalars(select(ReceiptFactsRow).where(ReceiptFactsRow.donation_id.in_(donation_ids)))
    return {row.donation_id: _read(row) for row in rows}


def state_advantage(session: Session, *, donation_id: str, advantage: Advantage) -> None:
    """Store a benefit that the donor received, as stated by the organisation.

    Raises:
        AdvantageNotAcceptable: It has no description or a value that is none.
    """
    said = replace(advantage, description=harmless(advantage.description))
    if not 0 < len(said.description) <= _DESCRIPTION_MAX:
        raise AdvantageNotAcceptable(
            "Describe what the donor got in 1 to 300 characters.", param="description"
        )
    valued = said.kind is AdvantageKind.GOODS_OR_SERVICES
    if valued != (said.value is not None) or (said.value is not None and said.value.minor_units < 1):
        raise AdvantageNotAcceptable(
            "Give goods and services a value above zero, and intangible religious benefits none.",
            param="value",
        )
    session.execute(insert(ReceiptFactsRow).values(donation_id=donation_id).on_conflict_do_nothing())
    row = session.get_one(ReceiptFactsRow, donation_id, with_for_update=True, populate_existing=True)
    row.advantage = _advantage_json(said)
    session.flush()


def withdraw_declarations(session: Session, *, donation_ids: Collection[str]) -> None:
    """Withdraw Gift Aid declarations of gifts not claimed yet. Issued receipts stay unchanged.

    The API may not read what was declared: it says that nothing is any more, and the worker takes it out.
    """
    session.execute(
        update(ReceiptFactsRow)
        .where(ReceiptFactsRow.donation_id.in_(donation_ids), ReceiptFactsRow.declares_gift_aid)
        .values(declares_gift_aid=False, forgets_gift_aid=True)
        .execution_options(synchronize_session=False)
    )


def sealed_rows() -> tuple[SealedRows, ...]:
    """Rows that key rotation re-encrypts; withdrawn declarations are removed at the same time."""
    kept = of_records(ReceiptFactsRow)
    return (replace(kept, reseal=partial(_forget_or, kept.reseal)), of_records(IssuedReceiptRow))


def _forget_or(reseal: Callable[[Session, int], int], session: Session, limit: int) -> int:
    rows = session.scalars(
        select(ReceiptFactsRow)
        .where(ReceiptFactsRow.forgets_gift_aid)
        .order_by(ReceiptFactsRow.donation_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        row.gift_aid, row.forgets_gift_aid = None, False
    session.flush()
    return len(rows) if len(rows) >= limit else len(rows) + reseal(session, limit - len(rows))


def erase(session: Session, *, donation_ids: Collection[str]) -> None:
    """Erase donor details and receipt texts. Numbers, amounts and dates stay."""
    session.execute(delete(ReceiptFactsRow).where(ReceiptFactsRow.donation_id.in_(donation_ids)))
    session.execute(
        update(IssuedReceiptRow)
        .where(IssuedReceiptRow.donation_id.in_(donation_ids), IssuedReceiptRow.words.is_not(None))
        .values(plain_document=None, plain_salt=None, sealed=None)
        .execution_options(synchronize_session=False)
    )


def _declaration_json(declared: GiftAidDeclaration) -> dict[str, Any]:
    kept = {field: text for field, text in asdict(declared).items() if field != "declared_at"}
    return kept if declared.declared_at is None else {**kept, "declared_at": iso(declared.declared_at)}


def _declaration(kept: Mapping[str, Any]) -> GiftAidDeclaration:
    said = dict(kept)
    moment = said.pop("declared_at", None)
    return GiftAidDeclaration(**said, declared_at=datetime.fromisoformat(moment) if moment else None)


def _advantage_json(said: Advantage) -> dict[str, Any]:
    value = said.value
    return {
        "kind": said.kind,
        "description": said.description,
        "minor_units": str(value.minor_units) if value else None,
        "currency": value.currency if value else None,
    }


def _read(row: ReceiptFactsRow) -> tuple[DonorFacts, Advantage | None]:
    donor = DonorFacts(
        language=Language(row.language) if row.language else None,
        address=PostalAddress(**{**row.address, "lines": tuple(row.address["lines"])})
        if row.address
        else None,
        gift_aid=_declaration(row.gift_aid) if row.gift_aid and row.declares_gift_aid else None,
        company=Company(**row.company) if row.company else None,
    )
    return donor, _advantage(row.advantage) if row.advantage else None


def _advantage(kept: Mapping[str, Any]) -> Advantage:
    valued = kept["minor_units"] is not None
    return Advantage(
        kind=AdvantageKind(kept["kind"]),
        description=kept["description"],
        value=Money(minor_units=int(kept["minor_units"]), currency=kept["currency"]) if valued else None,
    )
