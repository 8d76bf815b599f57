"""Recurring gifts: plans, their charges, letters about them, and donors' own links. Import from here only."""

from amply.modules.recurring.changes import cancel, pause, resume
from amply.modules.recurring.collecting import Collecting
from amply.modules.recurring.domain import (
    ChangedMeanwhile,
    LinkNotValid,
    Plan,
    PlanNotFound,
    PlanStatus,
    Reason,
)
from amply.modules.recurring.erasure import forget
from amply.modules.recurring.letters import Writing
from amply.modules.recurring.links import LinkKey
from amply.modules.recurring.queries import LISTED_MAX, listed, newest_address, plans_of, plans_of_gifts
from amply.modules.recurring.router import CallerOf, Parts, PartsOf, RecurringNotConfigured, router
from amply.modules.recurring.tasks import Recurring, collect_due, send_letters

__all__ = [
    "LISTED_MAX",
    "CallerOf",
    "ChangedMeanwhile",
    "Collecting",
    "LinkKey",
    "LinkNotValid",
    "Parts",
    "PartsOf",
    "Plan",
    "PlanNotFound",
    "PlanStatus",
    "Reason",
    "Recurring",
    "RecurringNotConfigured",
    "Writing",
    "cancel",
    "collect_due",
    "forget",
    "listed",
    "newest_address",
    "pause",
    "plans_of",
    "plans_of_gifts",
    "resume",
    "router",
    "send_letters",
]
