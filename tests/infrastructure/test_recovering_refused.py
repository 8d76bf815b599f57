"""What cannot come back, or not yet, or not there: each is refused with a sentence."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from stacks.build import CannotBuildError, build
from stacks.environments import PRODUCTION, STAGING
from stacks.failover import fail_over
from stacks.signing_keys import SigningKeys
from tests.infrastructure.assembly import CONTEXT, small_site
from tests.infrastructure.recovered import HERE, LAST_TREE, LOST

REFUSED: list[tuple[Mapping[str, object], str]] = [
    ({"recovering": "eu-west-1"}, "No environment keeps copies in 'eu-west-1'.*-c recovering=REGION"),
    ({"recovering": "mars", "idle": True}, "there are copies in eu-central-1"),
    ({"recovering": HERE}, "nothing may run until `last_tree`.*-c idle=true"),
]


@pytest.mark.parametrize(("context", "sentence"), REFUSED)
def test_what_cannot_come_back_is_answered_with_a_sentence(
    context: Mapping[str, object], sentence: str, tmp_path: Path
) -> None:
    app = cdk.App(context={**CONTEXT, **context})
    with pytest.raises(CannotBuildError, match=sentence):
        build(app, site=small_site(tmp_path / "site"))


def test_an_environment_without_copies_cannot_come_back() -> None:
    with pytest.raises(ValueError, match="keeps no copies in another region"):
        fail_over(STAGING, region=HERE)


def test_an_environment_comes_back_where_its_copies_are_and_nowhere_else() -> None:
    with pytest.raises(ValueError, match="keeps its copies in eu-central-1, not in 'eu-west-3'"):
        fail_over(PRODUCTION, region="eu-west-3")


def test_a_rotation_of_the_signing_key_must_have_ended() -> None:
    with pytest.raises(ValueError, match="a rotation of the signing key was under way"):
        fail_over(replace(PRODUCTION, signing_keys=SigningKeys(present=1, coming=2)), region=HERE)


def test_another_keys_last_tree_is_refused() -> None:
    with pytest.raises(ValueError, match="key 2 is the one that is lost, not 1"):
        fail_over(
            replace(
                PRODUCTION,
                signing_keys=SigningKeys(present=2, ended=(LAST_TREE,)),
                recovery=replace(_plan(), last_tree=LAST_TREE),
            ),
            region=HERE,
        )


def _plan() -> Any:
    assert PRODUCTION.recovery
    return PRODUCTION.recovery


@pytest.mark.parametrize("third", [LOST, HERE])
def test_copies_that_stay_in_a_region_of_the_two_are_refused(third: str) -> None:
    with pytest.raises(ValueError, match="copies go to a third region"):
        replace(PRODUCTION, recovery=replace(_plan(), replica_region=third))


def test_zones_of_another_region_are_refused() -> None:
    plan = replace(_plan(), zones=("eu-west-3a",))
    with pytest.raises(ValueError, match="are not all in eu-central-1"):
        fail_over(replace(PRODUCTION, recovery=plan, tasks=PRODUCTION.tasks.at_rest()), region=HERE)


def test_copies_without_a_plan_are_refused_and_a_plan_without_copies() -> None:
    with pytest.raises(ValueError, match="are one thing"):
        replace(PRODUCTION, recovery=None)
    with pytest.raises(ValueError, match="are one thing"):
        replace(STAGING, recovery=_plan())
