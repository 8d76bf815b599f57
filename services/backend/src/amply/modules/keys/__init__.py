"""API keys of organisations. Import from here only."""

from typing import TYPE_CHECKING

from amply.modules.keys.callers import KeyCallers
from amply.modules.keys.domain import PATTERN, KeyNotFound
from amply.modules.keys.schemas import KeyMade
from amply.modules.keys.service import make

if TYPE_CHECKING:
    from fastapi import APIRouter

__all__ = ["PATTERN", "KeyCallers", "KeyMade", "KeyNotFound", "make", "routers"]


def routers() -> "tuple[APIRouter]":
    """The module's routes, imported lazily: only the API needs them, and building them is as slow as the rest of the module."""
    from amply.modules.keys import router  # noqa: PLC0415 -- see above

    return (router.router,)
