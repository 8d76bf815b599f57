"""Applications of organisations to join the platform: documents, register checks, staff decisions (ADR 0118 to 0120). Import
from here only.
"""

from typing import TYPE_CHECKING

from amply.modules.applications.dependencies import Dependencies
from amply.modules.applications.documents import (
    BYTES_MAX,
    READ_WITHIN,
    document_for_staff,
    documents_for_staff,
)
from amply.modules.applications.domain import (
    REVIEW_ACTIONS,
    TOPIC_DOCUMENT_REMOVED,
    TOPIC_LETTER_OWED,
    TOPIC_REGISTER_ASKED,
    ApplicationNotFound,
    Lookup,
    ReviewAction,
)
from amply.modules.applications.models import ApplicationRow
from amply.modules.applications.ports import (
    DocumentStore,
    People,
    Register,
    RegisterEntry,
    RegisterUnavailable,
)
from amply.modules.applications.queries import application_for_staff, count_late, last_lookup, waiting
from amply.modules.applications.review_transitions import by_staff, verify
from amply.modules.applications.tasks import (
    ApplicationTaskDependencies,
    ask_registers,
    count_untold,
    sealed_rows,
    tidy_documents,
    write_letters,
)
from amply.modules.applications.tier_growth import count_overdue, outgrowing, tell, verify_for, watch
from amply.modules.applications.tiers import TIERS, Tier

if TYPE_CHECKING:
    from fastapi import APIRouter

__all__ = [
    "BYTES_MAX",
    "READ_WITHIN",
    "REVIEW_ACTIONS",
    "TIERS",
    "TOPIC_DOCUMENT_REMOVED",
    "TOPIC_LETTER_OWED",
    "TOPIC_REGISTER_ASKED",
    "ApplicationNotFound",
    "ApplicationRow",
    "ApplicationTaskDependencies",
    "Dependencies",
    "DocumentStore",
    "Lookup",
    "People",
    "Register",
    "RegisterEntry",
    "RegisterUnavailable",
    "ReviewAction",
    "Tier",
    "application_for_staff",
    "ask_registers",
    "by_staff",
    "count_late",
    "count_overdue",
    "count_untold",
    "document_for_staff",
    "documents_for_staff",
    "last_lookup",
    "outgrowing",
    "routers",
    "sealed_rows",
    "tell",
    "tidy_documents",
    "verify",
    "verify_for",
    "waiting",
    "watch",
    "write_letters",
]


def routers() -> "tuple[APIRouter, APIRouter]":
    """The module's routes, imported lazily: only the API needs them, and building them is as slow as the rest of the module."""
    from amply.modules.applications import router  # noqa: PLC0415 -- see above

    return router.router, router.own_router
