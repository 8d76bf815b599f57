"""The environment that comes back where its copies are: whole, under every gate, and without what is taken already."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import aws_cdk as cdk
import pytest

from operations.difference.holdings import HOLDINGS
from operations.places import in_order
from stacks.build import CannotBuildError, build
from stacks.contracts import Parameter, RecoveryParameter
from stacks.environment import Environment
from stacks.environments import PRODUCTION, STAGING
from stacks.images import ImageReference
from stacks.recovering import recovering
from stacks.recovery import RestoredFrom
from stacks.signing_keys import SigningKeys
from tests.infrastructure import data_invariants, invariants
from tests.infrastructure.assembly import CONTEXT, Deployed, read, settings, small_site, synthesise
from tests.infrastructure.bootstrap_policies import allowed, boundary, execution_policies, not_deployable
from tests.infrastructure.recovered import (
    HERE,
    LAST_TREE,
    LOST,
    names_in,
    names_of_no_region,
    recovered,
    synthesise_recovered,
    text,
)


def _read(folder: Path, environment: Environment) -> Deployed:
    return read(Path(synthesise_recovered(folder, environment).synth().directory))["production"]


@pytest.fixture(scope="module")
def back(tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    """Running, before the domain's names are moved."""
    return _read(tmp_path_factory.mktemp("recovered"), recovered())


@pytest.fixture(scope="module")
def at_home(environments: Mapping[str, Deployed]) -> Deployed:
    return environments["production"]


# ---- nothing is claimed twice ---------------------------------------------------------------------------------------


def test_no_name_of_the_whole_account_is_claimed_a_second_time(at_home: Deployed, back: Deployed) -> None:
    taken, claimed = Counter(names_of_no_region(at_home)), Counter(names_of_no_region(back))
    assert len(taken) > 30
    assert claimed
    assert sorted(taken & claimed) == []


def test_no_name_of_its_region_is_claimed_beside_the_stack_that_has_it(
    at_home: Deployed, back: Deployed
) -> None:
    """The stack of the copies is the same stack, so its names are its own; everything else is new here."""
    taken = {name for name in names_in(at_home, HERE) if name != "stack production-replica"}
    own = set(names_in(_only(back, "replica"), HERE))
    assert taken
    assert sorted((taken - own) & set(names_in(back, HERE))) == []


def _only(deployed: Deployed, stack: str) -> Deployed:
    return Deployed(deployed.name, {stack: deployed.templates[stack]}, {stack: deployed.manifests[stack]})


@pytest.mark.parametrize(
    ("kind", "properties", "name"),
    [
        ("AWS::IAM::Role", {"RoleName": "production-delivery-migrate"}, "production-delivery-migrate"),
        ("AWS::CloudWatch::Dashboard", {"DashboardName": "amply-production"}, "amply-production"),
        (
            "AWS::CloudFront::Distribution",
            {"DistributionConfig": {"Aliases": ["log.amply.example"]}},
            "log.amply.example",
        ),
        ("AWS::Route53::RecordSet", {"Type": "A", "Name": "api.amply.example."}, "A api.amply.example."),
        ("AWS::Budgets::Budget", {"Budget": {"BudgetName": "amply-production"}}, "amply-production"),
    ],
)
def test_a_name_that_is_taken_is_noticed(
    kind: str, properties: Mapping[str, Any], name: str, at_home: Deployed, back: Deployed
) -> None:
    templates = {**back.templates, "new": {"Resources": {"New": {"Type": kind, "Properties": properties}}}}
    careless = Deployed("production", templates, back.manifests)
    assert set(names_of_no_region(at_home)) & set(names_of_no_region(careless)) == {f"{kind} {name}"}


