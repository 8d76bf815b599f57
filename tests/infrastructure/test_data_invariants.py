"""The rules about what keeps data hold in every environment, and each notices when it does not."""

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from stacks.contracts import READ_IN_DEPLOYMENTS_TAG
from tests.infrastructure import data_invariants as rules
from tests.infrastructure.assembly import Deployed

Template = dict[str, Any]
Break = Callable[[Template], None]


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_the_rule_holds(rule: Callable[[Deployed], Iterator[str]], deployed: Deployed) -> None:
    assert list(rule(deployed)) == []


def _resources(template: Template, kind: str) -> list[Template]:
    found = [body["Properties"] for body in template["Resources"].values() if body["Type"] == kind]
    assert found, f"no {kind} to break"
    return found


def _nothing_selected(template: Template) -> None:
    for selection in _resources(template, rules.SELECTION):
        selection["BackupSelection"]["Resources"] = []


def _keep_a_day(template: Template) -> None:
    for plan in _resources(template, rules.PLAN):
        plan["BackupPlan"]["BackupPlanRule"][0]["Lifecycle"]["DeleteAfterDays"] = 1


def _copy_nothing(template: Template) -> None:
    for plan in _resources(template, rules.PLAN):
        for rule in plan["BackupPlan"]["BackupPlanRule"]:
            rule.pop("CopyActions", None)


def _lock(**lock: int) -> Break:
    def apply(template: Template) -> None:
        for vault in _resources(template, rules.VAULT):
            vault["LockConfiguration"] = lock

    return apply


def _drop(kind: str, name: str) -> Break:
    def apply(template: Template) -> None:
        for properties in _resources(template, kind):
            properties.pop(name, None)

    return apply


def _copy_deletions(template: Template) -> None:
    for bucket in _resources(template, rules.BUCKET):
        for rule in bucket.get("ReplicationConfiguration", {}).get("Rules", []):
            rule["DeleteMarkerReplication"]["Status"] = "Enabled"


def _copy_next_door(template: Template) -> None:
    for bucket in _resources(template, rules.BUCKET):
        for rule in bucket.get("ReplicationConfiguration", {}).get("Rules", []):
            rule["Destination"]["Bucket"] = {"Fn::GetAtt": ["AccessLogs8B620ECA", "Arn"]}


def _grant(action: str, resource: object = "*") -> Break:
    def apply(template: Template) -> None:
        for policy in _resources(template, "AWS::IAM::Policy"):
            policy["PolicyDocument"]["Statement"].append(
                {"Effect": "Allow", "Action": action, "Resource": resource}
            )

    return apply


def _give_every_task(secret: object) -> Break:
    def apply(template: Template) -> None:
        for task in _resources(template, "AWS::ECS::TaskDefinition"):
            task["ContainerDefinitions"][0]["Secrets"].append({"Name": "MORE", "ValueFrom": secret})

    return apply


def _let_deployments_read_all(template: Template) -> None:
    for secret in _resources(template, rules.SECRET):
        secret.setdefault("Tags", []).append({"Key": READ_IN_DEPLOYMENTS_TAG, "Value": "production"})


