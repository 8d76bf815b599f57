"""Invariants of public entry points: bucket access, TLS versions, what stands before the API."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.infrastructure.assembly import Deployed, settings

TLS_FLOORS = ("TLSv1.2_2021", "TLSv1.2_2025", "TLSv1.3_2025")
LISTENER_FLOORS = ("ELBSecurityPolicy-TLS13-1-2-2021-06", "ELBSecurityPolicy-TLS13-1-2-Res-2021-06")
"""TLS 1.2 at least, with forward secrecy."""
TLS_ONLY = ("redirect-to-https", "https-only")


def buckets_are_read_by_nobody_unnamed(deployed: Deployed) -> Iterator[str]:
    """What the edge shows, only the edge reads, and only a distribution of this account."""
    for policy in deployed.resources("AWS::S3::BucketPolicy"):
        for statement in policy.properties["PolicyDocument"]["Statement"]:
            if statement["Effect"] != "Allow":
                continue
            principal = statement["Principal"]
            if principal in ("*", {"AWS": "*"}):
                yield f"{policy.where}: anyone may {statement['Action']}"
            is_edge = principal == {"Service": "cloudfront.amazonaws.com"}
            if is_edge and "aws:sourcearn" not in json.dumps(statement.get("Condition", {})).lower():
                yield f"{policy.where}: any account's distribution may {statement['Action']}"


def names_of_ours_take_modern_tls_alone(deployed: Deployed) -> Iterator[str]:
    """Without a certificate of ours CloudFront ignores the floor, so a domain, names and floor come together.

    After the loss of a region the names come last, and certificate and floor wait for them.
    """
    has_domain, waits = settings(deployed).domain is not None, settings(deployed).lost_region is not None
    for distribution in deployed.resources("AWS::CloudFront::Distribution"):
        config = distribution.properties["DistributionConfig"]
        certificate = config.get("ViewerCertificate", {})
        floor = certificate.get("MinimumProtocolVersion", "")
        is_ours = bool((config.get("Aliases") or waits) and certificate.get("AcmCertificateArn"))
        if has_domain and not (is_ours and floor in TLS_FLOORS):
            yield f"{distribution.where}: takes {floor or 'any TLS'}"
    for name in deployed.resources("AWS::ApiGatewayV2::DomainName"):
        for configuration in name.properties["DomainNameConfigurations"]:
            if configuration.get("SecurityPolicy") != "TLS_1_2":
                yield f"{name.where}: takes any TLS"


def the_edge_reads_as_itself(deployed: Deployed) -> Iterator[str]:
    for distribution in deployed.resources("AWS::CloudFront::Distribution"):
        for origin in distribution.properties["DistributionConfig"]["Origins"]:
            if not origin.get("OriginAccessControlId"):
                yield f"{distribution.where}: reads {origin['Id']} as anyone could"


def the_edge_answers_over_tls_and_says_how_to_treat_it(deployed: Deployed) -> Iterator[str]:
    for distribution in deployed.resources("AWS::CloudFront::Distribution"):
        for path, behavior in _behaviors(distribution.properties["DistributionConfig"]):
            if behavior["ViewerProtocolPolicy"] not in TLS_ONLY:
                yield f"{distribution.where}: answers {path} without TLS"
            if not behavior.get("ResponseHeadersPolicyId"):
                yield f"{distribution.where}: no headers on {path}"


def load_balancers_stand_behind_a_firewall(deployed: Deployed) -> Iterator[str]:
    associations = list(deployed.resources("AWS::WAFv2::WebACLAssociation"))
    for balancer in deployed.resources("AWS::ElasticLoadBalancingV2::LoadBalancer"):
        guarded = {"Ref": balancer.logical_id}
        if not any(
            association.stack == balancer.stack and association.properties["ResourceArn"] == guarded
            for association in associations
        ):
            yield f"{balancer.where}: no firewall"


def the_load_balancer_is_asked_over_tls(deployed: Deployed) -> Iterator[str]:
    """Where there is a domain, and so a certificate for a name that the gateway can verify."""
    domain = settings(deployed).domain
    for listener in deployed.resources("AWS::ElasticLoadBalancingV2::Listener"):
        is_encrypted = listener.properties["Protocol"] == "HTTPS"
        if domain and not is_encrypted:
            yield f"{listener.where}: takes plain text"
        if is_encrypted and listener.properties.get("SslPolicy") not in LISTENER_FLOORS:
            yield f"{listener.where}: takes any TLS"
    for integration in deployed.resources("AWS::ApiGatewayV2::Integration"):
        verified = integration.properties.get("TlsConfig", {}).get("ServerNameToVerify")
        if domain and verified != domain.api:
            yield f"{integration.where}: does not verify whom it asks"


def tasks_are_asked_over_tls(deployed: Deployed) -> Iterator[str]:
    """And speak it: what a target group sends and what the task is told go together. On a laptop both are plain."""
    on_laptop = settings(deployed).addresses is not None
    for group in deployed.resources("AWS::ElasticLoadBalancingV2::TargetGroup"):
        spoken = {group.properties["Protocol"], group.properties["HealthCheckProtocol"]}
        if spoken != {"HTTP" if on_laptop else "HTTPS"}:
            yield f"{group.where}: is asked over {sorted(spoken)}"
    for task in deployed.resources("AWS::ECS::TaskDefinition"):
        for variable in task.properties["ContainerDefinitions"][0]["Environment"]:
            if variable == {"Name": "AMPLY_API_TLS", "Value": "true" if on_laptop else "false"}:
                yield f"{task.where}: speaks another protocol than its target group"


RULES: tuple[Callable[[Deployed], Iterator[str]], ...] = (
    buckets_are_read_by_nobody_unnamed,
    names_of_ours_take_modern_tls_alone,
    the_edge_reads_as_itself,
    the_edge_answers_over_tls_and_says_how_to_treat_it,
    load_balancers_stand_behind_a_firewall,
    the_load_balancer_is_asked_over_tls,
    tasks_are_asked_over_tls,
)


def _behaviors(config: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield "pages", config["DefaultCacheBehavior"]
    for behavior in config.get("CacheBehaviors", []):
        yield behavior["PathPattern"], behavior
