"""Gifts to several organisations as the API takes and shows them."""

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints, model_validator

from amply.infra.web import Identifier
from amply.kernel.clock import iso
from amply.kernel.errors import InvalidRequest
from amply.kernel.money import AmountNotAcceptable, Money, currency_of
from amply.modules.donations.domain import Donor, Gift
from amply.modules.donations.options import Anonymity, GiftOptions
from amply.modules.donations.schemas import (
    AmountIn,
    AmountOut,
    CompanyIn,
    DonorIn,
    GiftAidIn,
    LongText,
    Request,
)
from amply.modules.donations.split_domain import NewSplitGift, SplitGift, SplitPart
from amply.modules.donations.splitting import divide
from amply.modules.receipts import Company, DonorFacts, Language

PARTS_MIN, PARTS_MAX = 2, 10
SHARE_MAX = 1_000_000


class SplitNotAcceptable(InvalidRequest):
    """The parts of a gift do not make up the whole."""

    code = "split_not_acceptable"


class SplitPartIn(Request):
    """One organisation's part: an amount, or a share of the total."""

    organization_id: Identifier
    minor_units: Annotated[str, StringConstraints(max_length=20)] | None = None
    share: Annotated[int, Field(ge=1, le=SHARE_MAX, strict=True)] | None = Field(
        default=None, description="In proportion to those of the other parts: 1 and 1 are halves."
    )
    fund_id: Identifier | None = None


class SplitGiftIn(Request):
    """One gift to 2 to 10 organisations. Either every part has `minor_units`, and they add up to `total`, or every one a `share`."""

    total: AmountIn
    parts: Annotated[list[SplitPartIn], Field(min_length=PARTS_MIN, max_length=PARTS_MAX)]
    donor: DonorIn
    message: LongText | None = Field(default=None, description="Each of the organisations reads it.")
    language: Language | None = None
    gift_aid: GiftAidIn | None = None
    company: CompanyIn | None = None
    anonymity: Anonymity = Anonymity.PUBLIC

    @model_validator(mode="after")
    def _amounts_or_shares(self) -> "SplitGiftIn":
        if len({(part.minor_units is None, part.share is None) for part in self.parts}) > 1 or any(
            (part.minor_units is None) == (part.share is None) for part in self.parts
        ):
            raise ValueError("give every part minor_units, or every part a share")
        return self

    def split(self) -> NewSplitGift:
        """The gift this request asks for.

        Raises:
            CurrencyNotSupported, AmountNotAcceptable: As `Money.parse_gift` says, of a part.
            SplitNotAcceptable: The parts do not add up, or two are the same.
            DonorFactsNotAcceptable: HMRC's schedule would not take the declaration.
        """
        if len({(part.organization_id, part.fund_id) for part in self.parts}) < len(self.parts):
            raise SplitNotAcceptable(
                "Name each organisation once, or once for each of its funds.", param="parts"
            )
        return NewSplitGift(
            gifts=tuple(
                self._gift(part, amount) for part, amount in zip(self.parts, self._amounts(), strict=True)
            )
        )

    def _amounts(self) -> list[Money]:
        currency = self.total.currency
        total = Money.parse_gift(minor_units=self.total.minor_units, currency=currency)
        if self.parts[0].share is not None:
            shares = [part.share or 0 for part in self.parts]
            step = currency_of(currency).step
            texts = [str(part * step) for part in divide(total.minor_units // step, shares)]
        else:
            texts = [part.minor_units or "" for part in self.parts]
        amounts = [_part(text, currency=currency, position=at) for at, text in enumerate(texts)]
        if sum(amount.minor_units for amount in amounts) != total.minor_units:
            raise SplitNotAcceptable(
                "The parts have to add up to the total; change one of them.", param="total"
            )
        return amounts

    def _gift(self, part: SplitPartIn, amount: Money) -> Gift:
        return Gift(
            organization_id=part.organization_id,
            amount=amount,
            donor=Donor(name=self.donor.name, email=self.donor.email),
            message=self.message or None,
            for_receipt=DonorFacts(
                language=self.language,
                address=self.donor.address.address() if self.donor.address else None,
                gift_aid=self.gift_aid.declaration() if self.gift_aid else None,
                company=Company(name=self.company.name, tax_id=self.company.tax_id or "")
                if self.company
                else None,
            ),
            options=GiftOptions(fund_id=part.fund_id, anonymity=self.anonymity),
        )


def _part(text: str, *, currency: str, position: int) -> Money:
    try:
        return Money.parse_gift(minor_units=text, currency=currency)
    except AmountNotAcceptable as error:
        raise AmountNotAcceptable(f"Part {position + 1}: {error.detail}", param=f"parts.{position}") from None


class SplitPartOut(BaseModel):
    """One organisation's part. `/v1/donations/{donation_id}` tells more, as of any gift."""

    donation_id: str
    organization_id: str
    amount: AmountOut
    status: str
    payment: str | None = Field(
        default=None,
        description=(
            "After paying: `paid`, `under_way`, `declined`, `unknown` (ask again), or `needs_donor`: let Stripe.js handle the "
            "next action of `client_secret` on `stripe_account`, then ask again."
        ),
    )
    client_secret: str | None = None
    stripe_account: str | None = None

    @classmethod
    def of(cls, part: SplitPart) -> "SplitPartOut":
        """The wire form of `part`."""
        outcome = part.outcome
        needs_donor = outcome is not None and outcome.client_secret is not None
        return cls(
            donation_id=part.donation_id,
            organization_id=part.organization_id,
            amount=AmountOut.of(part.amount),
            status=part.status,
            payment=outcome.paid if outcome is not None else None,
            client_secret=outcome.client_secret if outcome is not None else None,
            stripe_account=part.account_id if needs_donor else None,
        )


class SetupOut(BaseModel):
    """What the donor's browser needs to enter one payment method for all parts: on the platform, without `stripeAccount`."""

    client_secret: str
    publishable_key: str


class SplitGiftOut(BaseModel):
    """A gift to several organisations, without anything personal."""

    id: str
    status: str = Field(
        description=(
            "`pending` and `processing` while a part is; then `succeeded`, `partly_succeeded` or `failed`. A part's status "
            "follows the processor's event, moments after it was paid."
        )
    )
    parts: list[SplitPartOut]
    created_at: str

    @classmethod
    def of(cls, split: SplitGift) -> "SplitGiftOut":
        """The public view of `split`."""
        return cls(
            id=split.id,
            status=split.status,
            parts=[SplitPartOut.of(part) for part in split.parts],
            created_at=iso(split.created_at),
        )


class SplitGiftCreated(SplitGiftOut):
    """A gift whose payment method is still to be entered."""

    setup: SetupOut
