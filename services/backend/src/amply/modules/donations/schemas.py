"""API schemas of donations. Amounts are strings of minor units: JSON numbers lose digits."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from amply.infra.web import Identifier
from amply.kernel.clock import iso
from amply.kernel.money import Money
from amply.modules.donations.data_sharing import DataSharingIn
from amply.modules.donations.domain import Channel, Costs, Donation, Donor, Gift
from amply.modules.donations.options import Anonymity, Dedication, DedicationKind, GiftOptions, Recipient
from amply.modules.donations.typed_text import LongText, NameInLetter, ShortText, TaxId
from amply.modules.ledger import Inclusion
from amply.modules.mail import EmailAddress
from amply.modules.payments import FeeCover, Method
from amply.modules.receipts import (
    Company,
    DonorFacts,
    GiftAidDeclaration,
    Language,
    PostalAddress,
    declare,
)


class Request(BaseModel):
    """Unknown fields are refused: a misspelt one must not be ignored where money is concerned."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class AmountIn(Request):
    """`{"minor_units": "2500", "currency": "EUR"}` is 25.00 euro."""

    minor_units: Annotated[str, StringConstraints(max_length=20)]
    currency: Annotated[str, StringConstraints(min_length=3, max_length=3)]


class AddressIn(Request):
    """Where the donor lives; some countries' receipts name it."""

    lines: Annotated[list[ShortText], Field(min_length=1, max_length=4)]
    city: ShortText
    region: ShortText | None = None
    postal_code: Annotated[ShortText, Field(max_length=20)]
    country: Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")]

    def address(self) -> PostalAddress:
        """The address as receipts hold it."""
        return PostalAddress(
            lines=tuple(self.lines),
            city=self.city,
            region=self.region or "",
            postal_code=self.postal_code,
            country=self.country,
        )


class GiftAidIn(Request):
    """A UK taxpayer's declaration with this gift (gov.uk, "Gift Aid declarations"); show its words beside the box."""

    title: Annotated[str, StringConstraints(strip_whitespace=True, max_length=10)] = ""
    first_name: ShortText
    last_name: ShortText
    house: ShortText
    postcode: Annotated[ShortText, Field(max_length=20)]
    declares: Literal[True] = Field(description="The donor has read the declaration and makes it.")

    def declaration(self) -> GiftAidDeclaration:
        """The declaration as HMRC's schedule takes it.

        Raises:
            DonorFactsNotAcceptable: The schedule would not take it.
        """
        return declare(
            title=self.title,
            first_name=self.first_name,
            last_name=self.last_name,
            house=self.house,
            postcode=self.postcode,
        )


class DonorIn(Request):
    """Who gives."""

    name: ShortText
    email: EmailAddress
    address: AddressIn | None = None

    def facts(
        self, *, language: Language | None, gift_aid: GiftAidIn | None, company: "CompanyIn | None"
    ) -> DonorFacts:
        """What the receipt needs to know of them.

        Raises:
            DonorFactsNotAcceptable: HMRC's schedule would not take the declaration.
        """
        return DonorFacts(
            language=language,
            address=self.address.address() if self.address else None,
            gift_aid=gift_aid.declaration() if gift_aid else None,
            company=Company(name=company.name, tax_id=company.tax_id or "") if company else None,
        )


class CompanyIn(Request):
    """A company that gives: the receipt is made out to it."""

    name: ShortText
    tax_id: TaxId | None = Field(
        default=None, description="As the company writes it, where its receipts need one."
    )


class RecipientIn(Request):
    """Somebody who is told by e-mail, once, that a gift was made for the honouree: never how much."""

    name: NameInLetter
    email: EmailAddress


class DedicationIn(Request):
    """For whom the gift is made."""

    kind: DedicationKind
    honouree: NameInLetter
    notify: RecipientIn | None = None

    def dedication(self) -> Dedication:
        """The dedication this request asks for."""
        notify = self.notify and Recipient(name=self.notify.name, email=self.notify.email)
        return Dedication(kind=self.kind, honouree=self.honouree, notify=notify or None)


