"""The donors' own page behind its link: their gifts, receipts and years beside their plans. Import from here only."""

from amply.modules.giving.documents import FACT_ASKED, make_documents
from amply.modules.giving.erasure import forget
from amply.modules.giving.letters import send_links, tended
from amply.modules.giving.router import router

__all__ = ["FACT_ASKED", "forget", "make_documents", "router", "send_links", "tended"]
