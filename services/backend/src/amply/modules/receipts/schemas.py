"""API schemas of receipt settings."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from amply.modules.mail import Language
from amply.modules.receipts.domain import Jurisdiction, ReceiptSettings


class ReceiptSettingsOut(BaseModel):
    """How an organisation issues receipts. Its `ETag` is what a change names as `If-Match`."""

    jurisdiction: Jurisdiction = Field(
        description="Under whose law; `none`: gifts are acknowledged, and nothing is said about taxes."
    )
    jurisdictions: list[Jurisdiction] = Field(description="What it may be changed to.")
    is_official: bool = Field(
        description="Whether gifts that fulfil what the law asks get official receipts."
    )
    missing: list[str] = Field(
        description="Fields that the law asks for and that are empty: until then gifts are acknowledged."
    )
    legal_name: str = Field(
        description="It stands on every receipt, and staff change it. As verified where there is a `registration_number`."
    )
    registration_number: str = Field(
        description="As verified: EIN, CRA number, charity or HMRC number, ABN. Staff change it; empty: ask them for it."
    )
    address: list[str] = Field(description="Lines under the legal name.")
    place: str = Field(description="Where receipts are issued (Canada).")
    signatory: str = Field(description="Who signs, with the office held.")
    language: Language = Field(description="Of receipts to donors who chose none.")
    time_zone: str = Field(
        description="IANA name. It says which day, and so which tax year, a gift falls on."
    )
    fiscal_year_starts: int = Field(description="Month, 1 to 12, in which the year of statements begins.")
    brand_colour: str = Field(description="`#rrggbb`; empty: the platform's.")

    @classmethod
    def of(cls, settings: ReceiptSettings, *, offered: tuple[Jurisdiction, ...]) -> "ReceiptSettingsOut":
        """The view of `settings`, which may be changed to one of the jurisdictions `offered`."""
        return cls(
            jurisdiction=settings.jurisdiction,
            jurisdictions=list(offered),
            is_official=settings.jurisdiction is not Jurisdiction.NONE and not settings.missing,
            missing=list(settings.missing),
            legal_name=settings.legal_name,
            registration_number=settings.registration_number,
            address=list(settings.address),
            place=settings.place,
            signatory=settings.signatory,
            language=settings.language,
            time_zone=settings.time_zone,
            fiscal_year_starts=settings.fiscal_year_starts,
            brand_colour=settings.brand_colour,
        )


_Line = Annotated[str, Field(max_length=300)]


class ReceiptSettingsChange(BaseModel):
    """What is to be changed; what is left out, or null, stays. Receipts that were issued do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    jurisdiction: Annotated[
        Jurisdiction | None, Field(description="One of `jurisdictions`: the law of its country, or `none`.")
    ] = None
    address: Annotated[
        list[_Line] | None, Field(max_length=20, description="All lines, without the name.")
    ] = None
    place: _Line | None = None
    signatory: _Line | None = None
    language: Language | None = None
    time_zone: Annotated[str | None, Field(max_length=100)] = None
    fiscal_year_starts: Annotated[int | None, Field(ge=1, le=12)] = None
    brand_colour: Annotated[
        str | None,
        Field(max_length=20, description="Dark enough to be read on white; empty: the platform's."),
    ] = None
