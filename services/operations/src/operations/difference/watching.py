"""Alarms and canaries that go, or go silent: after the change nobody hears of what they watched."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from operations.difference.changes import ENDS, Change, Kind

WATCHERS: Final = {
    "AWS::CloudWatch::Alarm": "alarm",
    "AWS::CloudWatch::CompositeAlarm": "alarm",
    "AWS::Logs::MetricFilter": "count of log lines",
    "AWS::Synthetics::Canary": "canary",
    "AWS::Budgets::Budget": "budget",
}
_THRESHOLDS: Final = (
    "ComparisonOperator",
    "DatapointsToAlarm",
    "EvaluationPeriods",
    "Threshold",
    "TreatMissingData",
)


@dataclass(frozen=True, kw_only=True)
class Silence:
    """What no longer watches, or watches differently."""

    name: str
    kind: str
    says: str


def silenced(changes: tuple[Change, ...]) -> tuple[Silence, ...]:
    """Every watcher that goes, loses its voice or gets another threshold."""
    return tuple(
        Silence(name=change.name, kind=WATCHERS[change.type], says=says)
        for change in changes
        if change.type in WATCHERS
        for says in _losses(change)
    )


def _losses(change: Change) -> Iterator[str]:
    if change.kind in ENDS and not change.after:
        yield "is removed"
        return
    was, becomes = (body.get("Properties", {}) for body in (change.before, change.after))
    if change.kind is Kind.ADDED:
        return
    if was.get("ActionsEnabled", True) and not becomes.get("ActionsEnabled", True):
        yield "tells nobody any more: its actions are switched off"
    if was.get("AlarmActions") and not becomes.get("AlarmActions"):
        yield "tells nobody any more: it has no action"
    for altered in change.altered:
        if altered.name in _THRESHOLDS:
            yield f"judges differently: {altered.name} was {altered.before}, becomes {altered.after}"
