"""Reads the metric of refused releases and its alarm."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from local_cloud.cloud import Cloud
from local_cloud.demo.waiting import until
from local_cloud.failures import LocalCloudError
from local_cloud.settings import ENVIRONMENT

_ALARM: Final = f"amply-{ENVIRONMENT}-k-anon-violations"
_LINE: Final = "k_anon_violation"
"""The word that the metric's filter looks for in the log (`stacks/lake/arrival_alarms.py`)."""
_RINGING: Final = "ALARM"
_LINE_SECONDS_MAX: Final = 30.0
_COUNT_SECONDS_MAX: Final = 30.0
_ALARM_SECONDS_MAX: Final = 30.0


class ViolationAlarm:
    """The alarm on refused releases.

    Filter, metric and alarm are the deployed ones: the emulated cloud counts the line by the filter, and judges the alarm when the point comes. One that
    rings already changes nothing then.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def line(self, dataset: str, *, since: datetime) -> dict[str, Any]:
        """The newest line of the log about a dataset, since a moment.

        Raises:
            LocalCloudError: There is none.
        """
        return until(
            lambda: self._newest(dataset, since),
            seconds=_LINE_SECONDS_MAX,
            otherwise=f"No line {_LINE} about {dataset} was logged; 'make logs PART=releases' says more.",
        )

    def counts(self, *, since: datetime) -> str:
        """Which metric counted such a line since a moment.

        Raises:
            LocalCloudError: None did.
        """
        alarm = self._alarm()
        name, namespace = str(alarm["MetricName"]), str(alarm["Namespace"])
        until(
            lambda: self._sum(namespace, name, since) or None,
            seconds=_COUNT_SECONDS_MAX,
            otherwise=f"The metric {name} did not count the line {_LINE}; 'make logs PART=cloud' says more.",
        )
        return f"{namespace} {name}"

    def rang(self, *, since: datetime) -> str:
        """Why it did since a moment, or that it still does since an earlier one. To be asked once the metric has counted (`counts`).

        It may be quiet again: a minute without such a line is enough.

        Raises:
            LocalCloudError: It did neither.
        """
        return until(
            lambda: self._reason(since),
            seconds=_ALARM_SECONDS_MAX,
            otherwise=f"The alarm {_ALARM} did not ring; 'make logs PART=cloud' says more.",
        )

    def _reason(self, since: datetime) -> str | None:
        alarm = self._alarm()
        # Alarm and history have whole seconds.
        changed, start = alarm["StateUpdatedTimestamp"], since.replace(microsecond=0)
        is_ringing = alarm["StateValue"] == _RINGING
        if is_ringing and changed >= start:
            return str(alarm["StateReason"])
        history = self._cloud.cloudwatch.describe_alarm_history(
            AlarmName=_ALARM, HistoryItemType="StateUpdate", StartDate=start
        )["AlarmHistoryItems"]
        states = [json.loads(item["HistoryData"])["newState"] for item in history]
        rung = next((str(each["stateReason"]) for each in states if each["stateValue"] == _RINGING), None)
        if rung is None and is_ringing:
            began = changed.astimezone(UTC)
            return f"rings still, since {began:%H:%M:%S} UTC, also after the metric counted this line: {alarm['StateReason']}"
        return rung

    def _alarm(self) -> dict[str, Any]:
        found = self._cloud.cloudwatch.describe_alarms(AlarmNames=[_ALARM])["MetricAlarms"]
        if not found:
            raise LocalCloudError(f"There is no alarm {_ALARM}; type 'make local' again.")
        alarm: dict[str, Any] = found[0]
        return alarm

    def _sum(self, namespace: str, name: str, since: datetime) -> float:
        answer = self._cloud.cloudwatch.get_metric_statistics(
            Namespace=namespace,
            MetricName=name,
            StartTime=since,
            EndTime=datetime.now(UTC) + timedelta(minutes=1),
            Period=60,
            Statistics=["Sum"],
        )
        return float(sum(point["Sum"] for point in answer["Datapoints"]))

    def _newest(self, dataset: str, since: datetime) -> dict[str, Any] | None:
        log = self._cloud.settings.log_of("releases").read_text().splitlines()
        lines = [json.loads(line) for line in log if _LINE in line]
        return next(
            (
                line
                for line in reversed(lines)
                if line["dataset"] == dataset and datetime.fromisoformat(line["timestamp"]) >= since
            ),
            None,
        )
