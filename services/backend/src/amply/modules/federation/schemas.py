"""API schemas of federated sign-in."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from amply.kernel.clock import iso, iso_or_none
from amply.modules import people
from amply.modules.access import Role
from amply.modules.federation.domain import GROUPS_MAX, Connection, Domain

GroupName = Annotated[str, Field(min_length=1, max_length=people.GROUP_LENGTH_MAX)]


class In(BaseModel):
    """Unknown fields are refused: a misspelt one must not be ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ConnectionIn(In):
    """How people of the organisation sign in."""

    issuer: Annotated[
        str,
        Field(
            min_length=8,
            max_length=500,
            pattern=r"^https?://[\x21-\x7e]+$",
            description="The provider's issuer identifier, character by character.",
            examples=["https://id.river-trust.example"],
        ),
    ]
    client_id: Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[\x21-\x7e]+$")]
    client_secret: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=1000,
            pattern=r"^[\x20-\x7e]+$",
            description="Never shown again. Left out, the one that is kept stays.",
        ),
    ] = None
    default_role: Annotated[
        Role | None,
        Field(description="What whoever is in none of the groups is; without it they have no role."),
    ] = None
    group_roles: Annotated[
        dict[GroupName, Role],
        Field(
            max_length=GROUPS_MAX, description="What members of a group are here. Nobody becomes an owner so."
        ),
    ] = Field(default_factory=dict)
    is_required: Annotated[bool, Field(description="Whether members sign in no other way.")] = False


class ConnectionOut(BaseModel):
    """How people of the organisation sign in. The client's secret is shown to nobody."""

    issuer: str
    client_id: str
    default_role: Role | None
    group_roles: dict[str, Role]
    is_required: bool
    redirect_address: str = Field(description="What to register at the provider, exactly so.")
    changed_at: str

    @classmethod
    def of(cls, connection: Connection, *, redirect: str) -> Self:
        """The wire form."""
        return cls(
            issuer=connection.issuer,
            client_id=connection.client_id,
            default_role=connection.default_role,
            group_roles=dict(connection.group_roles),
            is_required=connection.is_required,
            redirect_address=redirect,
            changed_at=iso(connection.changed_at),
        )


class DomainIn(In):
    """A domain that is the organisation's."""

    domain: Annotated[str, Field(min_length=4, max_length=253, examples=["river-trust.example"])]


class DomainOut(BaseModel):
    """A domain, and the record in its DNS that shows whose it is."""

    domain: str
    record_name: str
    record_type: str = "TXT"
    record_text: str
    verified_at: str | None
    checked_at: str | None

    @classmethod
    def of(cls, domain: Domain) -> Self:
        """The wire form."""
        return cls(
            domain=domain.domain,
            record_name=domain.record_name,
            record_text=domain.record_text,
            verified_at=iso_or_none(domain.verified_at),
            checked_at=iso_or_none(domain.checked_at),
        )


class DomainList(BaseModel):
    """Twenty at most, by name."""

    data: list[DomainOut]


class AddressIn(In):
    """Whose organisation is looked for."""

    email: Annotated[str, Field(min_length=3, max_length=320, examples=["ada@river-trust.example"])]


class FoundOut(BaseModel):
    """The provider that addresses of this domain sign in by; nothing where the domain is no organisation's."""

    provider: str | None
    name: str | None
