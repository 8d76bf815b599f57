"""The metric of refused releases, and its alarm."""

import json
from datetime import UTC, datetime
from typing import Any, Final

from local_cloud.cloud import Cloud
from local_cloud.demo.waiting import until
from local_cloud.failures import LocalCloudError
from local_cloud.settings import ENVIRONMENT

_ALARM: Final = f"amply-{ENVIRONMENT}-k-anon-violations"
_LINE: Final = "k_anon_violation"
"""The word that the metric's filter looks for in the log (`stacks/lake/arrival_alarms.py`)."""
_LINE_SECONDS_MAX: Final = 30.0
_ALARM_SECONDS_MAX: Final = 30.0


class ViolationAlarm:
    """Rings when a release was refused.

    The emulator keeps filters of logs and counts nothing by them, and no process here writes into its logs: the line is found
    in the process's own log, and one point is put where CloudWatch Logs would count it. The alarm is the deployed one.
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

    def count(self) -> str:
        """Put the point of one such line; which metric it is of."""
        alarm = self._alarm()
        name, namespace = str(alarm["MetricName"]), str(alarm["Namespace"])
        point = {"MetricName": name, "Value": 1.0, "Unit": "Count", "Timestamp": datetime.now(UTC)}
        self._cloud.cloudwatch.put_metric_data(Namespace=namespace, MetricData=[point])
        return f"{namespace} {name}"

    def rings(self) -> str:
        """Why it does.

        Raises:
            LocalCloudError: It does not.
        """
        return until(
            lambda: str(alarm["StateReason"]) if (alarm := self._alarm())["StateValue"] == "ALARM" else None,
            seconds=_ALARM_SECONDS_MAX,
            otherwise=f"The alarm {_ALARM} does not ring; its state is {self._alarm()['StateValue']}.",
        )

    def _alarm(self) -> dict[str, Any]:
        found = self._cloud.cloudwatch.describe_alarms(AlarmNames=[_ALARM])["MetricAlarms"]
        if not found:
            raise LocalCloudError(f"There is no alarm {_ALARM}; type 'make local' again.")
        alarm: dict[str, Any] = found[0]
        return alarm

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
