"""Invariants of every template: each rule yields a sentence for each violation."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from constructs_lib.durability import Loss
from stacks.platform import BOUNDARY
from tests.infrastructure import edge_invariants
from tests.infrastructure.assembly import Deployed, Resource, kind, settings
from tests.infrastructure.grants import KEY, covers, grants, many, statements

Rule = Callable[[Deployed], Iterator[str]]

KEPT_WITH_DURABILITY = (
    "AWS::S3::Bucket",
    "AWS::KMS::Key",
    "AWS::SQS::Queue",
    "AWS::Logs::LogGroup",
    "AWS::Route53::HostedZone",
)
DATABASE = "AWS::RDS::DBInstance"
SECRET = "AWS::SecretsManager::Secret"
POLICIES: Mapping[Loss, tuple[str, str]] = {
    Loss.NEVER: ("Retain", "Retain"),
    Loss.AFTER_SNAPSHOT: ("Retain", "Snapshot"),
    Loss.ACCEPTED: ("Delete", "Delete"),
}
TAGGED = (
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
    "AWS::ECS::Service",
    "AWS::ECS::TaskDefinition",
    DATABASE,
    SECRET,
)
LIBRARY_ROLES = ("Custom::CDKBucketDeployment",)
SECRET_SHAPES = re.compile(r"sk_(live|test)_\w+|whsec_\w+|AKIA[0-9A-Z]{16}|-----BEGIN|rk_live_\w+")


def data_leaves_only_as_durability_says(deployed: Deployed) -> Iterator[str]:
    kept, snapshotted = POLICIES[settings(deployed).durability.loss]
    expected = dict.fromkeys(KEPT_WITH_DURABILITY, kept) | {SECRET: kept, DATABASE: snapshotted}
    for resource in deployed.resources(*expected):
        if resource.stack.endswith("/cache"):
            continue  # holds nothing worth keeping, in every environment
        if follows(resource):
            continue  # and holds nothing that what it follows does not
        found = {resource.body.get("DeletionPolicy"), resource.body.get("UpdateReplacePolicy")}
        if found != {expected[resource.type]}:
            yield f"{resource.where}: {found}, not {expected[resource.type]}"


def everything_is_encrypted_at_rest(deployed: Deployed) -> Iterator[str]:
    required = {
        "AWS::S3::Bucket": ("BucketEncryption",),
        "AWS::SQS::Queue": ("SqsManagedSseEnabled",),
        DATABASE: ("StorageEncrypted", "KmsKeyId"),
        "AWS::ElastiCache::ReplicationGroup": ("AtRestEncryptionEnabled", "KmsKeyId"),
    }
    for resource in deployed.resources(*required):
        if follows(resource) or is_restored(resource):
            continue  # as what it follows or was made from; RDS refuses to be told
        for name in required[resource.type]:
            if not resource.properties.get(name):
                yield f"{resource.where}: no {name}"


def clients_must_speak_tls(deployed: Deployed) -> Iterator[str]:
    guarded = {"AWS::S3::Bucket": "Bucket", "AWS::SQS::Queue": "Queues", "AWS::SNS::Topic": "Topics"}
    refusing = set()
    for policy in deployed.resources(
        "AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy"
    ):
        if any(map(_refuses_plain_text, statements(policy.properties["PolicyDocument"]))):
            refusing |= {(policy.stack, name) for name in _names(policy.properties)}
    for resource in deployed.resources(*guarded):
        if (resource.stack, resource.logical_id) not in refusing:
            yield f"{resource.where}: answers without TLS"
    for group in deployed.resources("AWS::ElastiCache::ReplicationGroup"):
        if group.properties.get("TransitEncryptionMode") != "required":
            yield f"{group.where}: answers without TLS"
    for parameters in deployed.resources("AWS::RDS::DBParameterGroup"):
        if parameters.properties["Parameters"].get("rds.force_ssl") != "1":
            yield f"{parameters.where}: answers without TLS"


def the_database_logs_no_values(deployed: Deployed) -> Iterator[str]:
    """What statements are given is personal or secret, and the database's log is read by more people than its tables."""
    silent = {
        "log_parameter_max_length": "0",
        "log_parameter_max_length_on_error": "0",
        "log_error_verbosity": "terse",
    }
    for group in deployed.resources("AWS::RDS::DBParameterGroup"):
        for name, value in silent.items():
            if group.properties["Parameters"].get(name) != value:
                yield f"{group.where}: {name} is not {value}"