def test_every_type_that_bears_a_name_is_looked_at_or_named_by_aws(at_home: Deployed) -> None:
    """A type that CloudFront or Route 53 adds tomorrow fails here until somebody says what its name is."""
    kinds = {resource.type for resource in at_home.resources()}
    of_no_region = {
        kind for kind in kinds if kind.startswith(("AWS::CloudFront::", "AWS::Route53::", "AWS::Budgets::"))
    }
    assert of_no_region <= {line.split(" ")[0] for line in names_of_no_region(at_home)}


def test_once_the_names_are_moved_the_distribution_claims_them(tmp_path: Path, at_home: Deployed) -> None:
    """Otherwise the next deployment would take them off again."""
    moved = _read(tmp_path, recovered(names_moved=True))
    aliases = moved.the("AWS::CloudFront::Distribution").properties["DistributionConfig"]["Aliases"]
    assert aliases == at_home.the("AWS::CloudFront::Distribution").properties["DistributionConfig"]["Aliases"]


# ---- the lost region is not asked -----------------------------------------------------------------------------------


def test_nothing_refers_to_the_lost_region(back: Deployed) -> None:
    """But for the role of the log: the tree's own name and the words of descriptions are not addresses."""
    assert LOST not in text(back)


def test_a_reference_to_the_lost_region_would_be_noticed(at_home: Deployed) -> None:
    assert LOST in text(at_home)


def test_every_stack_stands_here_or_where_copies_go_from_now_on(back: Deployed) -> None:
    where = {stack: manifest["environment"].split("/")[-1] for stack, manifest in back.manifests.items()}
    assert {stack: region for stack, region in where.items() if region != HERE} == {
        "copies": "eu-north-1",
        # CloudFront's numbers are there: the same stack as before, which watches the new distribution.
        "edgealarms": "us-east-1",
    }


def test_what_belongs_to_the_account_is_left_where_it_is(at_home: Deployed, back: Deployed) -> None:
    left = set(at_home.templates) - set(back.templates)
    assert left == {"delivery", "budget", "dns", "certificate", "recovery"}
    assert set(back.templates) - set(at_home.templates) == {"copies"}


# ---- what came over ---------------------------------------------------------------------------------------------------


def test_the_stack_of_the_copies_is_taken_over_as_it_is(at_home: Deployed, back: Deployed) -> None:
    """Same stack, same ids, same properties: more is added, and nothing that holds data is made anew."""
    before, after = at_home.templates["replica"]["Resources"], back.templates["replica"]["Resources"]
    assert set(before) <= set(after)
    added = {"ReplicationConfiguration", "NotificationConfiguration"}
    for name, body in before.items():
        if body["Type"] in HOLDINGS:
            kept = {key: value for key, value in after[name]["Properties"].items() if key not in added}
            assert kept == body["Properties"], name
    names = [deployed.manifests["replica"]["properties"]["stackName"] for deployed in (at_home, back)]
    assert names == ["production-replica"] * 2


def test_people_read_the_log_from_the_buckets_that_were_copies(back: Deployed) -> None:
    statements = {
        statement["Sid"]
        for policy in back.resources("AWS::S3::BucketPolicy")
        if policy.stack == "production/replica"
        for statement in policy.properties["PolicyDocument"]["Statement"]
        if "Sid" in statement
    }
    assert {"ServeTheLog", "ServeMedia"} <= statements
    origins = json.dumps(
        back.the("AWS::CloudFront::Distribution").properties["DistributionConfig"]["Origins"]
    )
    assert origins.count("production-replica") >= 2


def test_no_bucket_that_is_copied_was_made_a_second_time(back: Deployed) -> None:
    made = {
        bucket.path.split("/")[2]
        for bucket in back.resources("AWS::S3::Bucket")
        if "/storage" in bucket.stack
    }
    assert made == {"AccessLogs", "Exports"}


def test_the_documents_that_came_over_are_backed_up_from_now_on(back: Deployed) -> None:
    selected = json.dumps(back.the("AWS::Backup::BackupSelection").properties)
    assert re.search(r'"production-replica".{0,90}Documents', selected)


