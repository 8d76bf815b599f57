"""DNS records of the edge and the API: created here or, after the loss of a region, switched by people.

A record belongs to the zone and not to a region, so those that lead to a lost region are still there and cannot be made a
second time. What would lead them here is written down as one change for Route 53.
"""

from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as targets

from stacks.contracts import RecoveryParameter
from stacks.dns import Names
from stacks.stack import AmplyStack


def point_names_here(
    stack: AmplyStack, dns: Names, *, edge: cloudfront.Distribution, api: apigateway.DomainName
) -> None:
    zone = dns.zone_in(stack)
    here = route53.RecordTarget.from_alias(targets.CloudFrontTarget(edge))
    for host in dns.domain.edge_hosts:
        name = host.removesuffix(dns.domain.apex).rstrip(".").capitalize() or "Site"
        route53.ARecord(stack, f"{name}Address", zone=zone, record_name=f"{host}.", target=here)
        route53.AaaaRecord(stack, f"{name}Address6", zone=zone, record_name=f"{host}.", target=here)
    route53.ARecord(
        stack,
        "ApiAddress",
        zone=zone,
        record_name=f"{dns.domain.api}.",
        target=route53.RecordTarget.from_alias(
            targets.ApiGatewayv2DomainProperties(api.regional_domain_name, api.regional_hosted_zone_id)
        ),
    )


def write_down_how_names_move(
    stack: AmplyStack, dns: Names, *, edge: cloudfront.Distribution, api: apigateway.DomainName
) -> None:
    """Publish the records as a change batch for `aws route53 change-resource-record-sets`."""
    at_the_edge = targets.CloudFrontTarget.get_hosted_zone_id(stack), edge.distribution_domain_name
    changes = [_led_to(host, kind, *at_the_edge) for host in dns.domain.edge_hosts for kind in ("A", "AAAA")]
    changes.append(_led_to(dns.domain.api, "A", api.regional_hosted_zone_id, api.regional_domain_name))
    stack.publish(RecoveryParameter.NAMES, stack.to_json_string({"Changes": changes}))


def _led_to(host: str, kind: str, zone: str, address: str) -> dict[str, object]:
    target = {"HostedZoneId": zone, "DNSName": address, "EvaluateTargetHealth": False}
    return {
        "Action": "UPSERT",
        "ResourceRecordSet": {"Name": f"{host}.", "Type": kind, "AliasTarget": target},
    }