class FeeCoverIn(Request):
    """What the donor was quoted and has ticked, on top of the amount; never on their behalf."""

    method: Method
    minor_units: Annotated[str, StringConstraints(max_length=20, pattern="^[0-9]+$")]

    def cover(self, currency: str) -> FeeCover:
        """The cover as the quote has it, in the gift's currency."""
        return FeeCover(
            method=self.method, amount=Money(minor_units=int(self.minor_units), currency=currency)
        )


class GiftIn(Request):
    """What all gifts to one organisation ask for, once or again. `amount` is the gift; the donor pays it and what they add for the fee."""

    organization_id: Identifier
    amount: AmountIn
    donor: DonorIn
    message: LongText | None = None
    language: Language | None = Field(
        default=None, description="Of letters to the donor; the organisation's, where none is named."
    )
    gift_aid: GiftAidIn | None = None
    fee_cover: FeeCoverIn | None = Field(
        default=None, description="As `GET /v1/donations/quote` told it; another amount is refused."
    )
    company: CompanyIn | None = None
    fund_id: Identifier | None = Field(
        default=None, description="One of the organisation's open funds. It stands in the public ledger."
    )
    anonymity: Anonymity = Field(
        default=Anonymity.PUBLIC,
        description=(
            "`none`: the donor may be named in public. `public`: only the organisation is told. `organization`: it is not "
            "told either; some organisations do not take such gifts."
        ),
    )
    dedication: DedicationIn | None = None

    def gift(self) -> Gift:
        """The gift this request asks for.

        Raises:
            CurrencyNotSupported, AmountNotAcceptable: As `Money.parse_gift` says.
            DonorFactsNotAcceptable: HMRC's schedule would not take the declaration.
        """
        amount = Money.parse_gift(minor_units=self.amount.minor_units, currency=self.amount.currency)
        return Gift(
            organization_id=self.organization_id,
            amount=amount,
            donor=Donor(name=self.donor.name, email=self.donor.email),
            message=self.message or None,
            for_receipt=self.donor.facts(
                language=self.language, gift_aid=self.gift_aid, company=self.company
            ),
            options=GiftOptions(
                fund_id=self.fund_id,
                anonymity=self.anonymity,
                dedication=self.dedication.dedication() if self.dedication else None,
            ),
            fee_cover=self.fee_cover.cover(amount.currency) if self.fee_cover else None,
        )


class DonationIn(GiftIn):
    """A gift to one organisation. `amount` is the gift; the donor pays it and what they add for the fee."""

    data_sharing: DataSharingIn | None = Field(
        default=None,
        description=(
            "The donor lets facts of this gift be shared. Where no data is shared, or nobody is asked for this purpose in these "
            "words, the gift is taken all the same, and nothing is noted."
        ),
    )

    def gift(self) -> Gift:
        """As `GiftIn.gift`, with what the donor ticked."""
        ticked = self.data_sharing
        return replace(super().gift(), data_sharing=ticked.said() if ticked else None)


class AmountOut(BaseModel):
    """An amount in minor units."""

    minor_units: str
    currency: str

    @classmethod
    def of(cls, amount: Money) -> "AmountOut":
        """The wire form of `amount`."""
        return cls(minor_units=str(amount.minor_units), currency=amount.currency)


class PaymentOut(BaseModel):
    """What the donor's browser needs to confirm the payment at the processor."""

    client_secret: str
    publishable_key: str
    stripe_account: str


class FeeCoverOut(BaseModel):
    """For one way to pay: what covers the fee, and what the donor pays then in all."""

    method: str = Field(description="In Stripe's words: `card`, `sepa_debit`, `us_bank_account`.")
    fee_cover: AmountOut
    total: AmountOut


