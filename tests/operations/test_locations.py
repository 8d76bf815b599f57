"""Where an environment stands, read from its assembly."""

from pathlib import Path

from operations.locations import AccountRegion, environment_of, in_order, place_of, places
from tests.operations.small_assembly import ACCOUNT, small_assembly

HERE, THERE = (AccountRegion(account=ACCOUNT, region=region) for region in ("eu-west-1", "us-east-1"))


def test_a_stack_comes_after_those_it_depends_on(tmp_path: Path) -> None:
    deployed = environment_of(small_assembly(tmp_path, "sandbox"), "sandbox")
    assert in_order(deployed) == ["network", "database", "api", "migrations", "certificate"]


def test_every_region_is_named_once(tmp_path: Path) -> None:
    deployed = environment_of(small_assembly(tmp_path, "sandbox"), "sandbox")
    assert places(deployed) == [HERE, THERE]
    assert place_of(deployed, "certificate") == THERE


def test_a_place_names_the_role_that_only_looks() -> None:
    assert HERE.lookup_role == f"arn:aws:iam::{ACCOUNT}:role/cdk-hnb659fds-lookup-role-{ACCOUNT}-eu-west-1"
