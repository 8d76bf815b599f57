"""Price rules of the edge: HTTP API, CloudFront, DNS, certificates, WAF."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from operations.cost.charge import Charge, Priced, Rule
from operations.cost.errors import UnpricedError

_METRICS_OF_A_WATCHED_DISTRIBUTION = Decimal(8)
"""https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/viewing-cloudfront-metrics.html."""


def http_api(it: Priced) -> Iterator[Charge]:
    if it.properties["ProtocolType"] != "HTTP":
        raise UnpricedError(it.resource.where, "it is not an HTTP API")
    yield Charge(price="api/requests", quantity=it.assumed("api_requests_millions"), what="API: requests")
    yield Charge(price="transfer/out", quantity=it.assumed("api_out_gb"), what="API: answers")


def rest_api(it: Priced) -> Iterator[Charge]:
    """Buyers fetch files from S3 by links; what the API says itself is small."""
    yield Charge(
        price="api/rest-requests",
        quantity=it.assumed("marketplace_requests_millions"),
        what="marketplace: requests",
    )


def rest_stage(it: Priced) -> Iterator[Charge]:
    it.refuse("CacheClusterSize")
    yield from ()


def distribution(it: Priced) -> Iterator[Charge]:
    yield Charge(
        price="edge/requests", quantity=it.assumed("edge_requests_millions"), what=f"{it.name}: requests"
    )
    yield Charge(price="edge/out", quantity=it.assumed("edge_out_gb"), what=f"{it.name}: traffic")


def edge_function(it: Priced) -> Iterator[Charge]:
    """As if it ran for every request: which behaviours carry it decides how many do."""
    yield Charge(
        price="edge/function", quantity=it.assumed("edge_requests_millions"), what=f"{it.name}: calls"
    )


def watched_distribution(it: Priced) -> Iterator[Charge]:
    level = it.properties["MonitoringSubscription"]["RealtimeMetricsSubscriptionConfig"]
    if level["RealtimeMetricsSubscriptionStatus"] == "Enabled":
        yield Charge(
            price="metric", quantity=_METRICS_OF_A_WATCHED_DISTRIBUTION, what="additional metrics of the edge"
        )


def web_acl(it: Priced) -> Iterator[Charge]:
    """https://aws.amazon.com/waf/pricing/: the list, each rule or managed group in it, and the requests it reads."""
    rules = it.properties.get("Rules", [])
    seen = "edge_requests_millions" if it.properties["Scope"] == "CLOUDFRONT" else "api_requests_millions"
    yield Charge(price="waf/acl", quantity=Decimal(1), what=f"{it.name}: firewall")
    yield Charge(price="waf/rule", quantity=Decimal(len(rules)), what=f"{it.name}: firewall rules")
    yield Charge(price="waf/requests", quantity=it.assumed(seen), what=f"{it.name}: firewall requests")


def rule_group(it: Priced) -> Iterator[Charge]:
    rules = it.properties.get("Rules", [])
    yield Charge(price="waf/rule", quantity=Decimal(len(rules)), what=f"{it.name}: firewall rules")


def hosted_zone(it: Priced) -> Iterator[Charge]:
    yield Charge(price="dns/zone", quantity=Decimal(1), what="hosted zone")
    yield Charge(price="dns/queries", quantity=it.assumed("dns_queries_millions"), what="DNS queries")


def certificate(it: Priced) -> Iterator[Charge]:
    """Public certificates are free; those of a private authority are not."""
    it.refuse("CertificateAuthorityArn")
    yield from ()


RULES: Mapping[str, Rule] = {
    "AWS::ApiGateway::RestApi": rest_api,
    "AWS::ApiGateway::Stage": rest_stage,
    "AWS::ApiGatewayV2::Api": http_api,
    "AWS::CertificateManager::Certificate": certificate,
    "AWS::CloudFront::Distribution": distribution,
    "AWS::CloudFront::Function": edge_function,
    "AWS::CloudFront::MonitoringSubscription": watched_distribution,
    "AWS::Route53::HostedZone": hosted_zone,
    "AWS::WAFv2::RuleGroup": rule_group,
    "AWS::WAFv2::WebACL": web_acl,
}
