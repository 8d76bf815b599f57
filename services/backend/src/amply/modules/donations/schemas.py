"""Donations as the API takes and shows them. Amounts are strings of minor units: JSON numbers lose digits."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, EmailStr, Field, StringConstraints

from amply.infra.web import Identifier
from amply.kernel.clock import iso
from amply.kernel.money import Money
from amply.modules.donations.domain import Donation, Donor, Gift
from amply.modules.ledger import Inclusion

# People's words may hold any character but those that control terminals, headers, text direction or the database.
ShortText = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        min_length=1,
        max_length=200,
        pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+$",
    ),
]
LongText = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        max_length=2000,
        pattern=r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*$",
    ),
]


class Request(BaseModel):
    """Unknown fields are refused: a misspelt one must not be ignored where money is concerned."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class AmountIn(Request):
    """`{"minor_units": "2500", "currency": "EUR"}` is 25.00 euro."""

    minor_units: Annotated[str, StringConstraints(max_length=20)]
    currency: Annotated[str, StringConstraints(min_length=3, max_length=3)]


class DonorIn(Request):
    """Who gives."""

    name: ShortText
    email: EmailStr


class DonationIn(Request):
    """A gift to one organisation."""

    organization_id: Identifier
    amount: AmountIn
    donor: DonorIn
    message: LongText | None = None

    def gift(self) -> Gift:
        """The gift this request asks for.

        Raises:
            CurrencyNotSupported, AmountNotAcceptable: As `Money.parse_gift` says.
        """
        return Gift(
            organization_id=self.organization_id,
            amount=Money.parse_gift(minor_units=self.amount.minor_units, currency=self.amount.currency),
            donor=Donor(name=self.donor.name, email=self.donor.email),
            message=self.message or None,
        )


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


class DonationCreated(BaseModel):
    """A donation that waits for its payment to be confirmed."""

    id: str
    status: str
    amount: AmountOut
    organization_id: str
    payment: PaymentOut
    created_at: str


class LedgerOut(BaseModel):
    """Where the gift stands in the public log; the numbers appear as the log reaches it."""

    entry_id: str
    index: int | None
    checkpoint_size: int | None


class DonationOut(BaseModel):
    """A donation without anything personal: the id alone is enough to see it."""

    id: str
    status: str = Field(description="How its payment went. It stays `succeeded` when money goes back later.")
    standing: str = Field(
        description=(
            "What has become of the gift: its status, and once it has succeeded `partially_refunded`, `refunded`, "
            "`disputed` while the donor's bank wants it back, or `charged_back` when the bank has kept it."
        )
    )
    amount: AmountOut
    refunded: AmountOut = Field(description="What went back to the donor by refunds; zero without one.")
    organization_id: str
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
            refunded=AmountOut.of(donation.refunded),
            organization_id=donation.organization_id,
            ledger=ledger or None,
            waits_for_books=waits_for_books,
            created_at=iso(donation.created_at),
        )
