"""Worker tasks for plans, every half minute in bounded batches. Safe to run twice, concurrently, or after a crash."""

from dataclasses import dataclass
from datetime import datetime

from amply.kernel.clock import Clock
from amply.modules.recurring import contested
from amply.modules.recurring.cards import Cards, finish_waiting_cards
from amply.modules.recurring.charge_attempts import CollectionDependencies
from amply.modules.recurring.collecting import collect
from amply.modules.recurring.letters import PlanLetterDependencies, send_due
from amply.modules.recurring.opening import announce_due, end_abandoned, open_due


@dataclass(frozen=True, kw_only=True)
class RecurringTaskDependencies:
    """Dependencies of the recurring tasks."""

    collecting: CollectionDependencies
    writing: PlanLetterDependencies
    clock: Clock


def collect_due(parts: RecurringTaskDependencies, *, now: datetime) -> int:
    """Open due charges, then advance every charge by one step; return how many were attempted."""
    database = parts.collecting.database
    announce_due(database, now=now)
    open_due(database, now=now)
    finish_waiting_cards(Cards(database=database, saved=parts.collecting.saved, clock=parts.clock), now=now)
    looked = collect(parts.collecting, now=now)
    end_abandoned(database, now=now)
    return looked


def pause_contested(parts: RecurringTaskDependencies, *, donation_id: str, now: datetime) -> bool:
    """Pause the plan of a disputed gift; False if there is none that is charged."""
    return contested.pause_contested(parts.collecting.database, donation_id=donation_id, now=now)


def send_letters(parts: RecurringTaskDependencies, *, now: datetime) -> int:
    """Send due letters; return how many were handed over."""
    return send_due(parts.writing, now=now)
