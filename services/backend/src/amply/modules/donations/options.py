"""Options of a gift besides its amount: fund, dedication, donor's name, anonymity."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import insert
from sqlalchemy.orm import Session

from amply.kernel.errors import InvalidRequest
from amply.modules import organizations
from amply.modules.donations.models import DedicationRow
from amply.modules.mail import address_digest
from amply.modules.receipts import DonorFacts

if TYPE_CHECKING:
    from amply.modules.donations.domain import Gift


class GiftOptionsNotAcceptable(InvalidRequest):
    """What the gift says does not go together, or not with this organisation's rules."""

    code = "gift_options_not_acceptable"


class Anonymity(StrEnum):
    """Who is not told the donor's name. `PUBLIC`: nobody but the organisation is; `ORGANIZATION`: not even it is."""

    NONE = "none"
    PUBLIC = "public"
    ORGANIZATION = "organization"


class DedicationKind(StrEnum):
    """Of somebody who lives, or who has died."""

    IN_HONOUR_OF = "in_honour_of"
    IN_MEMORY_OF = "in_memory_of"


@dataclass(frozen=True, kw_only=True)
class Recipient:
    """The recipient of a dedication letter. Personal, of somebody other than the donor, and erasable separately."""

    name: str
    email: str


@dataclass(frozen=True, kw_only=True)
class Dedication:
    """Whom a gift honours. Personal: never in the log."""

    kind: DedicationKind
    honouree: str
    notify: Recipient | None = None


@dataclass(frozen=True, kw_only=True)
class GiftOptions:
    """Options of a gift. `fund_id` is public, also in the ledger; the rest is private."""

    fund_id: str | None = None
    anonymity: Anonymity = Anonymity.PUBLIC
    dedication: Dedication | None = None


def check_options(session: Session, gift: "Gift") -> None:
    """Validate options against each other and the organisation's rules, in the transaction that records the gift.

    Raises:
        FundNotAcceptable: The fund is not the organisation's, or closed.
        GiftOptionsNotAcceptable: The organisation takes no anonymous gifts, or something else of the gift names the donor.
    """
    check_company(gift.for_receipt)
    if gift.options.anonymity is Anonymity.ORGANIZATION:
        _check_anonymity(session, gift)
    if gift.options.fund_id is not None:
        organizations.open_fund(session, organization_id=gift.organization_id, fund_id=gift.options.fund_id)


def keep_dedication(session: Session, *, donation_id: str, dedication: Dedication | None) -> None:
    """Store a gift's dedication, if any, in the transaction that records the gift."""
    if dedication is None:
        return
    notify = dedication.notify
    said = {
        "honouree": dedication.honouree,
        "recipient_name": notify.name if notify else None,
        "recipient_email": notify.email if notify else None,
        "recipient_sha256": address_digest(notify.email) if notify else None,
    }
    at_rest = DedicationRow.fields.at_rest(session, row_id=donation_id, fields=said)
    session.execute(insert(DedicationRow).values(donation_id=donation_id, kind=dedication.kind, **at_rest))


def dedication_of(session: Session, *, donation_id: str) -> Dedication | None:
    """A gift's dedication for its receipt, without the letter's recipient."""
    row = session.get(DedicationRow, donation_id)
    return None if row is None else Dedication(kind=DedicationKind(row.kind), honouree=row.honouree or "")


def check_company(donor: DonorFacts) -> None:
    """Validate a company donor.

    Raises:
        GiftOptionsNotAcceptable: A company declares Gift Aid.
    """
    if donor.company is not None and donor.gift_aid is not None:
        raise GiftOptionsNotAcceptable(
            "Gift Aid is for people: leave the declaration out, or give in your own name.", param="gift_aid"
        )


def _check_anonymity(session: Session, gift: "Gift") -> None:
    organization = organizations.get(session, organization_id=gift.organization_id)
    if not organization.takes_anonymous_gifts:
        raise GiftOptionsNotAcceptable(
            "This organisation has to know its donors; give without being named in public instead.",
            param="anonymity",
        )
    if gift.for_receipt.gift_aid is not None:
        raise GiftOptionsNotAcceptable(
            "A Gift Aid declaration tells the organisation who gives: leave it out to stay anonymous.",
            param="gift_aid",
        )