INHERITED = {"AllocatedStorage", "DBName", "KmsKeyId", "MasterUsername", "StorageEncrypted"}
RESTORES: Mapping[RestoredFrom, Mapping[str, object]] = {
    RestoredFrom.BACKUPS: {
        "SourceDBInstanceAutomatedBackupsArn": {"Ref": "RestoreFrom"},
        "UseLatestRestorableTime": True,
    },
    RestoredFrom.SNAPSHOT: {"DBSnapshotIdentifier": {"Ref": "RestoreFrom"}},
}


@pytest.mark.parametrize("source", RestoredFrom)
def test_the_database_is_made_from_the_backup_that_is_asked_for(
    source: RestoredFrom, at_home: Deployed, tmp_path: Path
) -> None:
    deployed = _read(tmp_path, recovered(database=source))
    properties, plain = (one.the("AWS::RDS::DBInstance").properties for one in (deployed, at_home))
    assert {key: properties[key] for key in RESTORES[source]} == RESTORES[source]
    assert set(plain) - set(properties) == INHERITED
    parameter = deployed.templates["database"]["Parameters"]["RestoreFrom"]
    assert "Default" not in parameter
    word = "auto-backup" if source is RestoredFrom.BACKUPS else "snapshot"
    assert re.fullmatch(parameter["AllowedPattern"], f"arn:aws:rds:eu-central-1:111111111111:{word}:x-1")


def test_the_commitment_secret_is_the_copy_and_no_new_one(at_home: Deployed, back: Deployed) -> None:
    secrets = {resource.logical_id for resource in back.resources("AWS::SecretsManager::Secret")}
    assert not any(name.startswith("Commitments") for name in secrets)
    written = _written(at_home, "recovery")
    assert written[RecoveryParameter.COMMITMENTS.path("production")]["Fn::Join"][0] == HERE


def test_the_image_is_pulled_from_the_registry_that_has_the_copies(back: Deployed) -> None:
    told = {
        json.dumps(task.properties["ContainerDefinitions"][0]["Image"])
        for task in back.resources("AWS::ECS::TaskDefinition")
    }
    assert all(f"dkr.ecr.{HERE}.amazonaws.com/amply@" in image for image in told)


def test_images_are_copied_into_a_repository_that_is_like_the_first(at_home: Deployed) -> None:
    first, copy = sorted(at_home.resources("AWS::ECR::Repository"), key=lambda one: one.stack)
    differing = {key for key in first.properties if first.properties[key] != copy.properties[key]}
    assert (first.stack, copy.stack) == ("production/delivery", "production/replica")
    assert differing == {"EncryptionConfiguration", "Tags"}
    (rule,) = at_home.the("AWS::ECR::ReplicationConfiguration").properties["ReplicationConfiguration"][
        "Rules"
    ]
    assert rule["Destinations"] == [{"Region": HERE, "RegistryId": PRODUCTION.account}]
    assert rule["RepositoryFilters"] == [{"Filter": "amply", "FilterType": "PREFIX_MATCH"}]
    order = in_order(at_home)
    assert order.index("replica") < order.index("delivery")


def test_copies_go_on_from_here_to_a_third_region(back: Deployed) -> None:
    (rule,) = back.the("AWS::ECR::ReplicationConfiguration").properties["ReplicationConfiguration"]["Rules"]
    assert rule["Destinations"][0]["Region"] == "eu-north-1"
    database = back.the("AWS::RDS::DBInstance").properties
    assert database["AutomaticBackupReplicationRegion"] == "eu-north-1"


