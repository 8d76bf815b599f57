"""The donor page behind a signed link: gifts, receipts and yearly statements beside recurring plans. Import from here only."""

from typing import TYPE_CHECKING

from amply.modules.giving.documents import TOPIC_DOCUMENT_REQUESTED, make_documents
from amply.modules.giving.erasure import forget
from amply.modules.giving.letters import TOPIC_LINK_ASKED, sealed_rows, send_links

if TYPE_CHECKING:
    from fastapi import APIRouter

__all__ = [
    "TOPIC_DOCUMENT_REQUESTED",
    "TOPIC_LINK_ASKED",
    "forget",
    "make_documents",
    "routers",
    "sealed_rows",
    "send_links",
]


def routers() -> "tuple[APIRouter]":
    """The module's routes, imported lazily: only the API needs them, and building them is as slow as the rest of the module."""
    from amply.modules.giving import router  # noqa: PLC0415 -- see above

    return (router.router,)
