"""Self-service test organisations, in sandboxes only (ADR 0114). Import from here only."""

from typing import TYPE_CHECKING

from amply.modules.trials.dependencies import Dependencies
from amply.modules.trials.domain import are_offered

if TYPE_CHECKING:
    from fastapi import APIRouter

__all__ = ["Dependencies", "are_offered", "routers"]


def routers() -> "tuple[APIRouter]":
    """Its routes, which the API alone loads: to make them takes as long as everything else of a module."""
    from amply.modules.trials import router  # noqa: PLC0415 -- see above

    return (router.router,)
