"""Finds an environment's alarms by name."""

import json
from collections.abc import Mapping

from tests.infrastructure.assembly import Deployed, Resource

ALARM, COMPOSITE = "AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"


def alarms_of(deployed: Deployed) -> Mapping[str, Resource]:
    prefix = f"amply-{deployed.name}-"
    return {
        alarm.properties["AlarmName"].removeprefix(prefix): alarm
        for alarm in deployed.resources(ALARM, COMPOSITE)
    }


def parts_of(deployed: Deployed, composite: str) -> set[str]:
    """The alarms a composite alarm is made of."""
    rule = json.dumps(alarms_of(deployed)[composite].properties["AlarmRule"])
    return {name for name, alarm in alarms_of(deployed).items() if f'"{alarm.logical_id}"' in rule}
