"""Donors' consent to sharing facts of their gifts, and the facts that leave the platform. Import from here only."""

from amply.infra.vault.tending import Tended, of_records
from amply.modules.sharing.domain import Decision, Purpose, ToldConsent
from amply.modules.sharing.models import SpanRow
from amply.modules.sharing.ports import ConsentTable, FileMoved, RawFiles
from amply.modules.sharing.router import router
from amply.modules.sharing.service import FACT_CHANGED, Ticks, forget
from amply.modules.sharing.telling import Sharing, tell_consents
from amply.modules.sharing.writing import write_facts

__all__ = [
    "FACT_CHANGED",
    "ConsentTable",
    "Decision",
    "FileMoved",
    "Purpose",
    "RawFiles",
    "Sharing",
    "Ticks",
    "ToldConsent",
    "forget",
    "router",
    "tell_consents",
    "tended",
    "write_facts",
]


def tended() -> Tended:
    """What the vault keeps sealed by the newest keys."""
    return of_records(SpanRow)