class QuoteOut(BaseModel):
    """What a donor may add so that a gift arrives whole. Nothing is added unless they say so."""

    amount: AmountOut
    covers: list[FeeCoverOut] = Field(
        description="The first is the usual one. Empty where nobody publishes the fee beforehand, as for another currency than "
        "that of the organisation's account."
    )

    @classmethod
    def of(cls, amount: Money, covers: Sequence[FeeCover]) -> "QuoteOut":
        """The wire form of what covers the fee of a gift."""
        return cls(
            amount=AmountOut.of(amount),
            covers=[
                FeeCoverOut(
                    method=cover.method,
                    fee_cover=AmountOut.of(cover.amount),
                    total=AmountOut.of(amount + cover.amount),
                )
                for cover in covers
            ],
        )


class DonationCreated(BaseModel):
    """A donation that waits for its payment to be confirmed."""

    id: str
    status: str
    amount: AmountOut = Field(description="What the donor pays in all.")
    fee_cover: AmountOut = Field(description="What of it they add for the processor's fee.")
    organization_id: str
    payment: PaymentOut
    created_at: str


class LedgerOut(BaseModel):
    """Where the gift stands in the public log; the numbers appear as the log reaches it."""

    entry_id: str
    index: int | None
    checkpoint_size: int | None


class CostsOut(BaseModel):
    """What the donor added for the processor's fee, and what that fee really was."""

    fee_cover: AmountOut = Field(description="A part of the donation's amount; zero where nothing was added.")
    method: str | None = Field(description="The way to pay that it was quoted for.")
    processor_fee: AmountOut | None = Field(
        description="What the processor kept. Null until it has said so, and where it kept it in another currency."
    )
    difference: AmountOut | None = Field(
        description="`fee_cover` less `processor_fee`: what the organisation has beyond the gift, or below zero lacks of it. "
        "Null where nothing was added or the fee is not known."
    )

    @classmethod
    def of(cls, costs: Costs) -> "CostsOut":
        """The wire form of `costs`."""
        return cls(
            fee_cover=AmountOut.of(costs.fee_cover),
            method=costs.method,
            processor_fee=AmountOut.of(costs.processor_fee) if costs.processor_fee else None,
            difference=AmountOut.of(costs.difference) if costs.difference else None,
        )


class DonationOut(BaseModel):
    """A donation without anything personal: the id alone is enough to see it."""

    id: str
    status: str = Field(description="How its payment went. It stays `succeeded` when money goes back later.")
    standing: str = Field(
        description=(
            "What has become of the gift: its status, and once it has succeeded `partially_refunded`, `refunded`, "
            "`disputed` while the donor's bank wants it back, `charged_back` when the bank has kept it, or `reversed` when "
            "an offline gift had been recorded wrongly."
        )
    )
    amount: AmountOut = Field(description="What the donor pays in all.")
    costs: CostsOut
    refunded: AmountOut = Field(description="What went back to the donor by refunds; zero without one.")
    organization_id: str
    fund_id: str | None = Field(
        description="What it is restricted to; null where it may be used for anything."
    )
    channel: Channel = Field(
        description="`offline`: cash, a cheque, a bank transfer or a thing, recorded by the organisation itself."
    )
    ledger: LedgerOut | None
    waits_for_books: bool = Field(
        description=(
            "True while no gift is entered, because the books are compared with the public ledger. A payment that was "
            "confirmed is safe: it is entered afterwards, and the receipt follows."
        )
    )
    created_at: str

    @classmethod
    def of(cls, donation: Donation, inclusion: Inclusion | None, *, waits_for_books: bool) -> "DonationOut":
        """The public view of `donation`."""
        ledger = donation.entry_id and LedgerOut(
            entry_id=donation.entry_id,
            index=inclusion.index if inclusion else None,
            checkpoint_size=inclusion.checkpoint_size if inclusion else None,
        )
        return cls(
            id=donation.id,
            status=donation.status,
            standing=donation.standing,
            amount=AmountOut.of(donation.amount),
            costs=CostsOut.of(donation.costs),
            refunded=AmountOut.of(donation.refunded),
            organization_id=donation.organization_id,
            fund_id=donation.fund_id,
            channel=donation.channel,
            ledger=ledger or None,
            waits_for_books=waits_for_books,
            created_at=iso(donation.created_at),
        )
