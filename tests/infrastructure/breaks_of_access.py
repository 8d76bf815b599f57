"""Mutations that break each invariant of access: network, edge, permissions, secrets."""

from collections.abc import Mapping

from tests.infrastructure import edge_invariants as edge
from tests.infrastructure import invariants as rules
from tests.infrastructure.breaking import (
    Broken,
    add,
    drop,
    grant,
    grant_all_but,
    let_anyone,
    overwrite,
    remove,
    tell,
)

DISTRIBUTION, CONFIG = "AWS::CloudFront::Distribution", ("Properties", "DistributionConfig")
GROUP, INGRESS = "AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupIngress"
LISTENER, TARGETS = "AWS::ElasticLoadBalancingV2::Listener", "AWS::ElasticLoadBalancingV2::TargetGroup"
BALANCER, DATABASE = "AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::RDS::DBInstance"
API_NAME = ("AWS::ApiGatewayV2::DomainName", "Properties", "DomainNameConfigurations", "0", "SecurityPolicy")
FROM_ANYWHERE = {"CidrIp": "0.0.0.0/0", "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}
FROM_ANYWHERE_6 = {"CidrIpv6": "::/0", "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}
no_door, no_wildcard, by_reference = (
    rules.nobody_comes_in_from_anywhere,
    rules.no_action_is_a_wildcard,
    rules.secrets_travel_by_reference,
)
unnamed, modern = edge.buckets_are_read_by_nobody_unnamed, edge.names_of_ours_take_modern_tls_alone
balancer_tls, tasks_tls = edge.the_load_balancer_is_asked_over_tls, edge.tasks_are_asked_over_tls
told = edge.the_edge_answers_over_tls_and_says_how_to_treat_it

BREAKS: Mapping[str, Broken] = {
    "a door open to the world": (
        no_door,
        "network",
        overwrite(GROUP, "Properties", "SecurityGroupIngress", to=[FROM_ANYWHERE]),
    ),
    "a door open to the newer half of the world": (
        no_door,
        "network",
        overwrite(GROUP, "Properties", "SecurityGroupIngress", to=[FROM_ANYWHERE_6]),
    ),
    "a door that is a resource of its own": (no_door, "api", add(INGRESS, GroupId="sg-1", **FROM_ANYWHERE)),
    "such a door for the newer half": (no_door, "database", add(INGRESS, GroupId="sg-1", **FROM_ANYWHERE_6)),
    "a load balancer on the internet": (
        no_door,
        "api",
        overwrite(BALANCER, "Properties", "Scheme", to="internet-facing"),
    ),
    "a load balancer that does not say": (no_door, "api", drop(BALANCER, "Properties", "Scheme")),
    "a database with a public address": (
        no_door,
        "database",
        overwrite(DATABASE, "Properties", "PubliclyAccessible", to=True),
    ),
    "a database that leaves its address to RDS": (
        no_door,
        "database",
        drop(DATABASE, "Properties", "PubliclyAccessible"),
    ),
    "a bucket anyone reads": (unnamed, "storage", let_anyone("*")),
    "a bucket anyone with an account reads": (unnamed, "storage", let_anyone({"AWS": "*"})),
    "a bucket that everyone's distribution reads": (
        unnamed,
        "storage",
        let_anyone({"Service": "cloudfront.amazonaws.com"}),
    ),
    "an edge that takes old TLS": (
        modern,
        "edge",
        overwrite(DISTRIBUTION, *CONFIG, "ViewerCertificate", "MinimumProtocolVersion", to="TLSv1"),
    ),
    "an edge with CloudFront's own certificate": (
        modern,
        "edge",
        drop(DISTRIBUTION, *CONFIG, "ViewerCertificate"),
    ),
    "an edge without a name of ours": (modern, "edge", drop(DISTRIBUTION, *CONFIG, "Aliases")),
    "an API that takes old TLS": (modern, "edge", overwrite(*API_NAME, to="TLS_1_0")),
    "an edge that reads as anyone": (
        edge.the_edge_reads_as_itself,
        "edge",
        overwrite(DISTRIBUTION, *CONFIG, "Origins", "0", "OriginAccessControlId", to=""),
    ),
    "an edge that answers in plain text": (
        told,
        "edge",
        overwrite(DISTRIBUTION, *CONFIG, "CacheBehaviors", "0", "ViewerProtocolPolicy", to="allow-all"),
    ),
    "an edge that says nothing of security": (
        told,
        "edge",
        drop(DISTRIBUTION, *CONFIG, "DefaultCacheBehavior", "ResponseHeadersPolicyId"),
    ),
    "a load balancer without its firewall": (
        edge.load_balancers_stand_behind_a_firewall,
        "api",
        remove("AWS::WAFv2::WebACLAssociation"),
    ),
    "a firewall before something else": (
        edge.load_balancers_stand_behind_a_firewall,
        "api",
        overwrite("AWS::WAFv2::WebACLAssociation", "Properties", "ResourceArn", to={"Ref": "Other"}),
    ),
    "a listener in plain text": (
        balancer_tls,
        "api",
        overwrite(LISTENER, "Properties", "Protocol", to="HTTP"),
    ),
    "a listener that takes old TLS": (
        balancer_tls,
        "api",
        overwrite(LISTENER, "Properties", "SslPolicy", to="ELBSecurityPolicy-2016-08"),
    ),
    "a listener that takes AWS's default": (balancer_tls, "api", drop(LISTENER, "Properties", "SslPolicy")),
    "tasks that are asked in plain text": (
        tasks_tls,
        "api",
        overwrite(TARGETS, "Properties", "Protocol", to="HTTP"),
    ),
    "tasks whose health is asked in plain text": (
        tasks_tls,
        "api",
        overwrite(TARGETS, "Properties", "HealthCheckProtocol", to="HTTP"),
    ),
    "a task that answers in plain text": (tasks_tls, "api", tell("AMPLY_API_TLS", "false")),
    "a gateway that verifies nobody": (
        balancer_tls,
        "api",
        drop("AWS::ApiGatewayV2::Integration", "Properties", "TlsConfig"),
    ),
    "a gateway that verifies another name": (
        balancer_tls,
        "api",
        overwrite(
            "AWS::ApiGatewayV2::Integration",
            "Properties",
            "TlsConfig",
            to={"ServerNameToVerify": "api.example.org"},
        ),
    ),
    "every action": (no_wildcard, "workers", grant("*")),
    "every action of a service": (no_wildcard, "workers", grant("s3:*")),
    "an action that ends in a wildcard": (no_wildcard, "workers", grant(["sqs:SendMessage", "s3:Get*"])),
    "everything but what is named": (no_wildcard, "workers", grant_all_but("iam:CreateUser")),
    "everywhere but where it is named": (no_wildcard, "workers", grant_all_but("", what="NotResource")),
    "a role without a boundary": (
        rules.every_role_ends_at_the_boundary,
        "workers",
        drop("AWS::IAM::Role", "Properties", "PermissionsBoundary"),
    ),
    "a role with another boundary": (
        rules.every_role_ends_at_the_boundary,
        "workers",
        overwrite("AWS::IAM::Role", "Properties", "PermissionsBoundary", to="arn:aws:iam::aws:policy/Any"),
    ),
    "a password in plain words": (by_reference, "workers", tell("AMPLY_DATABASE_PASSWORD", "hunter2")),
    "a secret resolved into a variable": (
        by_reference,
        "workers",
        tell("AMPLY_THING", "{{resolve:secretsmanager:stripe}}"),
    ),
    "a key in the template": (by_reference, "api", tell("AMPLY_THING", "sk_" + "live_0123456789")),
    "an access key in the template": (by_reference, "api", tell("AMPLY_THING", "AKIA" + "0123456789ABCDEF")),
    "an import that ties two stacks": (
        rules.stacks_are_bound_loosely,
        "queues",
        overwrite("AWS::SQS::Queue", "Properties", "Tags", to=[{"Fn::ImportValue": "network:Output"}]),
    ),
    "a network nobody looked up": (
        rules.stacks_are_bound_loosely,
        "network",
        overwrite(GROUP, "Properties", "VpcId", to="vpc-12345"),
    ),
}
