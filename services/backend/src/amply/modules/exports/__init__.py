"""Export files of an organisation's data: requested over the API, made by the worker, downloaded by short-lived links."""

from typing import TYPE_CHECKING

from amply.modules.exports.domain import KEPT
from amply.modules.exports.export_jobs import ExportJobs, make_exports
from amply.modules.exports.ports import ExportStore
from amply.modules.exports.service import TOPIC_EXPORT_REQUESTED, withdraw

if TYPE_CHECKING:
    from fastapi import APIRouter

__all__ = [
    "KEPT",
    "TOPIC_EXPORT_REQUESTED",
    "ExportJobs",
    "ExportStore",
    "make_exports",
    "routers",
    "withdraw",
]


def routers() -> "tuple[APIRouter]":
    """The module's routes, imported lazily: only the API needs them, and building them is as slow as the rest of the module."""
    from amply.modules.exports import router  # noqa: PLC0415 -- see above

    return (router.router,)