def test_the_log_goes_on_with_the_next_key_and_names_the_one_before(back: Deployed) -> None:
    aliases = {alias.properties["AliasName"] for alias in back.resources("AWS::KMS::Alias")}
    assert "alias/amply/production/signing-2" in aliases
    assert "alias/amply/production/signing" not in aliases
    (publisher,) = (
        task.properties["ContainerDefinitions"][0]["Environment"]
        for task in back.resources("AWS::ECS::TaskDefinition")
        if task.properties["Family"] == "production-publisher"
    )
    told = {pair["Name"]: pair["Value"] for pair in publisher}
    assert told["AMPLY_FORMER_KEYS"] == f"{LAST_TREE.last_size} {LAST_TREE.verifier_key}"
    assert told["AMPLY_LOG_ORIGIN"] == PRODUCTION.log_origin


# ---- names ------------------------------------------------------------------------------------------------------------


def _written(deployed: Deployed, stack: str) -> Mapping[str, Any]:
    return {
        body["Properties"]["Name"]: body["Properties"]["Value"]
        for body in deployed.templates[stack]["Resources"].values()
        if body["Type"] == "AWS::SSM::Parameter"
    }


def test_all_that_is_read_here_was_written_here_while_all_was_well(at_home: Deployed, back: Deployed) -> None:
    asked = {
        parameter["Default"]
        for template in back.templates.values()
        for parameter in template.get("Parameters", {}).values()
        if parameter["Type"] == "AWS::SSM::Parameter::Value<String>" and "/amply/" in parameter["Default"]
    }
    assert asked == set(_written(at_home, "recovery"))
    assert at_home.manifests["recovery"]["environment"].endswith(HERE)
    assert at_home.manifests["recovery"]["properties"]["terminationProtection"] is True


def test_what_was_written_here_is_not_part_of_what_comes_back(back: Deployed) -> None:
    """Otherwise the deployment that reads it would rewrite it from a region that is gone."""
    assert "recovery" not in back.templates


def test_every_agreed_parameter_is_written_and_how_names_move(back: Deployed) -> None:
    written = {resource.properties["Name"] for resource in back.resources("AWS::SSM::Parameter")}
    agreed = {parameter.path("production") for parameter in Parameter}
    assert written == agreed | {RecoveryParameter.NAMES.path("production")}


def test_the_change_of_records_moves_every_address_the_lost_region_has(
    at_home: Deployed, back: Deployed
) -> None:
    batch = _plain(_written(back, "edge")[RecoveryParameter.NAMES.path("production")])
    changes = json.loads(batch)["Changes"]
    assert {change["Action"] for change in changes} == {"UPSERT"}
    moved = {(change["ResourceRecordSet"]["Type"], change["ResourceRecordSet"]["Name"]) for change in changes}
    there = {
        (record.properties["Type"], record.properties["Name"])
        for record in at_home.resources("AWS::Route53::RecordSet")
        if record.stack == "production/edge"
    }
    assert moved == there
    assert len(batch) < 3500  # of the 4 KB that a parameter holds


def _plain(value: Any) -> str:
    """A joined text, with what is known later as X."""
    if isinstance(value, str):
        return value
    return "".join(part if isinstance(part, str) else "X" for part in value["Fn::Join"][1])


def test_bounces_come_to_a_name_of_this_region(back: Deployed) -> None:
    identity = back.the("AWS::SES::EmailIdentity").properties
    assert identity["MailFromAttributes"]["MailFromDomain"] == "bounce.eu-central-1.amply.example"


# ---- the gates --------------------------------------------------------------------------------------------------------


def test_settings_are_read_from_where_it_stands(back: Deployed, at_home: Deployed) -> None:
    assert settings(back).lost_region == LOST
    assert settings(at_home).lost_region is None


@pytest.mark.parametrize("rule", [*invariants.RULES, *data_invariants.RULES], ids=lambda rule: rule.__name__)
def test_every_rule_holds(rule: invariants.Rule, back: Deployed) -> None:
    assert list(rule(back)) == []


def test_every_type_can_be_deployed(back: Deployed) -> None:
    assert list(not_deployable(back, execution_policies())) == []


