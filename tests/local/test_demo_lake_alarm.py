"""`make demo-lake` says that the alarm rang only when it did by its own release."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from local_cloud.cloud import Cloud
from local_cloud.demo.lake import alarm
from local_cloud.demo.lake.alarm import ViolationAlarm
from local_cloud.failures import LocalCloudError

ASKED = datetime(2027, 1, 1, 12, 0, 0, 500_000, tzinfo=UTC)
REASON = "Threshold Crossed"


class OneAlarm:
    """CloudWatch as far as the demo asks it: each change of the alarm's state, with its moment in whole seconds."""

    def __init__(self, *changes: tuple[str, int]) -> None:
        self._changes = [
            (state, (ASKED + timedelta(seconds=after)).replace(microsecond=0)) for state, after in changes
        ]

    def describe_alarms(self, **_asked: object) -> dict[str, Any]:
        state, at = self._changes[-1]
        return {"MetricAlarms": [{"StateValue": state, "StateReason": REASON, "StateUpdatedTimestamp": at}]}

    def describe_alarm_history(self, *, StartDate: datetime, **_asked: object) -> dict[str, Any]:  # noqa: N803 -- the API's name
        return {
            "AlarmHistoryItems": [
                {"HistoryData": json.dumps({"newState": {"stateValue": state, "stateReason": REASON}})}
                for state, at in self._changes
                if at >= StartDate
            ]
        }


def rang(*changes: tuple[str, int]) -> str:
    return ViolationAlarm(cast("Cloud", SimpleNamespace(cloudwatch=OneAlarm(*changes)))).rang(since=ASKED)


def test_an_alarm_rings_that_began_to_since_the_release_was_asked_for() -> None:
    assert rang(("OK", -60), ("ALARM", 0)) == REASON


def test_an_alarm_rang_though_it_is_quiet_again() -> None:
    assert rang(("OK", -60), ("ALARM", 3), ("OK", 4)) == REASON


def test_an_alarm_that_the_walk_before_made_ring_is_said_to_ring_still() -> None:
    assert (
        rang(("ALARM", -30))
        == f"rings still, since 11:59:30 UTC, also after the metric counted this line: {REASON}"
    )


def test_an_alarm_that_rang_for_the_walk_before_alone_did_not_ring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alarm, "_ALARM_SECONDS_MAX", -1.0)
    with pytest.raises(LocalCloudError, match="did not ring"):
        rang(("ALARM", -30), ("OK", -10))
