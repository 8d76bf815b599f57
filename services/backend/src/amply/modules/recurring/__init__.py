"""Recurring gifts: plans, charges, letters, and signed donor links. Import from here only."""

from typing import TYPE_CHECKING

from amply.modules.recurring.callers import CallerOf, PartsOf
from amply.modules.recurring.changes import cancel, cancel_gift_aid, pause, resume
from amply.modules.recurring.charge_attempts import CollectionDependencies
from amply.modules.recurring.dependencies import Dependencies, RecurringNotOffered
from amply.modules.recurring.domain import (
    LinkNotValid,
    Plan,
    PlanNotFound,
    PlanStatus,
    Reason,
)
from amply.modules.recurring.erasure import forget
from amply.modules.recurring.lateness import count_exhausted_letters, count_late, late, unanswered
from amply.modules.recurring.letters import PlanLetterDependencies
from amply.modules.recurring.links import LinkKey
from amply.modules.recurring.queries import (
    LISTED_MAX,
    listed,
    newest_address,
    plans_of,
    plans_of_gifts,
    sealed_rows,
)
from amply.modules.recurring.tasks import (
    RecurringTaskDependencies,
    collect_due,
    pause_contested,
    send_letters,
)

if TYPE_CHECKING:
    from fastapi import APIRouter

__all__ = [
    "LISTED_MAX",
    "CallerOf",
    "CollectionDependencies",
    "Dependencies",
    "LinkKey",
    "LinkNotValid",
    "PartsOf",
    "Plan",
    "PlanLetterDependencies",
    "PlanNotFound",
    "PlanStatus",
    "Reason",
    "RecurringNotOffered",
    "RecurringTaskDependencies",
    "cancel",
    "cancel_gift_aid",
    "collect_due",
    "count_exhausted_letters",
    "count_late",
    "forget",
    "late",
    "listed",
    "newest_address",
    "pause",
    "pause_contested",
    "plans_of",
    "plans_of_gifts",
    "resume",
    "routers",
    "sealed_rows",
    "send_letters",
    "unanswered",
]


def routers() -> "tuple[APIRouter]":
    """The module's routes, imported lazily: only the API needs them, and building them is as slow as the rest of the module."""
    from amply.modules.recurring import router  # noqa: PLC0415 -- see above

    return (router.router,)
