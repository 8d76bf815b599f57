"""The donor page behind a signed link: gifts, receipts and yearly statements beside recurring plans. Import from here only."""

from typing import TYPE_CHECKING

from amply.modules.giving.documents import TOPIC_DOCUMENT_REQUESTED, make_documents
from amply.modules.giving.erasure import forget
from amply.modules.giving.letters import TOPIC_LINK_ASKED, send_links, tended

if TYPE_CHECKING:
    from fastapi import APIRouter

__all__ = [
    "TOPIC_DOCUMENT_REQUESTED",
    "TOPIC_LINK_ASKED",
    "forget",
    "make_documents",
    "routers",
    "send_links",
    "tended",
]


def routers() -> "tuple[APIRouter]":
    """Its routes, which the API alone loads: to make them takes as long as everything else of a module."""
    from amply.modules.giving import router  # noqa: PLC0415 -- see above

    return (router.router,)
