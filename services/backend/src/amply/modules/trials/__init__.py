"""Self-service test organisations, in sandboxes only (ADR 0114). Import from here only."""

from typing import TYPE_CHECKING

from amply.modules.trials.dependencies import Dependencies
from amply.modules.trials.domain import are_offered

if TYPE_CHECKING:
    from fastapi import APIRouter

__all__ = ["Dependencies", "are_offered", "routers"]


def routers() -> "tuple[APIRouter]":
    """The module's routes, imported lazily: only the API needs them, and building them is as slow as the rest of the module."""
    from amply.modules.trials import router  # noqa: PLC0415 -- see above

    return (router.router,)
