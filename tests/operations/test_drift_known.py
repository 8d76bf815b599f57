"""What AWS moves by itself is no failure, and nothing beside it passes with it."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from operations.drift import Exit, finding_of
from operations.drift_known import KNOWN

RULE, DATABASE = "AWS::ElasticLoadBalancingV2::ListenerRule", "AWS::RDS::DBInstance"
BLUE, GREEN, OTHER = (f"arn:aws:elasticloadbalancing:::targetgroup/{name}" for name in ("a", "b", "c"))
GROUPS = "/Actions/0/ForwardConfig/TargetGroups"

Difference = tuple[str, str, str]
"""Path, expected, actual."""


def _found(kind: str, differences: list[Difference], expected: Mapping[str, Any] | None = None) -> Any:
    """One resource, in the form of DescribeStackResourceDrifts."""
    return {
        "StackId": "id",
        "LogicalResourceId": "One",
        "ResourceType": kind,
        "Timestamp": "2026-11-26T03:17:00Z",
        "StackResourceDriftStatus": "MODIFIED",
        "ExpectedProperties": json.dumps(expected or {}),
        "ActualProperties": "{}",
        "PropertyDifferences": [
            {
                "PropertyPath": path,
                "ExpectedValue": before,
                "ActualValue": after,
                "DifferenceType": "REMOVE" if after == "null" else "ADD" if before == "null" else "NOT_EQUAL",
            }
            for path, before, after in differences
        ],
    }


def _exit(*told: Any) -> Exit:
    finding = finding_of("production-api", _found(*told))
    assert finding
    return finding.exit


def _group(arn: str, weight: int) -> str:
    return json.dumps({"TargetGroupArn": arn, "Weight": weight})


SWUNG: list[Difference] = [(f"{GROUPS}/0/Weight", "100", "0"), (f"{GROUPS}/1/Weight", "0", "100")]
LIMIT = {"MaxAllocatedStorage": 1000, "AllocatedStorage": "100"}


@pytest.mark.parametrize(
    ("kind", "differences", "expected"),
    [
        (RULE, SWUNG, {}),
        (RULE, [(f"{GROUPS}/0/Weight", "100", "90"), (f"{GROUPS}/1/Weight", "0", "10")], {}),
        (
            RULE,
            [
                (f"{GROUPS}/0", _group(BLUE, 100), "null"),
                (f"{GROUPS}/1", _group(GREEN, 0), "null"),
                (f"{GROUPS}/2", "null", _group(BLUE, 0)),
                (f"{GROUPS}/3", "null", _group(GREEN, 100)),
            ],
            {},
        ),
        (DATABASE, [("/EngineVersion", "18.6", "18.10")], {}),
        (DATABASE, [("/AllocatedStorage", "100", "110")], LIMIT),
        (DATABASE, [("/AllocatedStorage", "100", "1000"), ("/EngineVersion", "18.6", "18.7")], LIMIT),
    ],
)
def test_what_aws_moves_by_itself_is_no_failure(
    kind: str, differences: list[Difference], expected: Mapping[str, Any]
) -> None:
    assert _exit(kind, differences, expected) is Exit.AS_DEPLOYED


@pytest.mark.parametrize(
    ("kind", "differences", "expected"),
    [
        pytest.param(RULE, [(f"{GROUPS}/0/Weight", "100", "0")], {}, id="traffic to nobody"),
        pytest.param(RULE, [*SWUNG, (f"{GROUPS}/0/TargetGroupArn", BLUE, OTHER)], {}, id="another group"),
        pytest.param(
            RULE,
            [(f"{GROUPS}/1", _group(GREEN, 0), "null"), (f"{GROUPS}/2", "null", _group(OTHER, 100))],
            {},
            id="a group nobody named",
        ),
        pytest.param(
            RULE,
            [(f"{GROUPS}/0", _group(BLUE, 100), "null"), (f"{GROUPS}/2", "null", _group(OTHER, 100))],
            {},
            id="all traffic to a group nobody named",
        ),
        pytest.param(RULE, [(f"{GROUPS}/1", _group(GREEN, 0), "null")], {}, id="a group that is gone"),
        pytest.param(RULE, [(f"{GROUPS}/0/Weight", "100", "all")], {}, id="no number"),
        pytest.param(RULE, [*SWUNG, ("/Priority", "1", "2")], {}, id="more than the weights"),
        pytest.param("AWS::ElasticLoadBalancingV2::Listener", SWUNG, {}, id="another type"),
        pytest.param(DATABASE, [("/EngineVersion", "18.6", "19.7")], {}, id="a major version"),
        pytest.param(DATABASE, [("/EngineVersion", "18.6", "18.5")], {}, id="an older version"),
        pytest.param(DATABASE, [("/EngineVersion", "18.6", "18")], {}, id="half a version"),
        pytest.param(DATABASE, [("/AllocatedStorage", "100", "90")], LIMIT, id="a smaller disk"),
        pytest.param(DATABASE, [("/AllocatedStorage", "100", "1001")], LIMIT, id="beyond its limit"),
        pytest.param(DATABASE, [("/AllocatedStorage", "100", "110")], {}, id="a disk without a limit"),
        pytest.param(DATABASE, [("/MaxAllocatedStorage", "1000", "2000")], LIMIT, id="the limit itself"),
        pytest.param(DATABASE, [("/Engine", "postgres", "mysql")], {}, id="another property"),
        pytest.param(DATABASE, [], {}, id="nobody says what"),
    ],
)
def test_anything_else_fails(kind: str, differences: list[Difference], expected: Mapping[str, Any]) -> None:
    assert _exit(kind, differences, expected) is Exit.DIFFERS


def test_what_is_known_is_printed_with_its_reason_beside_what_fails() -> None:
    found = _found(DATABASE, [("/EngineVersion", "18.6", "18.7"), ("/DeletionProtection", "true", "false")])
    finding = finding_of("production-database", found)
    (reason,) = (it.reason for it in KNOWN if it.path == "/EngineVersion")
    assert finding
    assert finding.words.splitlines() == [
        "production-database: AWS::RDS::DBInstance One was changed",
        f"  /EngineVersion: 18.6 became 18.7 (known: {reason})",
        "  /DeletionProtection: true became false",
    ]
