"""API schemas of the donor page. Amounts are strings of minor units: JSON numbers lose digits."""

from datetime import date
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from amply.infra.conditional import etag_of
from amply.infra.web import Identifier
from amply.kernel.clock import iso
from amply.kernel.pagination import Page
from amply.modules.donations import AmountOut, Anonymity, GivenTo, OwnGift
from amply.modules.giving.domain import (
    Document,
    DocumentKind,
    DocumentNotAcceptable,
    DocumentRequest,
    DocumentState,
)
from amply.modules.mail import EmailAddress
from amply.modules.organizations import PictureOut
from amply.modules.receipts import Language, ListedReceipt, ReceiptKind, ReceiptState


class Request(BaseModel):
    """Unknown fields are refused: a misspelt one must not be ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class LinkIn(Request):
    """Whose gifts somebody wants to see."""

    email: EmailAddress
    language: Language | None = Field(
        default=None, description="Of the letter; else the organisation's, else English."
    )


class LinkAsked(BaseModel):
    """The same for every address, whoever gives."""

    detail: str = "If gifts belong to this address, a link to them is on its way there."


class YearOut(BaseModel):
    """A fiscal year of the organisation's, named by the calendar year it begins in."""

    year: int
    first: date
    last: date


class RecipientOut(BaseModel):
    """An organisation that the donor has given to."""

    id: str
    name: str
    takes_anonymous_gifts: bool
    logo: PictureOut | None
    gifts: int = Field(description="How many gifts of the donor's there are.")
    years: list[YearOut] = Field(description="Those in which gifts arrived, the newest first.")

    @classmethod
    def of(cls, recipient: GivenTo, *, site_url: str) -> Self:
        """The wire form."""
        return cls(
            id=recipient.id,
            name=recipient.name,
            takes_anonymous_gifts=recipient.takes_anonymous_gifts,
            logo=PictureOut.of(recipient.logo, site_url=site_url),
            gifts=recipient.gifts,
            years=[YearOut(year=given.year, first=given.first, last=given.last) for given in recipient.years],
        )


class RecipientList(BaseModel):
    """The one given to last first."""

    data: list[RecipientOut]


class ReceiptOut(BaseModel):
    """One receipt of a gift. `cancelled`: the gift went back; `replaced`: by a newer one of the same gift."""

    id: str
    number: str
    kind: ReceiptKind
    state: ReceiptState
    amount: AmountOut
    issued_at: str

    @classmethod
    def of(cls, receipt: ListedReceipt) -> Self:
        """The wire form."""
        return cls(
            id=receipt.id,
            number=receipt.number,
            kind=receipt.kind,
            state=receipt.state,
            amount=AmountOut.of(receipt.amount),
            issued_at=iso(receipt.issued_at),
        )


class GiftOut(BaseModel):
    """One gift as its donor sees it."""

    id: str
    organization_id: str
    amount: AmountOut = Field(
        description="What was paid in all; of a thing, what the organisation books it at."
    )
    refunded: AmountOut
    status: str
    standing: str = Field(description="As for `GET /v1/donations/{id}`.")
    method: str | None = Field(description="How it came, where the organisation recorded it itself.")
    description: str | None = Field(description="Of a thing.")
    fund: str
    given_on: date = Field(description="Where the organisation is.")
    anonymity: Anonymity
    plan_id: str | None = Field(description="The recurring plan that it is a gift of.")
    split_id: str | None = Field(description="The gift to several organisations that it is a part of.")
    receipts: list[ReceiptOut] = Field(description="The newest first.")

    @classmethod
    def of(cls, gift: OwnGift, *, plan_id: str | None) -> Self:
        """The wire form."""
        donation = gift.donation
        return cls(
            id=donation.id,
            organization_id=donation.organization_id,
            amount=AmountOut.of(donation.amount),
            refunded=AmountOut.of(donation.refunded),
            status=donation.status,
            standing=donation.standing,
            method=donation.method,
            description=gift.description,
            fund=gift.fund,
            given_on=gift.given_on,
            anonymity=gift.anonymity,
            plan_id=plan_id,
            split_id=gift.split_id,
            receipts=[ReceiptOut.of(receipt) for receipt in gift.receipts],
        )


class GiftInList(GiftOut):
    """A gift with the tag that a change of it is decided upon."""

    version: str = Field(description="The gift's `ETag`: what `If-Match` takes.")


class GiftPage(BaseModel):
    """A page of gifts, the newest first; pass `next_cursor` as `cursor` for older ones."""

    data: list[GiftInList]
    has_more: bool
    next_cursor: str | None

    @classmethod
    def of(cls, page: Page[OwnGift], *, plan_of: dict[str, str]) -> Self:
        """The wire form."""
        shown = [GiftOut.of(gift, plan_id=plan_of.get(gift.donation.id)) for gift in page.items]
        return cls(
            data=[GiftInList(**gift.model_dump(), version=etag_of(gift)) for gift in shown],
            has_more=page.next_cursor is not None,
            next_cursor=page.next_cursor,
        )


class AnonymityIn(Request):
    """Who is told the donor's name from now on."""

    anonymity: Anonymity = Field(
        description=(
            "`none`: the donor may be named in public. `public`: only the organisation is told. `organization`: it is not "
            "told either."
        )
    )


class LetterAsked(BaseModel):
    """A receipt is on its way."""

    detail: str = "The receipt is on its way to the address that the gift has."


class DocumentIn(Request):
    """Which document: `receipt` needs `donation_id` and `receipt_id`, `proof` `donation_id`, `statement` `organization_id`
    and `year`.
    """

    kind: DocumentKind
    donation_id: Identifier | None = None
    receipt_id: Identifier | None = None
    organization_id: Identifier | None = None
    year: Annotated[int, Field(ge=2000, le=2199)] | None = None
    language: Language | None = Field(
        default=None, description="Of a statement; receipts have the one they have."
    )

    def wanted(self) -> DocumentRequest:
        """What this request asks for.

        Raises:
            DocumentNotAcceptable: Something that such a document needs is missing.
        """
        needed = {
            DocumentKind.RECEIPT: ("donation_id", "receipt_id"),
            DocumentKind.PROOF: ("donation_id",),
            DocumentKind.STATEMENT: ("organization_id", "year"),
        }
        for name in needed[self.kind]:
            if getattr(self, name) is None:
                raise DocumentNotAcceptable(f"Give {name}: a {self.kind} needs it.", param=name)
        return DocumentRequest(**self.model_dump())


class DocumentOut(BaseModel):
    """How a document stands; once it is `ready`, `…/content` has it for an hour from when it was asked for."""

    id: str
    kind: DocumentKind
    state: DocumentState
    filename: str | None
    expires_at: str

    @classmethod
    def of(cls, document: Document) -> Self:
        """The wire form."""
        return cls(
            id=document.id,
            kind=document.kind,
            state=document.state,
            filename=document.filename,
            expires_at=iso(document.expires_at),
        )