def test_the_boundary_leaves_every_role_what_it_was_granted(back: Deployed) -> None:
    actions = {
        action
        for policy in back.resources("AWS::IAM::Policy")
        for statement in policy.properties["PolicyDocument"]["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }
    assert sorted(action for action in actions if not allowed(action, [boundary()])) == []


@pytest.mark.xdist_group("gate")
def test_the_checkers_are_answered(tmp_path: Path) -> None:
    """With the waivers in place a finding that none answers stops the synthesis."""
    _checked(tmp_path, recovered()).synth()


@pytest.mark.xdist_group("gate")
def test_a_finding_here_stops_the_synthesis(tmp_path: Path) -> None:
    app = _checked(tmp_path, recovered())
    stack = cast("cdk.Stack", app.node.find_child("production").node.find_child("queues"))
    cdk.CfnResource(stack, "New", type="AWS::SQS::Queue", properties={"VisibilityTimeoutt": 30})
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()


def _checked(folder: Path, environment: Environment) -> cdk.App:
    from cdk_nag import AwsSolutionsChecks  # noqa: PLC0415 -- takes seconds, and only the gate's worker needs it

    app = synthesise_recovered(folder, environment, checked=True)
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return app


# ---- what cannot be ---------------------------------------------------------------------------------------------------


def test_the_plan_is_what_the_command_line_builds_at_rest(tmp_path: Path) -> None:
    """As on the day itself: nothing is known of the last tree yet."""
    said = "111111111111.dkr.ecr.eu-west-1.amazonaws.com/amply@sha256:" + "a" * 64
    built = read(synthesise(tmp_path, only="production", recovering=HERE, idle=True, image=said))[
        "production"
    ]
    assert settings(built).lost_region == LOST
    assert {service.properties["DesiredCount"] for service in built.resources("AWS::ECS::Service")} == {0}
    assert f"dkr.ecr.{HERE}.amazonaws.com/amply@sha256:{'a' * 64}" in text(built)
    assert LOST not in text(built)


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
        recovering(STAGING, region=HERE)


def test_an_environment_comes_back_where_its_copies_are_and_nowhere_else() -> None:
    with pytest.raises(ValueError, match="keeps its copies in eu-central-1, not in 'eu-west-3'"):
        recovering(PRODUCTION, region="eu-west-3")


def test_a_rotation_of_the_signing_key_must_have_ended() -> None:
    with pytest.raises(ValueError, match="a rotation of the signing key was under way"):
        recovering(replace(PRODUCTION, signing_keys=SigningKeys(present=1, coming=2)), region=HERE)


def test_another_keys_last_tree_is_refused() -> None:
    with pytest.raises(ValueError, match="key 2 is the one that is lost, not 1"):
        recovering(
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
        recovering(replace(PRODUCTION, recovery=plan, tasks=PRODUCTION.tasks.at_rest()), region=HERE)


def test_copies_without_a_plan_are_refused_and_a_plan_without_copies() -> None:
    with pytest.raises(ValueError, match="are one thing"):
        replace(PRODUCTION, recovery=None)
    with pytest.raises(ValueError, match="are one thing"):
        replace(STAGING, recovery=_plan())


def test_an_image_outside_the_lost_registry_is_left_where_it_is() -> None:
    elsewhere = ImageReference(repository="ghcr.io/amply/amply", digest=None)
    assert elsewhere.in_region(HERE, instead_of=LOST) is elsewhere


def test_the_others_are_as_they_were(tmp_path: Path) -> None:
    """Staging stands in an account of its own, and nothing about it changes by this."""
    before = read(synthesise(tmp_path / "before", only="staging", idle=True))["staging"]
    built = read(synthesise(tmp_path / "built", only="staging", idle=True, recovering=HERE))["staging"]
    assert built.templates == before.templates
    assert _places(built) == _places(before)


def _places(deployed: Deployed) -> set[str]:
    return {manifest["environment"] for manifest in deployed.manifests.values()}
