"""API schemas of public organisation data."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from amply.kernel.clock import iso
from amply.modules.ledger import Visibility, VisibilityOut, VisibilityPolicy
from amply.modules.organizations.domain import Organization, Picture, PictureKind
from amply.modules.organizations.funds import Fund, FundKind


class PublicOrganization(BaseModel):
    """What anyone may see of an organisation."""

    id: str
    slug: str
    name: str
    country: str
    created_at: str
    state: str = Field(
        description="`verified`, or `suspended`: then it takes no gifts for now. Its own people see how far it is before."
    )
    takes_anonymous_gifts: bool = Field(
        description="Whether a gift may keep its donor from the organisation."
    )
    return_origins: list[str] = Field(
        description="The sites, such as `https://charity.example`, that the donation page sends donors back to."
    )

    @classmethod
    def of(cls, organization: Organization) -> "PublicOrganization":
        """The public view of `organization`."""
        return cls(
            id=organization.id,
            slug=organization.slug,
            name=organization.name,
            country=organization.country,
            created_at=iso(organization.created_at),
            state=organization.state,
            takes_anonymous_gifts=organization.takes_anonymous_gifts,
            return_origins=list(organization.return_origins),
        )


class ProfileTextOut(BaseModel):
    """What an organisation says of itself in one language."""

    tagline: str
    about: str


class PictureFileOut(BaseModel):
    """One size of a picture, in one format. What is at its address never changes."""

    url: str
    media_type: str
    width: int
    height: int


class PictureOut(BaseModel):
    """A picture that an organisation shows of itself, in pixels."""

    url: str = Field(description="In the format that everybody reads, PNG or JPEG.")
    width: int
    height: int
    alt: dict[str, str] = Field(description="What it shows, in `en`, `de` and `fr`.")
    sources: list[PictureFileOut] = Field(description="The same as WebP, the largest first.")

    @classmethod
    def of(cls, picture: Picture | None, *, site_url: str) -> "PictureOut | None":
        """The view of a picture; nothing of none."""
        if picture is None:
            return None
        files = [
            PictureFileOut(**{**asdict(each), "url": f"{site_url}/{each.path}"}) for each in picture.files
        ]
        first, *sources = files
        return cls(
            url=first.url,
            width=first.width,
            height=first.height,
            alt=dict(picture.alt),
            sources=sources,
        )


class PublicProfile(PublicOrganization):
    """What anyone may see of one organisation. What it writes is text, never markup."""

    website: str | None
    sdgs: list[int] = Field(description="The United Nations' goals that it works for, 1 to 17.")
    texts: dict[str, ProfileTextOut] = Field(description="By language, such as `en`; there may be none.")
    logo: PictureOut | None = Field(description="Square, and clear where it has nothing.")
    banner: PictureOut | None = Field(description="Three times as wide as it is high.")


def _profile(organization: Organization, *, site_url: str) -> dict[str, Any]:
    shown = {
        kind.value: PictureOut.of(organization.pictures.get(kind), site_url=site_url) for kind in PictureKind
    }
    return {
        **shown,
        **PublicOrganization.of(organization).model_dump(),
        "website": organization.website,
        "sdgs": list(organization.sdgs),
        "texts": {language: asdict(said) for language, said in organization.texts.items()},
    }


class PublicFund(BaseModel):
    """Something that gifts can be restricted to. The ledger counts them on `ORGANISATION/gifts/ID`."""

    id: str
    name: str
    kind: str = Field(description="`fund`, `project` or `campaign`.")
    is_open: bool = Field(description="Whether a gift can be for it now.")
    account: str = Field(description="The ledger's account of what was given for it.")

    @classmethod
    def of(cls, fund: Fund) -> "PublicFund":
        """The public view of `fund`."""
        return cls(
            id=fund.id,
            name=fund.name,
            kind=fund.kind,
            is_open=fund.closed_at is None,
            account=f"{fund.organization_id}/gifts/{fund.id}",
        )


class PublicFunds(BaseModel):
    """All funds of an organisation, the oldest first; there are 200 at most."""

    data: list[PublicFund]


class ExpandedOrganization(PublicOrganization):
    """What anyone may see of an organisation, with what they asked to see besides."""

    funds: list[PublicFund] | None = Field(
        default=None, description="All of them, the oldest first; null without `expand=funds`."
    )

    @classmethod
    def showing(cls, organization: Organization, funds: Sequence[Fund] | None) -> "ExpandedOrganization":
        """The public view of `organization` with its funds, where they were asked for."""
        return cls(**PublicOrganization.of(organization).model_dump(), funds=_shown(funds))


class ExpandedProfile(PublicProfile):
    """What anyone may see of one organisation, with what they asked to see besides."""

    funds: list[PublicFund] | None = Field(
        default=None, description="All of them, the oldest first; null without `expand=funds`."
    )

    @classmethod
    def showing(
        cls, organization: Organization, funds: Sequence[Fund] | None, *, site_url: str
    ) -> "ExpandedProfile":
        """The profile of `organization` with its funds, where they were asked for."""
        return cls(**_profile(organization, site_url=site_url), funds=_shown(funds))


def _shown(funds: Sequence[Fund] | None) -> list[PublicFund] | None:
    return None if funds is None else [PublicFund.of(fund) for fund in funds]


class PublicOrganizationPage(BaseModel):
    """A page of organisations; pass `next_cursor` as `cursor` for the next one."""

    data: list[ExpandedOrganization]
    has_more: bool
    next_cursor: str | None


class OwnOrganization(PublicProfile):
    """What its members and programs see of an organisation. Its `ETag` is what a change names as `If-Match`."""

    ledger_visibility: VisibilityOut = Field(description="What its pages show of its ledger.")

    @classmethod
    def showing(
        cls, organization: Organization, visibility: VisibilityPolicy, *, site_url: str
    ) -> "OwnOrganization":
        """The view of those who are in it."""
        shown = VisibilityOut.of(visibility)
        return cls(**_profile(organization, site_url=site_url), ledger_visibility=shown)


class Request(BaseModel):
    """What is asked for; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ProfileTextIn(Request):
    """What it says of itself in one language."""

    tagline: Annotated[str, Field(max_length=200)]
    about: Annotated[str, Field(max_length=5000)]


