"""A named sandbox is the shared one under another name, with an owner and a last day."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import aws_cdk as cdk
import pytest

from constructs_lib.durability import DISPOSABLE
from operations.cost import estimate
from operations.sandboxes import leases
from stacks.build import CannotBuildError, build
from stacks.contracts import EXPIRES_TAG, OWNER_TAG, Parameter
from stacks.environment import Lease
from stacks.environments import SANDBOX
from stacks.sandboxes import NAME_MAX, named_sandbox
from tests.infrastructure.assembly import ASKED, CONTEXT, NAMED, Deployed, read, small_site, synthesise

DELIVERED_INTO = ("delivery", "migrations")
"""Where roles stand that GitHub's jobs take on."""


def _shape(deployed: Deployed) -> Counter[tuple[str, str]]:
    found = ((resource.stack.partition("/")[2], resource.type) for resource in deployed.resources())
    return Counter((stack, kind) for stack, kind in found if stack not in DELIVERED_INTO)


def test_it_has_everything_the_shared_one_has_but_the_trust_in_github(
    named: Deployed, environments: Mapping[str, Deployed]
) -> None:
    """An account has one such provider, and the shared sandbox's is there."""
    assert _shape(named) == _shape(environments["sandbox"])
    assert set(named.manifests) == set(environments["sandbox"].manifests) - {"delivery"}


def test_it_says_whose_it_is_and_until_when_on_every_stack(named: Deployed) -> None:
    for manifest in named.manifests.values():
        tags = manifest["properties"]["tags"]
        assert tags[OWNER_TAG] == "ada@example.org"
        assert tags[EXPIRES_TAG] == "2027-01-31"
        assert tags["amply:environment"] == "sandbox-ada"


def test_only_a_named_sandbox_expires(environments: Mapping[str, Deployed]) -> None:
    for deployed in environments.values():
        for manifest in deployed.manifests.values():
            assert "tags" not in manifest["properties"]


def test_nothing_it_names_is_named_so_elsewhere(
    named: Deployed, environments: Mapping[str, Deployed]
) -> None:
    """Both stand in one account: equal names would take each other's place."""
    mine, shared = _names(named), _names(environments["sandbox"])
    assert mine
    assert mine & shared == set()


CALLED: Mapping[str, str] = {
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::ECS::TaskDefinition": "Family",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::RDS::DBInstance": "DBInstanceIdentifier",
    "AWS::SES::EmailIdentity": "EmailIdentity",
    "AWS::SSM::Parameter": "Name",
}
"""The types that have one in an account, and the property that is their name."""


def _names(deployed: Deployed) -> set[str]:
    found = {str(manifest["properties"]["stackName"]) for manifest in deployed.manifests.values()}
    found.add(deployed.the("AWS::Budgets::Budget").properties["Budget"]["BudgetName"])
    for resource in deployed.resources(*CALLED):
        name = resource.properties.get(CALLED[resource.type])
        if name is not None:
            found.add(str(name))
    return found


def test_it_publishes_its_names_under_its_own_path(named: Deployed) -> None:
    written = {resource.properties["Name"] for resource in named.resources("AWS::SSM::Parameter")}
    assert written == {parameter.path("sandbox-ada") for parameter in Parameter}


def test_its_log_has_a_name_of_its_own(named: Deployed) -> None:
    told = json.dumps([task.properties for task in named.resources("AWS::ECS::TaskDefinition")])
    assert "log.amply.example/sandbox-ada" in told
    assert not re.search(r'log\.amply\.example/sandbox"', told)


def test_nothing_of_it_is_kept(named: Deployed) -> None:
    for resource in named.resources("AWS::S3::Bucket", "AWS::KMS::Key", "AWS::RDS::DBInstance"):
        assert resource.body["DeletionPolicy"] == "Delete", resource.where
    for manifest in named.manifests.values():
        assert not manifest["properties"].get("terminationProtection", False)


