"""Expected drift that AWS itself causes: reported, and no failure.

Each entry is one property of one type, the reason, and what exactly is meant: outside that, the same property fails like
any other. An entry that nothing needed tonight is no error, since rollouts and maintenance come when they come.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mypy_boto3_cloudformation.type_defs import PropertyDifferenceTypeDef, StackResourceDriftTypeDef

Judge = Callable[[Sequence[PropertyDifferenceTypeDef], StackResourceDriftTypeDef], bool]
"""Given the differences of one property (there may be several paths below it) and the resource: are they meant?"""


@dataclass(frozen=True, kw_only=True)
class ExpectedDrift:
    """`path` is a regular expression for the full property path of CloudFormation, a JSON pointer."""

    type: str
    path: str
    reason: str
    meant: Judge

    def among(self, found: StackResourceDriftTypeDef) -> list[PropertyDifferenceTypeDef]:
        """The differences of this property, if they are what is meant; otherwise none."""
        differences = [
            it for it in found.get("PropertyDifferences", []) if re.fullmatch(self.path, it["PropertyPath"])
        ]
        if found["ResourceType"] != self.type or not differences:
            return []
        try:
            return differences if self.meant(differences, found) else []
        except (ValueError, TypeError, KeyError):
            return []  # not the form that is known


def _weights_moved(found: Sequence[PropertyDifferenceTypeDef], _: StackResourceDriftTypeDef) -> bool:
    """From one target group to the other: the same groups, and as much in sum as before.

    CloudFormation names the weight that differs, or a whole entry of the list as gone and another as come.
    """
    before, after = ([it[side] for it in found] for side in ("ExpectedValue", "ActualValue"))
    if all(it["PropertyPath"].endswith("/Weight") for it in found):
        return sum(map(int, before)) == sum(map(int, after)) > 0
    was, becomes = _groups(before), _groups(after)
    return was.keys() == becomes.keys() and sum(was.values()) == sum(becomes.values()) > 0


def _groups(values: Sequence[str]) -> dict[str, int]:
    entries: list[dict[str, Any]] = [json.loads(value) for value in values if value not in {"", "null"}]
    return {str(it["TargetGroupArn"]): int(it["Weight"]) for it in entries}


def _later_minor(found: Sequence[PropertyDifferenceTypeDef], _: StackResourceDriftTypeDef) -> bool:
    (one,) = found
    (major, minor), (new_major, new_minor) = (
        map(int, one[side].split(".")) for side in ("ExpectedValue", "ActualValue")
    )
    return new_major == major and new_minor > minor


def _grown_within_its_limit(
    found: Sequence[PropertyDifferenceTypeDef], resource: StackResourceDriftTypeDef
) -> bool:
    (one,) = found
    limit = int(json.loads(resource["ExpectedProperties"])["MaxAllocatedStorage"])
    return int(one["ExpectedValue"]) < int(one["ActualValue"]) <= limit


KNOWN: Final = (
    ExpectedDrift(
        type="AWS::ElasticLoadBalancingV2::ListenerRule",
        path=r"/Actions/\d+/ForwardConfig/TargetGroups/\d+(/Weight)?",
        reason="a rollout moves the traffic between the two halves and leaves it at the new one (ADR 0043)",
        meant=_weights_moved,
    ),
    ExpectedDrift(
        type="AWS::RDS::DBInstance",
        path="/EngineVersion",
        reason="a minor version came in the maintenance window; raise ENGINE in stacks/database_engine.py",
        meant=_later_minor,
    ),
    ExpectedDrift(
        type="AWS::RDS::DBInstance",
        path="/AllocatedStorage",
        reason="RDS grew the disk, within its limit; write the new size into storage_gib before the instance changes again",
        meant=_grown_within_its_limit,
    ),
)


def known(found: StackResourceDriftTypeDef) -> dict[str, str]:
    """Of the differences of one resource those that are meant: the reason, by property path."""
    return {difference["PropertyPath"]: it.reason for it in KNOWN for difference in it.among(found)}
