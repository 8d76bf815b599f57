"""Invariants of data stores in every environment: backups, copies, locks, keys, sign-in.

Like invariants.py: each rule yields a sentence for each place that breaks it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from constructs_lib.durability import Loss
from stacks.backup import KEPT_OTHERWISE
from stacks.contracts import CONTAINERS, READ_IN_DEPLOYMENTS_TAG, TaskName
from stacks.lake.copies import ACCEPTED
from stacks.lake.copies import KEPT_OTHERWISE as LAKE_KEPT_OTHERWISE
from stacks.lake.copies import STAYS_HERE as LAKE_STAYS_HERE
from stacks.storage import STAYS_HERE
from tests.infrastructure.assembly import Deployed, Resource, settings
from tests.infrastructure.invariants import follows

DATABASE, BUCKET, KEY = "AWS::RDS::DBInstance", "AWS::S3::Bucket", "AWS::KMS::Key"
PLAN, SELECTION, VAULT = "AWS::Backup::BackupPlan", "AWS::Backup::BackupSelection", "AWS::Backup::BackupVault"
BACKED_UP = (DATABASE, BUCKET, "AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable", "AWS::EFS::FileSystem")
SECRET, ATTACHMENT = "AWS::SecretsManager::Secret", "AWS::SecretsManager::SecretTargetAttachment"
RESOLVE = "{{resolve:secretsmanager:"
COPIED_IN_PART: Mapping[str, Sequence[str]] = {"lake/Raw": ACCEPTED, "lakereplica/Raw": ACCEPTED}
"""Buckets of which a part is copied, by stack and construct."""
Place = tuple[str, str]


def what_holds_data_is_in_a_backup_plan(deployed: Deployed) -> Iterator[str]:
    if settings(deployed).durability.kept_backups is None:
        return
    selected = {
        place
        for selection in deployed.resources(SELECTION)
        for place in places(deployed, selection, selection.properties["BackupSelection"]["Resources"])
    }
    for resource in deployed.resources(*BACKED_UP):
        if follows(resource):
            continue  # what it follows is in the plan
        if _place(resource) not in selected and _construct(resource) not in {
            **KEPT_OTHERWISE,
            **LAKE_KEPT_OTHERWISE,
        }:
            yield f"{resource.where}: in no backup plan, and stacks/backup.py gives no reason"


def backups_are_taken_daily_weekly_and_monthly(deployed: Deployed) -> Iterator[str]:
    kept = settings(deployed).durability.kept_backups
    expected = (
        {"Daily": kept.daily, "Weekly": kept.weekly, "Monthly": kept.monthly} if kept is not None else {}
    )
    found = {
        rule["RuleName"]: rule["Lifecycle"]["DeleteAfterDays"]
        for plan in deployed.resources(PLAN)
        for rule in plan.properties["BackupPlan"]["BackupPlanRule"]
    }
    if found != expected:
        yield f"{deployed.name}/backup: {found}, not {expected}"


def vaults_are_locked_as_durability_says(deployed: Deployed) -> Iterator[str]:
    """`ChangeableForDays` is what makes a lock final: it belongs to data that is never lost, and nowhere else."""
    loss = settings(deployed).durability.loss
    for vault in deployed.resources(VAULT):
        lock = vault.properties.get("LockConfiguration", {})
        final = "ChangeableForDays" in lock
        if "MinRetentionDays" not in lock:
            yield f"{vault.where}: not locked"
        elif final != (loss is Loss.NEVER):
            yield f"{vault.where}: its lock is {'final' if final else 'not final'}"
        elif final and lock["ChangeableForDays"] < 3:
            yield f"{vault.where}: no time to take the lock off again"


def backups_reach_another_region(deployed: Deployed) -> Iterator[str]:
    region = settings(deployed).replica_region
    if region is None:
        return
    for plan in deployed.resources(PLAN):
        for rule in plan.properties["BackupPlan"]["BackupPlanRule"]:
            stacks = {stack for stack, _ in places(deployed, plan, rule.get("CopyActions", []))}
            if stacks != {_copies(deployed, plan)}:
                yield f"{plan.where}: {rule['RuleName']} is not copied"
    for database in deployed.resources(DATABASE):
        if database.properties.get("AutomaticBackupReplicationRegion") != region:
            yield f"{database.where}: its backups stay in its region"


def buckets_are_copied_to_another_region(deployed: Deployed) -> Iterator[str]:
    if settings(deployed).replica_region is None:
        return
    stay = {**STAYS_HERE, **LAKE_STAYS_HERE}
    for bucket in deployed.resources(BUCKET):
        construct, copies = _construct(bucket), _copies(deployed, bucket)
        if bucket.stack.endswith(f"/{copies}") or construct in stay:
            continue
        rules = bucket.properties.get("ReplicationConfiguration", {}).get("Rules", [])
        live = [rule for rule in rules if rule["Status"] == "Enabled"]
        if [rule["Filter"] for rule in live] != [
            {"Prefix": prefix} for prefix in COPIED_IN_PART.get(construct, [""])
        ]:
            yield f"{bucket.where}: is not copied, and stacks/storage.py gives no reason"
        for rule in live:
            if rule["DeleteMarkerReplication"]["Status"] != "Disabled":
                yield f"{bucket.where}: what is deleted here is deleted there"
            if {stack for stack, _ in places(deployed, bucket, rule["Destination"])} != {copies}:
                yield f"{bucket.where}: is copied to somewhere else"


def who_copies_cannot_delete(deployed: Deployed) -> Iterator[str]:
    for policy in deployed.resources("AWS::IAM::Policy"):
        if "/Replication/" not in policy.path:
            continue
        for statement in policy.properties["PolicyDocument"]["Statement"]:
            for action in _many(statement["Action"]):
                if "Delete" in action or "Bypass" in action or "*" in action:
                    yield f"{policy.where}: {action}"


def keys_can_be_called_back_and_are_rotated(deployed: Deployed) -> Iterator[str]:
    durability = settings(deployed).durability
    named = {
        place
        for alias in deployed.resources("AWS::KMS::Alias")
        for place in places(deployed, alias, alias.properties["TargetKeyId"])
    }
    for key in deployed.resources(KEY):
        if key.properties.get("PendingWindowInDays") != durability.key_deletion_window.to_days():
            yield f"{key.where}: is gone too soon after a mistake"
        symmetric = key.properties.get("KeySpec", "SYMMETRIC_DEFAULT") == "SYMMETRIC_DEFAULT"
        if symmetric and key.properties.get("EnableKeyRotation") is not True:
            yield f"{key.where}: never rotated"
        if _place(key) not in named:
            yield f"{key.where}: has no alias"


def tasks_sign_in_as_themselves(deployed: Deployed) -> Iterator[str]:
    """One database user a task, as the contract names it; nobody signs in as the master or as everyone."""
    allowed = _sign_ins(deployed)
    for task in deployed.resources("AWS::ECS::TaskDefinition"):
        name = task.properties["Family"].removeprefix(f"{deployed.name}-")
        user = CONTAINERS[TaskName(name)].database_user
        roles = places(deployed, task, task.properties["TaskRoleArn"])
        found = {users for role in roles for users in allowed.pop(role, set())}
        if found != ({user} if user else set()):
            yield f"{task.where}: signs in as {sorted(found)}, not as {user}"
    everyone = {contract.database_user for contract in CONTAINERS.values()}
    for role, users in allowed.items():
        if role[0] == "database" and role[1].startswith("ProxyRole") and users <= everyone:
            continue  # it passes on who signed in to it
        yield f"{deployed.name}/{'/'.join(role)}: no task, and signs in as {sorted(users)}"


def secrets_are_read_by_whom_they_are_for(deployed: Deployed) -> Iterator[str]:
    """A task's execution role reads what its definition names, a deployment what a template resolves, a rotation its own."""
    readers = _secret_readers(deployed)
    for task in deployed.resources("AWS::ECS::TaskDefinition"):
        named = {
            place
            for container in task.properties["ContainerDefinitions"]
            for secret in container.get("Secrets", [])
            for place in _secrets(deployed, _place(task)[0], secret["ValueFrom"])
        }
        for role in places(deployed, task, task.properties["ExecutionRoleArn"]):
            if (read := readers.pop(role, set())) != named:
                yield f"{task.where}: may read {sorted(read)}, and is given {sorted(named)}"
    resolved = set(_resolved(deployed))
    for role, read in readers.items():
        if _is_of_a_throw_away(deployed, role):
            continue
        if not (role[1].startswith("RotationRole") and read <= resolved):
            yield f"{deployed.name}/{'/'.join(role)}: reads {sorted(read)}, and is given none"
    for secret in deployed.resources(SECRET):
        tags = {tag["Key"]: tag["Value"] for tag in secret.properties.get("Tags", [])}
        expected = deployed.name if _place(secret) in resolved else None
        if tags.get(READ_IN_DEPLOYMENTS_TAG) != expected:
            yield f"{secret.where}: deployments {'must' if expected else 'need not'} read it"


