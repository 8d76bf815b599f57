"""SCIM 2.0: an organisation's directory says who is in it, and in which groups. Import from here only."""

from amply.modules.scim.endpoint import PREFIX, Parts, refusal
from amply.modules.scim.endpoint import router as scim_router
from amply.modules.scim.listing import Listing
from amply.modules.scim.shelf import tended
from amply.modules.scim.token_router import router

__all__ = ["PREFIX", "Listing", "Parts", "refusal", "router", "scim_router", "tended"]