class LedgerVisibilityIn(Request):
    """What the organisation's pages show of its ledger; the log shows everything whatever is chosen."""

    policy: Annotated[
        Visibility, Field(description="All entries, sums by day, entries of a certain age, or nothing.")
    ]
    delay_days: Annotated[int | None, Field(description="With `delayed` alone: 1 to 1096.")] = None
    minimum: Annotated[int | None, Field(description="With `aggregated` alone: 2 to 1000 entries a sum.")] = (
        None
    )


class OrganizationChange(Request):
    """What is to be changed; what is left out, or null, stays."""

    name: Annotated[str | None, Field(max_length=200)] = None
    takes_anonymous_gifts: bool | None = None
    return_origins: Annotated[
        list[Annotated[str, Field(max_length=300)]] | None,
        Field(max_length=100, description="All of them: what is not in the list is forbidden from now on."),
    ] = None
    website: Annotated[str | None, Field(max_length=300, description="Empty: it has none any more.")] = None
    sdgs: Annotated[list[Annotated[int, Field(ge=1, le=17)]] | None, Field(max_length=17)] = None
    texts: Annotated[
        dict[Annotated[str, Field(pattern="^[a-z]{2}$")], ProfileTextIn] | None,
        Field(
            max_length=20,
            description="By language, ISO 639-1. All of them: a language that is left out is gone from now on.",
        ),
    ] = None
    ledger_visibility: Annotated[
        LedgerVisibilityIn | None, Field(description="Owners alone change it; pages follow within a minute.")
    ] = None


class FundIn(Request):
    """A fund to create."""

    name: Annotated[str, Field(max_length=200, description="As donors read it.")]
    kind: FundKind = FundKind.FUND


class FundChange(Request):
    """A fund's new name. Once somebody has given for it, it keeps the one it has."""

    name: Annotated[str, Field(max_length=200)]
