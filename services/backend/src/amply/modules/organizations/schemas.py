"""Organisations as the public API shows them."""

from pydantic import BaseModel, Field

from amply.kernel.clock import iso
from amply.modules.organizations.domain import Organization
from amply.modules.organizations.funds import Fund


class PublicOrganization(BaseModel):
    """What anyone may see of an organisation."""

    id: str
    slug: str
    name: str
    country: str
    created_at: str
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
            takes_anonymous_gifts=organization.takes_anonymous_gifts,
            return_origins=list(organization.return_origins),
        )


class PublicOrganizationPage(BaseModel):
    """A page of organisations; pass `next_cursor` as `cursor` for the next one."""

    data: list[PublicOrganization]
    has_more: bool
    next_cursor: str | None


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