@pytest.fixture(scope="module")
def otherwise(tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    """Asked for with a day that is long past, and without the second key."""
    context = {**ASKED, "expires": "2001-01-01", "amply:destroyable": []}
    return read(synthesise(tmp_path_factory.mktemp("otherwise"), only=NAMED, **context))[NAMED]


def test_without_the_second_key_it_is_kept(otherwise: Deployed) -> None:
    assert otherwise.manifests["storage"]["properties"]["terminationProtection"] is True
    for resource in otherwise.resources("AWS::S3::Bucket", "AWS::KMS::Key", "AWS::RDS::DBInstance"):
        assert resource.body["DeletionPolicy"] in {"Retain", "Snapshot"}, resource.where
    assert list(otherwise.resources("Custom::S3AutoDeleteObjects")) == []


def test_its_budget_tells_its_owner_and_counts_its_own_tag_alone(named: Deployed) -> None:
    budget = named.the("AWS::Budgets::Budget").properties
    assert budget["Budget"]["CostFilters"] == {"TagKeyValue": ["user:amply:environment$sandbox-ada"]}
    told = {entry["Subscribers"][0]["Address"] for entry in budget["NotificationsWithSubscribers"]}
    assert told == {"ada@example.org"}
    assert estimate(named).total_usd < budget["Budget"]["BudgetLimit"]["Amount"]


def test_it_stands_beside_the_others_and_changes_none(
    synthesised: Mapping[str, Deployed], tmp_path: Path
) -> None:
    """Whoever asked for none gets the same shared one, and no sandbox that nobody asked for."""
    alone = read(synthesise(tmp_path / "alone", only="sandbox"))["sandbox"]
    assert synthesised["sandbox"].templates == alone.templates
    with pytest.raises(CannotBuildError, match=f"No environment is called '{NAMED}'"):
        build(cdk.App(context=dict(CONTEXT)), site=small_site(tmp_path / "site"), only=NAMED)


def test_it_is_a_sandbox_in_every_other_way() -> None:
    named = named_sandbox("ada", owner="ada@example.org", expires="2027-01-31")
    assert named.durability is DISPOSABLE
    assert (named.kind, named.account, named.livemode) == (SANDBOX.name, SANDBOX.account, False)
    assert (named.network, named.database, named.tasks) == (SANDBOX.network, SANDBOX.database, SANDBOX.tasks)
    assert isinstance(named.lease, Lease)


@pytest.mark.parametrize("name", ["a", "ada", "team-7", "x" * NAME_MAX])
def test_a_plain_name_is_taken(name: str) -> None:
    assert named_sandbox(name, owner="ada@example.org", expires="2027-01-31").name == f"sandbox-{name}"


WRONG: list[tuple[Mapping[str, object], str]] = [
    *(
        ({"sandbox": name}, "names no sandbox")
        for name in ("", "Ada", "7up", "a--b", "a-", "-a", "a_b", "a/b", "ä", "x" * (NAME_MAX + 1), 7)
    ),
    *(
        ({"owner": owner}, "-c owner=MAIL")
        for owner in (None, "", "ada", "ada@home", "a b@example.org", "@b.org")
    ),
    *(
        ({"expires": day}, "-c expires=YYYY-MM-DD")
        for day in (None, "", "tomorrow", "20270131", "2027-1-31", "2027-02-30", "31.01.2027")
    ),
    ({"sandbox": None}, "needs a name"),
    ({"sandbox": None, "owner": None}, "needs a name"),
]


@pytest.mark.parametrize(("change", "sentence"), WRONG)
def test_what_cannot_be_a_sandbox_is_answered_with_a_sentence(
    change: Mapping[str, object], sentence: str, tmp_path: Path
) -> None:
    asked = {key: value for key, value in {**ASKED, **change}.items() if value is not None}
    app = cdk.App(context={**CONTEXT, **asked})
    with pytest.raises(CannotBuildError, match=sentence):
        build(app, site=small_site(tmp_path / "site"))


def test_a_day_long_past_is_synthesised_all_the_same(otherwise: Deployed) -> None:
    """Synthesis knows no clock: who may deploy it and who takes it away does."""
    assert otherwise.manifests["keys"]["properties"]["tags"][EXPIRES_TAG] == "2001-01-01"


def test_who_takes_sandboxes_away_knows_them_by_the_tags_they_are_given() -> None:
    """The program reads accounts, not our code: the two are written twice and held together here."""
    assert (leases.OWNER_TAG, leases.EXPIRES_TAG) == (OWNER_TAG, EXPIRES_TAG)