RULES = (
    what_holds_data_is_in_a_backup_plan,
    backups_are_taken_daily_weekly_and_monthly,
    vaults_are_locked_as_durability_says,
    backups_reach_another_region,
    buckets_are_copied_to_another_region,
    who_copies_cannot_delete,
    keys_can_be_called_back_and_are_rotated,
    tasks_sign_in_as_themselves,
    secrets_are_read_by_whom_they_are_for,
)


def _copies(deployed: Deployed, resource: Resource) -> str:
    """The stack that its copies go to; what were copies once are the originals where a region was lost. The lake has its own."""
    of_the_lake = "lake" if _place(resource)[0].startswith("lake") else ""
    return f"{of_the_lake}{'copies' if settings(deployed).lost_region else 'replica'}"


def _sign_ins(deployed: Deployed) -> dict[Place, set[str]]:
    """The database users each role may sign in as: what stands last in the ARN that `rds-db:connect` names."""
    found: dict[Place, set[str]] = {}
    for policy in deployed.resources("AWS::IAM::Policy"):
        for statement in policy.properties["PolicyDocument"]["Statement"]:
            if "rds-db:connect" not in _many(statement["Action"]):
                continue
            arns = statement["Resource"]
            users = {_last_word(arn) for arn in (arns if isinstance(arns, list) else [arns])}
            for role in places(deployed, policy, policy.properties["Roles"]):
                found.setdefault(role, set()).update(users)
    return found


