"""The audit log: who did what to whom, append-only and hash-chained. Import from here only."""

from typing import TYPE_CHECKING

from amply.modules.audit.chain import ChainBroken
from amply.modules.audit.domain import Action, Actor, ActorKind, AuditedAction, Outcome, digested
from amply.modules.audit.ports import ArchiveDiffers, AuditArchive
from amply.modules.audit.queries import LISTED_MAX, Search, search
from amply.modules.audit.sealing import Verified, count_unarchived, seal_and_archive, verify
from amply.modules.audit.service import record, record_by, record_of_person

if TYPE_CHECKING:
    from fastapi import APIRouter

__all__ = [
    "LISTED_MAX",
    "Action",
    "Actor",
    "ActorKind",
    "ArchiveDiffers",
    "AuditArchive",
    "AuditedAction",
    "ChainBroken",
    "Outcome",
    "Search",
    "Verified",
    "count_unarchived",
    "digested",
    "record",
    "record_by",
    "record_of_person",
    "routers",
    "seal_and_archive",
    "search",
    "verify",
]


def routers() -> "tuple[APIRouter]":
    """The module's routes, imported lazily: only the API needs them, and building them is as slow as the rest of the module."""
    from amply.modules.audit import router  # noqa: PLC0415 -- see above

    return (router.router,)
