"""The night's list of known drift names properties that our templates have."""

from collections.abc import Mapping

from operations.drift_known import KNOWN
from tests.infrastructure.assembly import Deployed

RULE, DATABASE = "AWS::ElasticLoadBalancingV2::ListenerRule", "AWS::RDS::DBInstance"


def test_each_known_property_stands_in_a_template_that_could_drift(
    environments: Mapping[str, Deployed],
) -> None:
    """CloudFormation compares what the template says and nothing else: an entry for less would be dead."""
    production = environments["production"]
    rules = [
        it.properties for it in production.resources(RULE) if "ForwardConfig" in it.properties["Actions"][0]
    ]
    weights = [
        [group["Weight"] for group in rule["Actions"][0]["ForwardConfig"]["TargetGroups"]] for rule in rules
    ]
    database = next(production.resources(DATABASE)).properties
    assert [100, 0] in weights
    assert {"EngineVersion", "AllocatedStorage", "MaxAllocatedStorage"} <= set(database)
    assert {it.type for it in KNOWN} == {RULE, DATABASE}