def buckets_are_never_public(deployed: Deployed) -> Iterator[str]:
    for bucket in deployed.resources("AWS::S3::Bucket"):
        blocks = bucket.properties.get("PublicAccessBlockConfiguration", {})
        if set(blocks.values()) != {True} or len(blocks) != 4:
            yield f"{bucket.where}: {blocks}"


def nobody_comes_in_from_anywhere(deployed: Deployed) -> Iterator[str]:
    """The edge and the HTTP API are AWS's own; nothing in our network takes a call from outside it."""
    for resource in deployed.resources("AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupIngress"):
        single = resource.type == "AWS::EC2::SecurityGroupIngress"
        rules = [resource.properties] if single else resource.properties.get("SecurityGroupIngress", [])
        for rule in rules:
            if rule.get("CidrIp") or rule.get("CidrIpv6"):
                yield f"{resource.where}: lets in {rule}"
    for balancer in deployed.resources("AWS::ElasticLoadBalancingV2::LoadBalancer"):
        if balancer.properties.get("Scheme") != "internal":
            yield f"{balancer.where}: faces the internet"
    for database in deployed.resources(DATABASE):
        if database.properties.get("PubliclyAccessible") is not False:
            yield f"{database.where}: has a public address"


def logs_are_forgotten_in_time(deployed: Deployed) -> Iterator[str]:
    for group in deployed.resources("AWS::Logs::LogGroup"):
        if not group.properties.get("RetentionInDays"):
            yield f"{group.where}: kept for ever"


def functions_write_to_a_log_of_their_stack(deployed: Deployed) -> Iterator[str]:
    """Lambda makes a log for those that name none: kept for ever, in no template, still there when the stack is gone."""
    ours = {(group.stack, group.logical_id) for group in deployed.resources("AWS::Logs::LogGroup")}
    for function in deployed.resources("AWS::Lambda::Function"):
        named = _names(function.properties.get("LoggingConfig", {}).get("LogGroup"))
        if not {(function.stack, name) for name in named} & ours:
            yield f"{function.where}: writes to no log of its stack"
    for role in deployed.resources("AWS::IAM::Role"):
        if "/AWSLambda" in json.dumps(role.properties.get("ManagedPolicyArns", [])):
            yield f"{role.where}: AWS's policy makes a log again that went with its stack"
    for resource, statement in grants(deployed):
        allowed = statement["Effect"] == "Allow" and resource.type != KEY
        if allowed and covers(statement, "logs:CreateLogGroup"):
            yield f"{resource.where}: makes a log again that went with its stack"


def failing_messages_are_set_aside_and_noticed(deployed: Deployed) -> Iterator[str]:
    queues = list(deployed.resources("AWS::SQS::Queue"))
    targets = {name for queue in queues for name in _names(queue.properties.get("RedrivePolicy", {}))}
    for bus in deployed.resources("AWS::Events::EventBus"):
        targets |= _names(bus.properties.get("DeadLetterConfig", {}))
    for queue in queues:
        if "RedrivePolicy" not in queue.properties and queue.logical_id not in targets:
            yield f"{queue.where}: nowhere to set failing messages aside"
    watched = "".join(json.dumps(alarm.properties) for alarm in deployed.resources("AWS::CloudWatch::Alarm"))
    for queue in queues:
        if queue.logical_id not in watched:
            yield f"{queue.where}: no alarm looks at it"


def no_action_is_a_wildcard(deployed: Deployed) -> Iterator[str]:
    """Prefixes such as s3:GetObject* are allowed to the CDK's own uploader alone."""
    for resource, statement in grants(deployed):
        if statement["Effect"] != "Allow" or resource.type == KEY:
            continue
        if "NotAction" in statement or "NotResource" in statement:
            yield f"{resource.where}: allows all but what it names"
        for action in many(statement.get("Action", [])):
            whole = action == "*" or action.endswith(":*")
            if "*" in action and (whole or not _is_the_library(resource)):
                yield f"{resource.where}: {action}"


