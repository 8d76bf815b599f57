"""API schemas of split gifts."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Generic, Self, TypeVar

from pydantic import BaseModel, Field, StringConstraints, model_validator

from amply.infra.web import Identifier
from amply.kernel.clock import iso
from amply.kernel.errors import InvalidRequest
from amply.kernel.money import AmountNotAcceptable, Money, currency_of
from amply.kernel.splitting import divide
from amply.modules.donations.domain import Donor, Gift
from amply.modules.donations.options import Anonymity, GiftOptions
from amply.modules.donations.schemas import (
    AmountIn,
    AmountOut,
    CompanyIn,
    DedicationIn,
    DonorIn,
    FeeCoverIn,
    FeeCoverOut,
    GiftAidIn,
    QuoteOut,
    Request,
)
from amply.modules.donations.split_domain import NewSplitGift, SplitGift, SplitPart
from amply.modules.donations.typed_text import LongText
from amply.modules.payments import FeeCover
from amply.modules.receipts import Language

PARTS_MIN, PARTS_MAX = 2, 10
SHARE_MAX = 1_000_000


class SplitNotAcceptable(InvalidRequest):
    """The parts of a gift do not make up the whole."""

    code = "split_not_acceptable"


class DividedPartIn(Request):
    """One organisation's part: an amount, or a share of the total."""

    organization_id: Identifier
    minor_units: Annotated[str, StringConstraints(max_length=20)] | None = None
    share: Annotated[int, Field(ge=1, le=SHARE_MAX, strict=True)] | None = Field(
        default=None, description="In proportion to those of the other parts: 1 and 1 are halves."
    )


class SplitPartIn(DividedPartIn):
    """One organisation's part, what it is for there, and what the donor adds to it for the fee."""

    fund_id: Identifier | None = None
    fee_cover: FeeCoverIn | None = Field(
        default=None,
        description="As `POST /v1/split-gifts/quote` told it for this part; the same `method` for every part that has one.",
    )


PartIn = TypeVar("PartIn", bound=DividedPartIn)


class _Divided(Request, Generic[PartIn]):
    """A whole and its parts. Either every part has `minor_units`, and they add up to `total`, or every one a `share`.

    What a currency allows is allowed to each part, which is a payment of its own: the total may be more.
    """

    total: AmountIn
    parts: Annotated[list[PartIn], Field(min_length=PARTS_MIN, max_length=PARTS_MAX)]

    @model_validator(mode="after")
    def _amounts_or_shares(self) -> Self:
        if len({(part.minor_units is None, part.share is None) for part in self.parts}) > 1 or any(
            (part.minor_units is None) == (part.share is None) for part in self.parts
        ):
            raise ValueError("give every part minor_units, or every part a share")
        return self

    def divided(self) -> list[tuple[PartIn, Money]]:
        """Each part with its amount.

        Raises:
            CurrencyNotSupported, AmountNotAcceptable: As `Money.parse_gift` says, of a part.
            SplitNotAcceptable: The parts do not add up.
        """
        currency = self.total.currency
        total = Money.parse(minor_units=self.total.minor_units, currency=currency)
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
        return list(zip(self.parts, amounts, strict=True))


class SplitQuoteIn(_Divided[DividedPartIn]):
    """A gift to several organisations that somebody thinks about."""


class SplitGiftIn(_Divided[SplitPartIn]):
    """One gift to 2 to 10 organisations, from one donor, with one payment method."""

    donor: DonorIn
    message: LongText | None = Field(default=None, description="Each of the organisations reads it.")
    language: Language | None = None
    gift_aid: GiftAidIn | None = None
    company: CompanyIn | None = None
    anonymity: Anonymity = Anonymity.PUBLIC
    dedication: DedicationIn | None = Field(
        default=None,
        description=(
            "Stands on every part's receipt. `notify` gets one letter, which names the organisations whose parts arrived."
        ),
    )

    def split(self) -> NewSplitGift:
        """The gift this request asks for.

        Raises:
            CurrencyNotSupported, AmountNotAcceptable: As `Money.parse_gift` says, of a part.
            SplitNotAcceptable: The parts do not add up, two are the same, or their fees are of different ways to pay.
            DonorFactsNotAcceptable: HMRC's schedule would not take the declaration.
        """
        if len({(part.organization_id, part.fund_id) for part in self.parts}) < len(self.parts):
            raise SplitNotAcceptable(
                "Name each organisation once, or once for each of its funds.", param="parts"
            )
        if len({part.fee_cover.method for part in self.parts if part.fee_cover is not None}) > 1:
            raise SplitNotAcceptable(
                "One payment method pays for all parts: take every fee_cover from the quote for the same one.",
                param="parts",
            )
        return NewSplitGift(
            gifts=tuple(
                self._gift(part, amount, tells=at == 0) for at, (part, amount) in enumerate(self.divided())
            )
        )

    def _gift(self, part: SplitPartIn, amount: Money, *, tells: bool) -> Gift:
        """One part. The first one holds whom the letter goes to."""
        dedication = self.dedication.dedication() if self.dedication else None
        return Gift(
            organization_id=part.organization_id,
            amount=amount,
            donor=Donor(name=self.donor.name, email=self.donor.email),
            message=self.message or None,
            for_receipt=self.donor.facts(
                language=self.language, gift_aid=self.gift_aid, company=self.company
            ),
            options=GiftOptions(
                fund_id=part.fund_id,
                anonymity=self.anonymity,
                dedication=dedication if tells or dedication is None else replace(dedication, notify=None),
            ),
            fee_cover=part.fee_cover.cover(amount.currency) if part.fee_cover else None,
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
    amount: AmountOut = Field(description="What the donor pays for it in all.")
    fee_cover: AmountOut = Field(description="What of it they add for the processor's fee.")
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
            fee_cover=AmountOut.of(part.fee_cover),
            status=part.status,
            payment=outcome.paid if outcome is not None else None,
            client_secret=outcome.client_secret if outcome is not None else None,
            stripe_account=part.account_id if needs_donor else None,
        )


class QuotedPartOut(QuoteOut):
    """One organisation's part, and what covers its fee."""

    organization_id: str


class SplitQuoteOut(BaseModel):
    """How a gift is divided, and what covers the fees. Nothing is added unless the donor says so."""

    parts: list[QuotedPartOut]
    covers: list[FeeCoverOut] = Field(
        description="Of all parts together, for each way to pay that has a price at every organisation."
    )

    @classmethod
    def of(cls, quoted: Sequence[tuple[DividedPartIn, Money, Sequence[FeeCover]]]) -> "SplitQuoteOut":
        """The wire form of parts with their quotes."""
        parts = [
            QuotedPartOut(organization_id=part.organization_id, **dict(QuoteOut.of(amount, covers)))
            for part, amount, covers in quoted
        ]
        first, *others = (amount for _, amount, _ in quoted)
        whole = sum(others, start=first)
        by_part = [{cover.method: cover.amount for cover in covers} for _, _, covers in quoted]
        shared = [method for method in by_part[0] if all(method in known for known in by_part)]
        summed = [
            FeeCover(
                method=method,
                amount=sum(
                    (known[method] for known in by_part),
                    start=Money(minor_units=0, currency=whole.currency),
                ),
            )
            for method in shared
        ]
        return cls(parts=parts, covers=QuoteOut.of(whole, summed).covers)


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
