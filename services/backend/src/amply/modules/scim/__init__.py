"""SCIM 2.0: an organisation's directory provisions its members and groups. Import from here only.

The protocol's models take half a second to load, and the API alone answers by them: they are loaded when it asks.
"""

from fastapi import APIRouter
from starlette.responses import Response

from amply.modules.scim.dependencies import PREFIX, Dependencies
from amply.modules.scim.listing import Listing
from amply.modules.scim.reencryption import sealed_rows

__all__ = ["PREFIX", "Dependencies", "Listing", "refusal", "routers", "sealed_rows"]


def routers() -> tuple[APIRouter, APIRouter]:
    """An organisation's tokens, and the protocol itself."""
    from amply.modules.scim import endpoint, token_router  # noqa: PLC0415 -- see above

    return token_router.router, endpoint.router


def refusal(status: int, detail: str) -> Response:
    """A SCIM error response for an unreadable body."""
    from amply.modules.scim import endpoint  # noqa: PLC0415 -- see above

    return endpoint.refusal(status, detail)
