"""API schemas of sign-in by OpenID provider."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field

from amply.kernel.clock import iso
from amply.modules.mail import Language
from amply.modules.people.identities import Identity
from amply.modules.people.schemas import Code, Email, In, LinkToken, Password

ProviderKey = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[a-z0-9_]+$", examples=["google"])]
State = Annotated[
    str,
    Field(min_length=1, max_length=128, description="What came back as `state`."),
]


class OutsideIn(In):
    """By which provider somebody wants to sign in. `email`: what the provider's page may begin with."""

    provider: ProviderKey
    language: Language = Language.EN
    email: Email | None = None


class OutsideBackIn(In):
    """What the provider sent the browser back with."""

    state: State
    code: Annotated[str, Field(min_length=1, max_length=4096)]
    iss: Annotated[str, Field(min_length=1, max_length=500)] | None = None


class OutsideLinkIn(In):
    """What shows that the account is theirs: its password, and a code where there is a second factor."""

    pending: LinkToken
    password: Password
    code: Code | None = None


class IdentityIn(In):
    """Which provider is to sign in."""

    provider: ProviderKey


class OutsideBegun(BaseModel):
    """Where the browser goes now."""

    url: str


class LinkNeededOut(BaseModel):
    """The address has an account here. `pending` goes back with its password within ten minutes."""

    status: Literal["link_required"] = "link_required"
    pending: str


class ProviderOut(BaseModel):
    """A provider that signs people in."""

    key: str
    name: str


class ProviderList(BaseModel):
    """Those for everybody, in the order that they are shown in."""

    data: list[ProviderOut]


class IdentityOut(BaseModel):
    """One provider that signs somebody in. `name` is missing where it is not set up here any more."""

    id: str
    provider: str
    name: str | None
    created_at: str
    last_used_at: str

    @classmethod
    def of(cls, identity: Identity, *, name: str | None) -> Self:
        """The wire form."""
        return cls(
            id=identity.id,
            provider=identity.provider,
            name=name,
            created_at=iso(identity.created_at),
            last_used_at=iso(identity.last_used_at),
        )


class IdentityList(BaseModel):
    """The oldest first."""

    data: list[IdentityOut]
