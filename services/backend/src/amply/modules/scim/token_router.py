"""`/v1/organisations/{organization_id}/directory-tokens`: SCIM tokens of an organisation."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from amply.infra.web import Identifier, responses
from amply.kernel.clock import iso, iso_or_none
from amply.modules.access import PROBLEMS, Access, Permission, allowed
from amply.modules.scim import tokens
from amply.modules.scim.domain import Secret, Token, TokenNotFound, TooManyTokens

router = APIRouter(
    prefix="/v1/organisations/{organization_id}/directory-tokens", tags=["Sign-in of organisations"]
)

Reading = Annotated[Access, allowed(Permission.SIGN_IN_READ)]
Changing = Annotated[Access, allowed(Permission.SIGN_IN_CHANGE)]


class DirectoryTokenOut(BaseModel):
    """A token, without its secret."""

    id: str
    last_four: str
    created_by: str = Field(description="The `person_id` of the member who made it.")
    created_at: str
    revoked_at: str | None
    last_used_at: str | None = Field(description="To the minute; null: never.")

    @classmethod
    def of(cls, token: Token) -> "DirectoryTokenOut":
        """The wire form."""
        return cls(
            id=token.id,
            last_four=token.last_four,
            created_by=token.created_by,
            created_at=iso(token.created_at),
            revoked_at=iso_or_none(token.revoked_at),
            last_used_at=iso_or_none(token.last_used_at),
        )


class DirectoryTokenMade(DirectoryTokenOut):
    """A token that was just made."""

    secret: str = Field(description="Shown this once. Give it to the directory.")

    @classmethod
    def with_secret(cls, token: Token, secret: Secret) -> "DirectoryTokenMade":
        """The only answer with a secret in it."""
        return cls(**DirectoryTokenOut.of(token).model_dump(), secret=secret.text)


class DirectoryTokenList(BaseModel):
    """The newest first, and then those that are revoked."""

    data: list[DirectoryTokenOut]


@router.get("", summary="List the directory's tokens", responses=responses(*PROBLEMS))
def list_directory_tokens(access: Reading) -> DirectoryTokenList:
    with access.transaction() as session:
        found = tokens.tokens_of(session, access)
    return DirectoryTokenList(data=[DirectoryTokenOut.of(each) for each in found])


@router.post(
    "",
    status_code=201,
    summary="Make a token for the organisation's directory",
    responses=responses(*PROBLEMS, TooManyTokens),
)
def make_directory_token(access: Changing) -> DirectoryTokenMade:
    """For `/scim/v2`. Two work at a time, for rotation."""
    with access.transaction() as session:
        return DirectoryTokenMade.with_secret(*tokens.make(session, access))


@router.delete(
    "/{token_id}", summary="Revoke a token of the directory", responses=responses(*PROBLEMS, TokenNotFound)
)
def revoke_directory_token(token_id: Identifier, access: Changing) -> DirectoryTokenOut:
    """At once. Who is in the organisation stays as the directory last said."""
    with access.transaction() as session:
        return DirectoryTokenOut.of(tokens.revoke(session, access, token_id=token_id))
