"""Every rule holds in every environment, and every rule notices when it does not."""

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from tests.infrastructure import edge_invariants, invariants
from tests.infrastructure.assembly import Deployed

Break = Callable[[dict[str, Any]], None]


@pytest.mark.parametrize("rule", invariants.RULES, ids=lambda rule: rule.__name__)
def test_the_rule_holds(rule: invariants.Rule, deployed: Deployed) -> None:
    assert list(rule(deployed)) == []


def _resources(template: dict[str, Any], kind: str) -> Iterator[dict[str, Any]]:
    found = [body for body in template["Resources"].values() if body["Type"] == kind]
    assert found, f"no {kind} to break"
    yield from found


def _set(kind: str, *keys: str, to: object) -> Break:
    """Overwrite a value in every resource of a kind; a key `0` steps into the first of a list."""

    def apply(template: dict[str, Any]) -> None:
        for resource in _resources(template, kind):
            inner: Any = resource
            for key in keys[:-1]:
                inner = inner[0] if key == "0" else inner[key]
            inner[keys[-1]] = to

    return apply


def _drop(kind: str, *keys: str) -> Break:
    def apply(template: dict[str, Any]) -> None:
        for resource in _resources(template, kind):
            inner: Any = resource
            for key in keys[:-1]:
                inner = inner[key]
            inner.pop(keys[-1], None)

    return apply


def _remove(kind: str) -> Break:
    def apply(template: dict[str, Any]) -> None:
        names = [name for name, body in template["Resources"].items() if body["Type"] == kind]
        assert names, f"no {kind} to remove"
        for name in names:
            del template["Resources"][name]

    return apply


def _grant(action: str, **more: object) -> Break:
    def apply(template: dict[str, Any]) -> None:
        for policy in _resources(template, "AWS::IAM::Policy"):
            policy["Properties"]["PolicyDocument"]["Statement"].append(
                {"Effect": "Allow", "Action": action, "Resource": "*", **more}
            )

    return apply


def _grant_all_but(action: str) -> Break:
    def apply(template: dict[str, Any]) -> None:
        for policy in _resources(template, "AWS::IAM::Policy"):
            policy["Properties"]["PolicyDocument"]["Statement"].append(
                {"Effect": "Allow", "NotAction": action, "Resource": "arn:aws:s3:::one"}
            )

    return apply


def _let_the_account_sign(template: dict[str, Any]) -> None:
    for key in _resources(template, "AWS::KMS::Key"):
        key["Properties"]["KeyPolicy"]["Statement"].append(
            {"Effect": "Allow", "Action": "kms:*", "Principal": {"AWS": "arn:aws:iam::111111111111:root"}}
        )


def _tell(name: str, value: object) -> Break:
    def apply(template: dict[str, Any]) -> None:
        for task in _resources(template, "AWS::ECS::TaskDefinition"):
            for container in task["Properties"]["ContainerDefinitions"]:
                container["Environment"].append({"Name": name, "Value": value})

    return apply


def _let_anyone(principal: object) -> Break:
    def apply(template: dict[str, Any]) -> None:
        for policy in _resources(template, "AWS::S3::BucketPolicy"):
            policy["Properties"]["PolicyDocument"]["Statement"].append(
                {"Effect": "Allow", "Action": "s3:GetObject", "Principal": principal, "Resource": "*"}
            )

    return apply


