"""Donors' consent to sharing facts about their gifts, and the export of these facts to the lake. Import from here only."""

from typing import TYPE_CHECKING

from amply.infra.vault.reencryption import SealedRows, of_records
from amply.modules.sharing.consent_sync import SharingDependencies, tell_consents
from amply.modules.sharing.domain import Decision, PublishedConsent, Purpose
from amply.modules.sharing.fact_files import write_facts
from amply.modules.sharing.models import SpanRow
from amply.modules.sharing.people_counts import people_by_organization
from amply.modules.sharing.ports import ConsentTable, FileMoved, RawFiles
from amply.modules.sharing.service import TOPIC_CHANGED, Ticks, forget

if TYPE_CHECKING:
    from fastapi import APIRouter

__all__ = [
    "TOPIC_CHANGED",
    "ConsentTable",
    "Decision",
    "FileMoved",
    "PublishedConsent",
    "Purpose",
    "RawFiles",
    "SharingDependencies",
    "Ticks",
    "forget",
    "people_by_organization",
    "routers",
    "sealed_rows",
    "tell_consents",
    "write_facts",
]


def sealed_rows() -> SealedRows:
    """Rows that key rotation re-encrypts."""
    return of_records(SpanRow)


def routers() -> "tuple[APIRouter]":
    """The module's routes, imported lazily: only the API needs them, and building them is as slow as the rest of the module."""
    from amply.modules.sharing import router  # noqa: PLC0415 -- see above

    return (router.router,)
