"""API schemas of onboarding."""

from pydantic import BaseModel, Field

from amply.kernel.clock import iso
from amply.modules.organizations import Organization
from amply.modules.payments import OnboardingLink, Readiness


class TakesGifts(BaseModel):
    """Whether an organisation takes gifts by the payment processor, as anyone may see it."""

    takes_gifts: bool
    reason: str | None = Field(description="Why it does not, in one sentence for donors.")

    @classmethod
    def of(cls, found: Readiness) -> "TakesGifts":
        """The public view of an account's state."""
        return cls(takes_gifts=found.takes_gifts, reason=found.for_donors)


class OnboardingOut(BaseModel):
    """What invited staff see of their organisation."""

    organization_id: str
    name: str
    takes_gifts: bool
    status: str | None = Field(description="The account's state at the processor; null where there is none.")
    reason: str | None = Field(description="Why it takes no gifts, in one sentence for its staff.")
    can_continue: bool = Field(description="Whether a link to the processor's onboarding would help.")

    @classmethod
    def of(cls, organization: Organization, found: Readiness) -> "OnboardingOut":
        """The staff's view."""
        return cls(
            organization_id=organization.id,
            name=organization.name,
            takes_gifts=found.takes_gifts,
            status=found.status,
            reason=found.for_staff,
            can_continue=found.can_continue,
        )


class LinkOut(BaseModel):
    """Where the processor asks its questions. Good for one visit; go there at once and keep it nowhere."""

    url: str
    expires_at: str

    @classmethod
    def of(cls, link: OnboardingLink) -> "LinkOut":
        """The link as it is answered, once."""
        return cls(url=link.url, expires_at=iso(link.expires_at))