TASK, SERVICE = "AWS::ECS::TaskDefinition", "AWS::ECS::Service"
BUCKET, QUEUE = "AWS::S3::Bucket", "AWS::SQS::Queue"
CONTAINER = ("Properties", "ContainerDefinitions", "0")
DISTRIBUTION, CONFIG = "AWS::CloudFront::Distribution", ("Properties", "DistributionConfig")
FROM_ANYWHERE = {"CidrIp": "0.0.0.0/0", "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}

BREAKS: Mapping[str, tuple[invariants.Rule, str, Break]] = {
    "a bucket deleted with its stack": (
        invariants.data_leaves_only_as_durability_says,
        "storage",
        _set(BUCKET, "DeletionPolicy", to="Delete"),
    ),
    "a database replaced without a trace": (
        invariants.data_leaves_only_as_durability_says,
        "database",
        _drop("AWS::RDS::DBInstance", "UpdateReplacePolicy"),
    ),
    "an unencrypted bucket": (
        invariants.everything_is_encrypted_at_rest,
        "storage",
        _drop(BUCKET, "Properties", "BucketEncryption"),
    ),
    "an unencrypted database": (
        invariants.everything_is_encrypted_at_rest,
        "database",
        _set("AWS::RDS::DBInstance", "Properties", "StorageEncrypted", to=False),
    ),
    "a bucket without a policy": (
        invariants.clients_must_speak_tls,
        "storage",
        _remove("AWS::S3::BucketPolicy"),
    ),
    "a queue without a policy": (
        invariants.clients_must_speak_tls,
        "queues",
        _remove("AWS::SQS::QueuePolicy"),
    ),
    "a cache that prefers TLS": (
        invariants.clients_must_speak_tls,
        "cache",
        _set("AWS::ElastiCache::ReplicationGroup", "Properties", "TransitEncryptionMode", to="preferred"),
    ),
    "a database that may do without TLS": (
        invariants.clients_must_speak_tls,
        "database",
        _drop("AWS::RDS::DBParameterGroup", "Properties", "Parameters", "rds.force_ssl"),
    ),
    "a database that logs what slow statements were given": (
        invariants.the_database_logs_no_values,
        "database",
        _drop("AWS::RDS::DBParameterGroup", "Properties", "Parameters", "log_parameter_max_length"),
    ),
    "a bucket that could be made public": (
        invariants.buckets_are_never_public,
        "storage",
        _set(BUCKET, "Properties", "PublicAccessBlockConfiguration", "BlockPublicPolicy", to=False),
    ),
    "a door open to the world": (
        invariants.nobody_comes_in_from_anywhere,
        "network",
        _set("AWS::EC2::SecurityGroup", "Properties", "SecurityGroupIngress", to=[FROM_ANYWHERE]),
    ),
    "a load balancer on the internet": (
        invariants.nobody_comes_in_from_anywhere,
        "api",
        _set("AWS::ElasticLoadBalancingV2::LoadBalancer", "Properties", "Scheme", to="internet-facing"),
    ),
    "a bucket anyone reads": (
        edge_invariants.buckets_are_read_by_nobody_unnamed,
        "storage",
        _let_anyone("*"),
    ),
    "a bucket anyone with an account reads": (
        edge_invariants.buckets_are_read_by_nobody_unnamed,
        "storage",
        _let_anyone({"AWS": "*"}),
    ),
    "a bucket that everyone's distribution reads": (
        edge_invariants.buckets_are_read_by_nobody_unnamed,
        "storage",
        _let_anyone({"Service": "cloudfront.amazonaws.com"}),
    ),
    "an edge that takes old TLS": (
        edge_invariants.names_of_ours_take_modern_tls_alone,
        "edge",
        _set(DISTRIBUTION, *CONFIG, "ViewerCertificate", "MinimumProtocolVersion", to="TLSv1"),
    ),
    "an edge with CloudFront's own certificate": (
        edge_invariants.names_of_ours_take_modern_tls_alone,
        "edge",
        _drop(DISTRIBUTION, *CONFIG, "ViewerCertificate"),
    ),
    "an edge that reads as anyone": (
        edge_invariants.the_edge_reads_as_itself,
        "edge",
        _set(DISTRIBUTION, *CONFIG, "Origins", "0", "OriginAccessControlId", to=""),
    ),
    "an edge that answers in plain text": (
        edge_invariants.the_edge_answers_over_tls_and_says_how_to_treat_it,
        "edge",
        _set(DISTRIBUTION, *CONFIG, "CacheBehaviors", "0", "ViewerProtocolPolicy", to="allow-all"),
    ),
    "an edge that says nothing of security": (
        edge_invariants.the_edge_answers_over_tls_and_says_how_to_treat_it,
        "edge",
        _drop(DISTRIBUTION, *CONFIG, "DefaultCacheBehavior", "ResponseHeadersPolicyId"),
    ),
    "an API that takes old TLS": (
        edge_invariants.names_of_ours_take_modern_tls_alone,
        "edge",
        _set(
            "AWS::ApiGatewayV2::DomainName",
            *("Properties", "DomainNameConfigurations", "0", "SecurityPolicy"),
            to="TLS_1_0",
        ),
    ),
    "a load balancer without its firewall": (
        edge_invariants.load_balancers_stand_behind_a_firewall,
        "api",
        _remove("AWS::WAFv2::WebACLAssociation"),
    ),
    "a zone that goes with its stack": (
        invariants.data_leaves_only_as_durability_says,
        "dns",
        _set("AWS::Route53::HostedZone", "DeletionPolicy", to="Delete"),
    ),
    "a log kept for ever": (
        invariants.logs_are_forgotten_in_time,
        "workers",
        _drop("AWS::Logs::LogGroup", "Properties", "RetentionInDays"),
    ),
    "a queue that retries for ever": (
        invariants.failing_messages_are_set_aside_and_noticed,
        "queues",
        _drop(QUEUE, "Properties", "RedrivePolicy"),
    ),
    "a queue nobody watches": (
        invariants.failing_messages_are_set_aside_and_noticed,
        "observability",
        _remove("AWS::CloudWatch::Alarm"),
    ),
    "an action that is a wildcard": (invariants.no_action_is_a_wildcard, "workers", _grant("s3:*")),
    "an action that ends in a wildcard": (invariants.no_action_is_a_wildcard, "workers", _grant("s3:Get*")),
    "everything but what is named": (
        invariants.no_action_is_a_wildcard,
        "workers",
        _grant_all_but("iam:CreateUser"),
    ),
    "a role without a boundary": (
        invariants.every_role_ends_at_the_boundary,
        "workers",
        _drop("AWS::IAM::Role", "Properties", "PermissionsBoundary"),
    ),
    "everyone signing": (invariants.only_the_publisher_signs, "workers", _grant("kms:Sign")),
    "the account signing": (invariants.only_the_publisher_signs, "keys", _let_the_account_sign),
    "a role that rewrites who signs": (
        invariants.nobody_can_make_himself_a_signer,
        "workers",
        _grant("kms:PutKeyPolicy"),
    ),
    "a role that hands the signature on": (
        invariants.nobody_can_make_himself_a_signer,
        "workers",
        _grant("kms:CreateGrant"),
    ),
    "a role that hands the signature on to a service": (
        invariants.nobody_can_make_himself_a_signer,
        "workers",
        _grant("kms:CreateGrant", Condition={"Bool": {"kms:GrantIsForAWSResource": "true"}}),
    ),
    "a password in plain words": (
        invariants.secrets_travel_by_reference,
        "workers",
        _tell("AMPLY_DATABASE_PASSWORD", "hunter2"),
    ),
    "a secret resolved into a variable": (
        invariants.secrets_travel_by_reference,
        "workers",
        _tell("AMPLY_THING", "{{resolve:secretsmanager:stripe}}"),
    ),
    "a key in the template": (
        invariants.secrets_travel_by_reference,
        "api",
        _tell("AMPLY_THING", "sk_" + "live_0123456789"),
    ),
    "an x86 task": (
        invariants.containers_are_confined,
        "api",
        _set(TASK, "Properties", "RuntimePlatform", "CpuArchitecture", to="X86_64"),
    ),
    "a container as root": (
        invariants.containers_are_confined,
        "api",
        _set(TASK, *CONTAINER, "User", to="0"),
    ),
    "a writable file system": (
        invariants.containers_are_confined,
        "api",
        _set(TASK, *CONTAINER, "ReadonlyRootFilesystem", to=False),
    ),
    "a deployment that stays broken": (
        invariants.deployments_roll_back,
        "api",
        _drop(SERVICE, "Properties", "DeploymentConfiguration", "DeploymentCircuitBreaker"),
    ),
    "a new version for everyone at once": (
        invariants.new_versions_meet_a_few_people_first,
        "api",
        _drop(SERVICE, "Properties", "DeploymentConfiguration", "Strategy"),
    ),
    "a rollout that nothing ends": (
        invariants.new_versions_meet_a_few_people_first,
        "api",
        _set(SERVICE, "Properties", "DeploymentConfiguration", "Alarms", "Enable", to=False),
    ),
    "a rollout that waits for an alarm that is not there": (
        invariants.new_versions_meet_a_few_people_first,
        "api",
        _set(SERVICE, "Properties", "DeploymentConfiguration", "Alarms", "AlarmNames", to=["api-error"]),
    ),
    "two versions for three hours": (
        invariants.new_versions_meet_a_few_people_first,
        "api",
        _drop(SERVICE, "Properties", "DeploymentConfiguration", "BakeTimeInMinutes"),
    ),
    "a shell in production": (
        invariants.nobody_opens_a_shell,
        "workers",
        _set(SERVICE, "Properties", "EnableExecuteCommand", to=True),
    ),
    "an alarm without a page": (
        invariants.alarms_lead_to_their_page,
        "observability",
        _set("AWS::CloudWatch::Alarm", "Properties", "AlarmDescription", to="Something is wrong."),
    ),
    "a bus that forgets": (invariants.events_are_kept, "events", _remove("AWS::Events::Archive")),
    "a bus that drops what it cannot deliver": (
        invariants.events_are_kept,
        "events",
        _drop("AWS::Events::EventBus", "Properties", "DeadLetterConfig"),
    ),
    "two sequencers during a deployment": (
        invariants.some_services_never_run_twice,
        "workers",
        _set(SERVICE, "Properties", "DeploymentConfiguration", "MaximumPercent", to=200),
    ),
    "nobody's queue": (invariants.resources_say_whose_they_are, "queues", _drop(QUEUE, "Properties", "Tags")),
    "an import that ties two stacks": (
        invariants.stacks_are_bound_loosely,
        "queues",
        _set(QUEUE, "Properties", "Tags", to=[{"Fn::ImportValue": "network:ExportsOutput"}]),
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_the_rule_notices(name: str, environments: Mapping[str, Deployed]) -> None:
    rule, stack, break_it = BREAKS[name]
    production = environments["production"]
    templates = {key: dict(value) for key, value in production.templates.items()}
    templates[stack] = copy.deepcopy(templates[stack])
    break_it(templates[stack])

    found = list(rule(Deployed(production.name, templates, production.manifests)))

    assert found
    assert all(place.startswith(("production/", "production-")) for place in found)


def test_every_rule_is_broken_once() -> None:
    assert {rule for rule, _, _ in BREAKS.values()} == set(invariants.RULES)
