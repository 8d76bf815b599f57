"""Organisations as the public API shows them."""

from pydantic import BaseModel

from amply.kernel.clock import iso
from amply.modules.organizations.domain import Organization


class PublicOrganization(BaseModel):
    """What anyone may see of an organisation."""

    id: str
    slug: str
    name: str
    country: str
    created_at: str

    @classmethod
    def of(cls, organization: Organization) -> "PublicOrganization":
        """The public view of `organization`."""
        return cls(
            id=organization.id,
            slug=organization.slug,
            name=organization.name,
            country=organization.country,
            created_at=iso(organization.created_at),
        )


class PublicOrganizationPage(BaseModel):
    """A page of organisations; pass `next_cursor` as `cursor` for the next one."""

    data: list[PublicOrganization]
    has_more: bool
    next_cursor: str | None
