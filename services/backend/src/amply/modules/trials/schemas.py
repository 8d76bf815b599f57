"""API schemas of test organisations."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from amply.modules.keys import KeyMade
from amply.modules.receipts import Language


class TestOrganizationIn(BaseModel):
    """An organisation to try things with."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    __test__ = False  # no class of tests, whatever pytest makes of its name

    name: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
        Field(examples=["Relief of Ada"]),
    ]
    country: Annotated[str, Field(pattern="^[A-Z]{2}$", description="ISO 3166-1 alpha-2.")] = "DE"
    language: Annotated[Language, Field(description="Of the letter about its account at Stripe.")] = (
        Language.EN
    )


class TestOrganizationOut(BaseModel):
    """What was made. Gifts are taken as soon as Stripe has opened its test account: ask `…/takes-gifts`."""

    __test__ = False  # the same

    organization_id: str
    name: str
    key: KeyMade
    processor_url: str = Field(
        description="Where test cards are charged: Stripe, or its stand-in on a laptop."
    )
