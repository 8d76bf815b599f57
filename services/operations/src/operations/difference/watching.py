"""Alarms and canaries that a change removes or disables."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from operations.difference.changes import Altered, Change

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
    """An alarm or canary that is removed, or changed in `altered`."""

    name: str
    kind: str
    says: str
    altered: Altered | None = None


def silenced(changes: tuple[Change, ...]) -> tuple[Silence, ...]:
    """Every watcher that goes, loses its voice or gets another threshold."""
    return tuple(loss for change in changes if change.type in WATCHERS for loss in _losses(change))


def _losses(change: Change) -> Iterator[Silence]:
    silence = partial(Silence, name=change.name, kind=WATCHERS[change.type])
    if not change.after:
        yield silence(says="is removed")
    if not (change.before and change.after):
        return
    was, becomes = (body.get("Properties", {}) for body in (change.before, change.after))
    if was.get("ActionsEnabled", True) and not becomes.get("ActionsEnabled", True):
        yield silence(says="tells nobody any more: its actions are switched off")
    if was.get("AlarmActions") and not becomes.get("AlarmActions"):
        yield silence(says="tells nobody any more: it has no action")
    for altered in change.altered:
        if altered.name in _THRESHOLDS:
            yield silence(says="judges differently", altered=altered)