def _secret_readers(deployed: Deployed) -> dict[Place, set[Place]]:
    """Role to the secrets whose values it may read; whatever is no secret of ours is shown as it is written."""
    found: dict[Place, set[Place]] = {}
    for policy in deployed.resources("AWS::IAM::Policy"):
        for statement in policy.properties["PolicyDocument"]["Statement"]:
            actions = _many(statement["Action"])
            if statement["Effect"] != "Allow" or not {
                "secretsmanager:GetSecretValue",
                "secretsmanager:*",
                "*",
            } & set(actions):
                continue
            read = _secrets(deployed, _place(policy)[0], statement["Resource"])
            for role in places(deployed, policy, policy.properties["Roles"]):
                found.setdefault(role, set()).update(read)
    return found


def _is_of_a_throw_away(deployed: Deployed, role: Place) -> bool:
    """A rehearsal reads secrets that RDS keeps, and by RDS's own tag those of throw-away databases alone."""
    throw_away = f":db:{deployed.name}-rehearsal-*"
    conditions = [
        statement.get("Condition", {})
        .get("StringLike", {})
        .get("aws:ResourceTag/aws:rds:primaryDBInstanceArn", "")
        for policy in deployed.resources("AWS::IAM::Policy")
        if role in places(deployed, policy, policy.properties["Roles"])
        for statement in policy.properties["PolicyDocument"]["Statement"]
        if "secretsmanager:GetSecretValue" in _many(statement["Action"])
    ]
    return all(condition.endswith(throw_away) for condition in conditions)


def _secrets(deployed: Deployed, stack: str, value: Any) -> set[Place]:
    """The secrets a value leads to; an instance stands for the secret that RDS keeps for it."""
    found = set()
    for there, logical_id in set(_led_to(deployed, stack, value)) or {(stack, json.dumps(value))}:
        body = deployed.templates.get(there, {}).get("Resources", {}).get(logical_id, {})
        if body.get("Type") == ATTACHMENT:
            found |= _secrets(deployed, there, body["Properties"]["SecretId"])
        else:
            found.add((there, logical_id))
    return found


def _resolved(deployed: Deployed) -> Iterator[Place]:
    """What CloudFormation reads: dynamic references, and secrets it writes a database's address into."""
    for resource in deployed.resources():
        stack = _place(resource)[0]
        if resource.type == ATTACHMENT:
            yield from _secrets(deployed, stack, resource.properties["SecretId"])
        for reference in _dynamic(resource.properties):
            yield from _secrets(deployed, stack, reference)


def _dynamic(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        joined = value.get("Fn::Join")
        if joined and RESOLVE in json.dumps(joined):
            yield joined
        else:
            for inner in value.values():
                yield from _dynamic(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _dynamic(inner)
    elif RESOLVE in str(value):
        yield value


def _last_word(arn: object) -> str:
    return json.dumps(arn).rstrip('"]} ').rpartition("/")[2]


def _place(resource: Resource) -> Place:
    return resource.stack.partition("/")[2], resource.logical_id


def _construct(resource: Resource) -> str:
    """As `stack/Construct`, without the environment before and the parts below."""
    return "/".join(resource.path.split("/")[1:3])


def places(deployed: Deployed, resource: Resource, value: Any) -> set[Place]:
    """The resources a value leads to, in this stack or through an output in another one."""
    return set(_led_to(deployed, _place(resource)[0], value))


def _led_to(deployed: Deployed, stack: str, value: Any) -> Iterator[Place]:
    if isinstance(value, list):
        for inner in value:
            yield from _led_to(deployed, stack, inner)
    elif isinstance(value, Mapping):
        if "Ref" in value:
            yield stack, str(value["Ref"])
        elif "Fn::GetAtt" in value:
            yield stack, str(value["Fn::GetAtt"][0])
        elif "Fn::GetStackOutput" in value:
            output = value["Fn::GetStackOutput"]
            producer = str(output["StackName"]).removeprefix(f"{deployed.name}-")
            outputs = deployed.templates[producer]["Outputs"]
            yield from _led_to(deployed, producer, outputs[output["OutputName"]]["Value"])
        else:
            yield from _led_to(deployed, stack, list(value.values()))


def _many(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