BREAKS: Mapping[str, tuple[Callable[[Deployed], Iterator[str]], str, str, Break]] = {
    "data in no plan": (
        rules.what_holds_data_is_in_a_backup_plan,
        "production",
        "backup",
        _nothing_selected,
    ),
    "a backup kept for a day": (
        rules.backups_are_taken_daily_weekly_and_monthly,
        "production",
        "backup",
        _keep_a_day,
    ),
    "a vault without a lock": (
        rules.vaults_are_locked_as_durability_says,
        "production",
        "backup",
        _drop(rules.VAULT, "LockConfiguration"),
    ),
    "a lock in production that can be taken off": (
        rules.vaults_are_locked_as_durability_says,
        "production",
        "replica",
        _lock(MinRetentionDays=7, MaxRetentionDays=400),
    ),
    "a lock for ever where data may be lost": (
        rules.vaults_are_locked_as_durability_says,
        "staging",
        "backup",
        _lock(MinRetentionDays=7, MaxRetentionDays=63, ChangeableForDays=3),
    ),
    "a lock without time to think again": (
        rules.vaults_are_locked_as_durability_says,
        "production",
        "backup",
        _lock(MinRetentionDays=7, MaxRetentionDays=400, ChangeableForDays=1),
    ),
    "backups in one region": (rules.backups_reach_another_region, "production", "backup", _copy_nothing),
    "a database whose backups stay": (
        rules.backups_reach_another_region,
        "production",
        "database",
        _drop(rules.DATABASE, "AutomaticBackupReplicationRegion"),
    ),
    "buckets in one region": (
        rules.buckets_are_copied_to_another_region,
        "production",
        "storage",
        _drop(rules.BUCKET, "ReplicationConfiguration"),
    ),
    "a deletion that is copied": (
        rules.buckets_are_copied_to_another_region,
        "production",
        "storage",
        _copy_deletions,
    ),
    "a copy in the same region": (
        rules.buckets_are_copied_to_another_region,
        "production",
        "storage",
        _copy_next_door,
    ),
    "a role that deletes copies": (
        rules.who_copies_cannot_delete,
        "production",
        "storage",
        _grant("s3:ReplicateDelete"),
    ),
    "a key gone in a week": (
        rules.keys_can_be_called_back_and_are_rotated,
        "production",
        "keys",
        _drop(rules.KEY, "PendingWindowInDays"),
    ),
    "a key that is never rotated": (
        rules.keys_can_be_called_back_and_are_rotated,
        "production",
        "replica",
        _drop(rules.KEY, "EnableKeyRotation"),
    ),
    "a task that signs in as another": (
        rules.tasks_sign_in_as_themselves,
        "production",
        "api",
        _grant("rds-db:connect", "arn:aws:rds-db:eu-west-1:111111111111:dbuser:db-1/amply_app"),
    ),
    "a task that signs in as the master": (
        rules.tasks_sign_in_as_themselves,
        "sandbox",
        "workers",
        _grant("rds-db:connect", "arn:aws:rds-db:eu-west-1:333333333333:dbuser:db-1/amply_master"),
    ),
    "someone who is no task": (
        rules.tasks_sign_in_as_themselves,
        "production",
        "storage",
        _grant("rds-db:connect", "arn:aws:rds-db:eu-west-1:111111111111:dbuser:db-1/*"),
    ),
    "an execution role that reads every secret": (
        rules.secrets_are_read_by_whom_they_are_for,
        "production",
        "workers",
        _grant("secretsmanager:GetSecretValue"),
    ),
    "a task role that reads a secret": (
        rules.secrets_are_read_by_whom_they_are_for,
        "production",
        "storage",
        _grant("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:111111111111:secret:x"),
    ),
    "a task that is given what its role cannot read": (
        rules.secrets_are_read_by_whom_they_are_for,
        "production",
        "api",
        _give_every_task("arn:aws:secretsmanager:eu-west-1:111111111111:secret:another"),
    ),
    "a secret that deployments may read for nothing": (
        rules.secrets_are_read_by_whom_they_are_for,
        "production",
        "keys",
        _let_deployments_read_all,
    ),
    "a secret that a template resolves and no deployment may read": (
        rules.secrets_are_read_by_whom_they_are_for,
        "production",
        "cache",
        _drop(rules.SECRET, "Tags"),
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_the_rule_notices(name: str, environments: Mapping[str, Deployed]) -> None:
    rule, environment, stack, break_it = BREAKS[name]
    whole = environments[environment]
    templates = {key: dict(value) for key, value in whole.templates.items()}
    templates[stack] = copy.deepcopy(templates[stack])
    break_it(templates[stack])

    found = list(rule(Deployed(whole.name, templates, whole.manifests)))

    assert found
    assert all(place.startswith(f"{environment}/") for place in found)


def test_every_rule_is_broken_once() -> None:
    assert {rule for rule, _, _, _ in BREAKS.values()} == set(rules.RULES)