def every_role_ends_at_the_boundary(deployed: Deployed) -> Iterator[str]:
    for role in deployed.resources("AWS::IAM::Role"):
        if f":policy/{BOUNDARY}" not in json.dumps(role.properties.get("PermissionsBoundary")):
            yield f"{role.where}: may be given anything"


def secrets_travel_by_reference(deployed: Deployed) -> Iterator[str]:
    for task in deployed.resources("AWS::ECS::TaskDefinition"):
        for container in task.properties["ContainerDefinitions"]:
            for variable in container["Environment"]:
                value = json.dumps(variable["Value"])
                if "{{resolve" in value or re.search(
                    r"SECRET|PASSWORD|COMMITMENT_KEY|LINK_KEY|PEOPLE_KEY", variable["Name"]
                ):
                    yield f"{task.where}: {variable['Name']} in plain words"
    for stack, template in deployed.templates.items():
        for shape in SECRET_SHAPES.finditer(json.dumps(template)):
            yield f"{deployed.name}/{stack}: {shape.group()[:8]}…"


def containers_are_confined(deployed: Deployed) -> Iterator[str]:
    for task in deployed.resources("AWS::ECS::TaskDefinition"):
        properties = task.properties
        if properties["RuntimePlatform"]["CpuArchitecture"] != "ARM64":
            yield f"{task.where}: not ARM64"
        if len(properties["ContainerDefinitions"]) != 1:
            yield f"{task.where}: not exactly one container"
        for container in properties["ContainerDefinitions"]:
            if container.get("ReadonlyRootFilesystem") is not True:
                yield f"{task.where}: its file system can be written"
            if container.get("User", "0").split(":")[0] in {"0", "root"}:
                yield f"{task.where}: runs as root"
            capabilities = container.get("LinuxParameters", {}).get("Capabilities", {})
            if capabilities.get("Drop") != ["ALL"] or capabilities.get("Add") or container.get("Privileged"):
                yield f"{task.where}: keeps or adds capabilities"


def deployments_roll_back(deployed: Deployed) -> Iterator[str]:
    for service in deployed.resources("AWS::ECS::Service"):
        breaker = service.properties["DeploymentConfiguration"].get("DeploymentCircuitBreaker", {})
        if breaker != {"Enable": True, "Rollback": True}:
            yield f"{service.where}: {breaker}"


def new_versions_meet_a_few_people_first(deployed: Deployed) -> Iterator[str]:
    """Where a rollout is agreed, the service with traffic has it, with its alarms and a bake time of its own."""
    agreed = settings(deployed).tasks.rollout
    alarms = {alarm.properties.get("AlarmName") for alarm in deployed.resources("AWS::CloudWatch::Alarm")}
    for service in deployed.resources("AWS::ECS::Service"):
        configuration = service.properties["DeploymentConfiguration"]
        if agreed is None or not service.properties.get("LoadBalancers"):
            continue
        if (configuration.get("Strategy"), configuration.get("BakeTimeInMinutes")) != (
            "CANARY",
            agreed.bake_minutes,
        ):
            yield f"{service.where}: everyone meets a new version at once"
        ending = configuration.get("Alarms", {})
        if not ending.get("Enable") or not ending.get("Rollback") or not ending.get("AlarmNames"):
            yield f"{service.where}: nothing ends a bad rollout"
        elif not set(ending["AlarmNames"]) <= alarms:
            yield f"{service.where}: {ending['AlarmNames']} are not all there"


def nobody_opens_a_shell(deployed: Deployed) -> Iterator[str]:
    """Except in the sandbox, where no real data is."""
    for service in deployed.resources("AWS::ECS::Service"):
        if service.properties.get("EnableExecuteCommand") and kind(deployed) != "sandbox":
            yield f"{service.where}: people can get in"


def alarms_lead_to_their_page(deployed: Deployed) -> Iterator[str]:
    """One of its own, or one of several whose names begin as the page is called."""
    for alarm in deployed.resources("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"):
        name = str(alarm.properties.get("AlarmName", "")).removeprefix(f"amply-{deployed.name}-")
        page = re.search(r"docs/runbooks/alarms/([a-z-]+)\.md", str(alarm.properties.get("AlarmDescription")))
        if page is None or not f"{name}-".startswith(f"{page[1]}-"):
            yield f"{alarm.where}: does not say what to do"


