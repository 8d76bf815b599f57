"""What comes back passes every gate that the environments pass."""

from pathlib import Path
from typing import cast

import aws_cdk as cdk
import pytest

from tests.infrastructure import data_invariants, invariants, signing_invariants
from tests.infrastructure.assembly import Deployed, settings
from tests.infrastructure.bootstrap_policies import allowed, boundary, execution_policies, not_deployable
from tests.infrastructure.grants import granted_actions
from tests.infrastructure.recovered import LOST, checked, recovered


def test_settings_are_read_from_where_it_stands(back: Deployed, at_home: Deployed) -> None:
    assert settings(back).lost_region == LOST
    assert settings(at_home).lost_region is None


@pytest.fixture(params=["back", "lake_at_home", "lake_back"])
def checked_deployment(request: pytest.FixtureRequest) -> Deployed:
    """Without the data platform where it comes back, with it also where it always stood; the rest is an environment."""
    found: Deployed = request.getfixturevalue(request.param)
    return found


@pytest.mark.parametrize(
    "rule",
    [*invariants.RULES, *data_invariants.RULES, *signing_invariants.RULES],
    ids=lambda rule: rule.__name__,
)
def test_every_rule_holds(rule: invariants.Rule, checked_deployment: Deployed) -> None:
    assert list(rule(checked_deployment)) == []


def test_every_type_can_be_deployed(checked_deployment: Deployed) -> None:
    assert list(not_deployable(checked_deployment, execution_policies())) == []


def test_the_boundary_leaves_every_role_what_it_was_granted(back: Deployed) -> None:
    assert sorted(action for action in granted_actions(back) if not allowed(action, [boundary()])) == []


def test_the_checkers_are_answered(lake_back: Deployed) -> None:
    """With the waivers in place a finding that none answers stops the synthesis; the data platform is among what is checked."""
    assert {"api", "lake", "storage"} <= set(lake_back.templates)


@pytest.mark.xdist_group("gate")
def test_a_finding_here_stops_the_synthesis(tmp_path: Path) -> None:
    app = checked(tmp_path, recovered())
    stack = cast("cdk.Stack", app.node.find_child("production").node.find_child("queues"))
    cdk.CfnResource(stack, "New", type="AWS::SQS::Queue", properties={"VisibilityTimeoutt": 30})
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
