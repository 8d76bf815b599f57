"""The data platform's flags: what can be said, where it counts, and what it refuses."""

from dataclasses import replace
from pathlib import Path

import aws_cdk as cdk
import pytest

from local_cloud import flags
from stacks.build import CannotBuildError, build
from stacks.environment import Environment
from stacks.environments import ENVIRONMENTS, PRODUCTION, STAGING
from stacks.features import FLAGS, Features
from tests.infrastructure.assembly import ASKED, CONTEXT, NAMED, small_site


def test_every_flag_is_off_in_every_environment() -> None:
    assert {name for name, one in ENVIRONMENTS.items() if one.features != Features()} == set()
    assert not Features().any


def test_flags_are_written_as_on_the_command_line() -> None:
    assert FLAGS == ("marketplace", "etl", "iot", "data-seller-portal")
    assert Features.parse("marketplace, etl") == Features(marketplace=True, etl=True)
    assert Features.parse("data-seller-portal") == Features(data_seller_portal=True)
    assert Features.parse("none") == Features()


@pytest.mark.parametrize("said", ["lake", "marketplace,", "Marketplace", "etl;iot"])
def test_an_unknown_flag_is_one_sentence_with_those_that_there_are(said: str) -> None:
    with pytest.raises(ValueError, match="there are marketplace, etl, iot, data-seller-portal"):
        Features.parse(said)


@pytest.mark.parametrize("environment", [PRODUCTION, STAGING], ids=lambda one: one.name)
def test_it_can_be_on_wherever_people_rely_on_it(environment: Environment) -> None:
    """With copies where those are promised: test_lake_copies.py."""
    assert replace(environment, features=Features(marketplace=True)).features.any


def test_a_switch_with_an_unknown_flag_builds_nothing(tmp_path: Path) -> None:
    app = cdk.App(context={**CONTEXT, "flags": "lakes"}, builtin_cloud_formation_validation=False)
    with pytest.raises(CannotBuildError, match="No flag is called 'lakes'"):
        build(app, site=small_site(tmp_path / "site"), only="local")


def test_the_switch_counts_where_people_try_things_and_nowhere_else(tmp_path: Path) -> None:
    context = {**CONTEXT, "flags": "marketplace"}
    site = small_site(tmp_path / "site")
    for only, is_there in {"local": True, "staging": False}.items():
        app = cdk.App(context=context, builtin_cloud_formation_validation=False)
        (platform,) = build(app, site=site, only=only).values()
        assert (platform.node.try_find_child("marketplace") is not None) is is_there, only


def test_a_named_sandbox_leaves_the_settings_of_the_account_alone(tmp_path: Path) -> None:
    """Lake Formation's are one for everybody in it."""
    app = cdk.App(
        context={**CONTEXT, **ASKED, "flags": "marketplace"}, builtin_cloud_formation_validation=False
    )
    (platform,) = build(app, site=small_site(tmp_path / "site"), only=NAMED).values()
    kinds = {
        getattr(one, "cfn_resource_type", "").split("::")[1:2][0]
        for one in platform.node.find_child("lake").node.find_all()
        if getattr(one, "cfn_resource_type", "")
    }
    assert {"Glue", "Athena", "S3", "KMS"} <= kinds
    assert "LakeFormation" not in kinds


def test_the_laptop_knows_the_flags_and_their_stacks(tmp_path: Path) -> None:
    app = cdk.App(context={**CONTEXT, "flags": ",".join(flags.ALL)}, builtin_cloud_formation_validation=False)
    (platform,) = build(app, site=small_site(tmp_path / "site"), only="local").values()
    (without,) = build(
        cdk.App(context=dict(CONTEXT), builtin_cloud_formation_validation=False),
        site=tmp_path / "site",
        only="local",
    ).values()
    brought = [one.node.id for one in platform.node.children if not without.node.try_find_child(one.node.id)]
    assert set(brought) == set(flags.TOPMOST_FIRST)
    assert flags.ALL == FLAGS
