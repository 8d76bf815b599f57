"""Seller portal: an organisation's datasets, consents, releases, usage and revenue.

Import from here only. Nothing is changed here: what is seen is written by others.
"""

from typing import TYPE_CHECKING

from amply.modules.seller_portal.domain import SHARED, Dataset, Release, Share, Use
from amply.modules.seller_portal.ports import Certificates, Dependencies, SoldTables, TablesAway

if TYPE_CHECKING:
    from fastapi import APIRouter

__all__ = [
    "SHARED",
    "Certificates",
    "Dataset",
    "Dependencies",
    "Release",
    "Share",
    "SoldTables",
    "TablesAway",
    "Use",
    "routers",
]


def routers() -> "tuple[APIRouter]":
    """The module's routes, imported lazily: only the API needs them, and building them is as slow as the rest of the module."""
    from amply.modules.seller_portal import router  # noqa: PLC0415 -- see above

    return (router.router,)
