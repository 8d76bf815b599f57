"""API schemas of API keys."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from amply.kernel.clock import iso, iso_or_none
from amply.modules.access import Scope
from amply.modules.keys.domain import LIFETIME_DAYS_MAX, ApiKey, Secret


class KeyIn(BaseModel):
    """A key to make."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[
        str, Field(max_length=200, description="What it is for. Two of a name may work at a time: rotation.")
    ]
    scopes: Annotated[set[Scope], Field(min_length=1)]
    lifetime_days: Annotated[
        int | None, Field(ge=1, le=LIFETIME_DAYS_MAX, description="Null: until it is revoked.")
    ] = None


class KeyOut(BaseModel):
    """A key, without its secret."""

    id: str
    name: str
    last_four: str
    is_live: bool = Field(description="False: it moves test money only.")
    scopes: list[Scope]
    created_by: str = Field(description="The `person_id` of the member who made it.")
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    last_used_at: str | None = Field(description="To the minute; null: never.")

    @classmethod
    def of(cls, key: ApiKey) -> "KeyOut":
        """What those who may see keys see."""
        return cls(
            id=key.id,
            name=key.name,
            last_four=key.last_four,
            is_live=key.is_live,
            scopes=sorted(key.scopes),
            created_by=key.created_by,
            created_at=iso(key.created_at),
            expires_at=iso_or_none(key.expires_at),
            revoked_at=iso_or_none(key.revoked_at),
            last_used_at=iso_or_none(key.last_used_at),
        )


class KeyMade(KeyOut):
    """A key that was just made."""

    secret: str = Field(description="Shown this once. Keep it where programs keep secrets.")

    @classmethod
    def with_secret(cls, key: ApiKey, secret: Secret) -> "KeyMade":
        """The only answer with a secret in it."""
        return cls(**KeyOut.of(key).model_dump(), secret=secret.text)


class KeyList(BaseModel):
    """The keys that there are, the newest first, and then those that are revoked; 500 at most."""

    data: list[KeyOut]