def events_are_kept(deployed: Deployed) -> Iterator[str]:
    """Each bus has an archive, and ours a place for what cannot be delivered."""
    archived = {
        name
        for archive in deployed.resources("AWS::Events::Archive")
        for name in _names(archive.properties["SourceArn"])
    }
    for bus in deployed.resources("AWS::Events::EventBus"):
        if bus.logical_id not in archived:
            yield f"{bus.where}: no archive"
        if "EventSourceName" not in bus.properties and "DeadLetterConfig" not in bus.properties:
            yield f"{bus.where}: nowhere to set undeliverable events aside"


def some_services_never_run_twice(deployed: Deployed) -> Iterator[str]:
    for service in deployed.resources("AWS::ECS::Service"):
        name = service.logical_id
        if not name.startswith(("Scheduler", "Sequencer", "Publisher", "Releases")):
            continue
        configuration = service.properties["DeploymentConfiguration"]
        limits = (configuration["MinimumHealthyPercent"], configuration["MaximumPercent"])
        if limits != (0, 100) or service.properties["DesiredCount"] != 1:
            yield f"{service.where}: {limits}"


def resources_say_whose_they_are(deployed: Deployed) -> Iterator[str]:
    for resource in deployed.resources(*TAGGED):
        tags = {tag["Key"]: tag["Value"] for tag in resource.properties.get("Tags", [])}
        if tags.get("amply:environment") != deployed.name or tags.get("amply:project") != "amply":
            yield f"{resource.where}: {tags}"


def stacks_are_bound_loosely(deployed: Deployed) -> Iterator[str]:
    """No export that blocks its producer, and nothing looked up that a template could have guessed wrong."""
    for stack, template in deployed.templates.items():
        text = json.dumps(template)
        for trace in ("Fn::ImportValue", "vpc-12345", "dummy1"):
            if trace in text:
                yield f"{deployed.name}/{stack}: {trace}"


RULES: tuple[Rule, ...] = (
    data_leaves_only_as_durability_says,
    everything_is_encrypted_at_rest,
    clients_must_speak_tls,
    the_database_logs_no_values,
    buckets_are_never_public,
    nobody_comes_in_from_anywhere,
    logs_are_forgotten_in_time,
    functions_write_to_a_log_of_their_stack,
    failing_messages_are_set_aside_and_noticed,
    no_action_is_a_wildcard,
    every_role_ends_at_the_boundary,
    secrets_travel_by_reference,
    containers_are_confined,
    deployments_roll_back,
    new_versions_meet_a_few_people_first,
    nobody_opens_a_shell,
    alarms_lead_to_their_page,
    events_are_kept,
    some_services_never_run_twice,
    resources_say_whose_they_are,
    stacks_are_bound_loosely,
    *edge_invariants.RULES,
)


def follows(resource: Resource) -> bool:
    """Whether it is a read replica of another instance."""
    return "SourceDBInstanceIdentifier" in resource.properties


def is_restored(resource: Resource) -> bool:
    """Whether it is made from a backup, with the backup's encryption."""
    return bool({"SourceDBInstanceAutomatedBackupsArn", "DBSnapshotIdentifier"} & set(resource.properties))


def _names(value: object) -> set[str]:
    """The logical ids a value refers to."""
    if isinstance(value, dict):
        if "Ref" in value:
            return {str(value["Ref"])}
        if "Fn::GetAtt" in value:
            return {str(value["Fn::GetAtt"][0])}
        return {name for inner in value.values() for name in _names(inner)}
    if isinstance(value, list):
        return {name for inner in value for name in _names(inner)}
    return set()


def _refuses_plain_text(statement: Mapping[str, Any]) -> bool:
    condition = statement.get("Condition", {}).get("Bool", {})
    return bool(statement["Effect"] == "Deny" and condition.get("aws:SecureTransport") == "false")


def _is_the_library(resource: Resource) -> bool:
    return any(role in resource.path for role in LIBRARY_ROLES)
