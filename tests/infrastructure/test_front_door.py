"""What the outside reaches first, and what it may not say of itself."""

import json
from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
import pytest

from stacks.build import CannotBuildError, build
from stacks.contracts import CLIENT_ADDRESS_HEADER, STRIPE_WEBHOOK_PATH, Parameter
from tests.infrastructure.assembly import ROOT, Deployed
from tests.infrastructure.records import APEX, RECORD, records


@pytest.fixture(params=APEX)
def named(request: pytest.FixtureRequest, environments: Mapping[str, Deployed]) -> Deployed:
    """An environment with a domain of its own."""
    return environments[request.param]


def test_the_gateway_says_who_the_client_is_whatever_the_client_says(deployed: Deployed) -> None:
    (integration,) = deployed.resources("AWS::ApiGatewayV2::Integration")

    assert integration.properties["RequestParameters"] == {
        f"overwrite:header.{CLIENT_ADDRESS_HEADER}": "$context.identity.sourceIp"
    }


@pytest.mark.parametrize(("sid", "objects"), [("ServeTheLog", "/log/*"), ("ServeMedia", "/media/*")])
def test_only_distributions_of_this_account_read_what_the_edge_shows(
    sid: str, objects: str, deployed: Deployed
) -> None:
    statements = [
        statement
        for policy in deployed.resources("AWS::S3::BucketPolicy")
        for statement in policy.properties["PolicyDocument"]["Statement"]
        if statement.get("Sid") == sid
    ]

    (statement,) = statements
    assert "distribution/*" in str(statement["Condition"]["ArnLike"]["aws:SourceArn"])
    assert objects in str(statement["Resource"])


def test_every_name_of_ours_leads_to_what_answers_at_it(named: Deployed) -> None:
    found = records(named)
    distribution = named.the("AWS::CloudFront::Distribution")
    for host in ("@", "www", "widgets", "log"):
        for kind in ("A", "AAAA"):
            assert distribution.logical_id in str(found[kind, host]["AliasTarget"]["DNSName"]), host
    assert named.the("AWS::ApiGatewayV2::DomainName").logical_id in str(found["A", "api"]["AliasTarget"])
    apex = APEX[named.name]
    assert distribution.properties["DistributionConfig"]["Aliases"] == [
        apex,
        *(f"{host}.{apex}" for host in ("www", "widgets", "log")),
    ]


def test_the_edges_certificate_stands_where_cloudfront_takes_it_and_covers_its_names(named: Deployed) -> None:
    certificate = named.templates["certificate"]["Resources"]
    (properties,) = (
        body["Properties"]
        for body in certificate.values()
        if body["Type"] == "AWS::CertificateManager::Certificate"
    )
    names = [properties["DomainName"], *properties["SubjectAlternativeNames"]]
    distribution = named.the("AWS::CloudFront::Distribution").properties["DistributionConfig"]

    assert named.manifests["certificate"]["environment"].endswith("/us-east-1")
    assert names == distribution["Aliases"]
    assert [option["DomainName"] for option in properties["DomainValidationOptions"]] == names
    reference = distribution["ViewerCertificate"]["AcmCertificateArn"]["Fn::GetStackOutput"]
    assert (reference["StackName"], reference["Region"]) == (f"{named.name}-certificate", "us-east-1")


def test_the_zone_the_parent_delegates_to_cannot_go_by_accident(named: Deployed) -> None:
    assert named.manifests["dns"]["properties"]["terminationProtection"] is True
    assert named.templates["dns"]["Outputs"]["NameServers"]


def test_a_deployment_says_where_everything_is(deployed: Deployed) -> None:
    outputs = {
        name: output["Value"]
        for name, output in deployed.templates["edge"]["Outputs"].items()
        if "Description" in output
    }
    published = {
        parameter.properties["Name"]: parameter.properties["Value"]
        for parameter in deployed.resources("AWS::SSM::Parameter")
    }
    ends = {"PublicLedgerUrl": "/ledger/", "LogUrl": "/log", "StripeWebhookUrl": STRIPE_WEBHOOK_PATH}

    assert outputs["ApiUrl"] == published[Parameter.API_URL.path(deployed.name)]
    assert outputs["SiteUrl"] == published[Parameter.EDGE_URL.path(deployed.name)]
    assert {name for name, end in ends.items() if f'{end}"' in json.dumps(outputs[name])} == set(ends)
    page = (ROOT / "docs" / "runbooks" / "first-deployment.md").read_text()
    assert [name for name in outputs if f"`{name}`" not in page] == []


def test_pages_may_ask_the_api_under_its_own_name(named: Deployed) -> None:
    policies = [
        policy.properties["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
        for policy in named.resources("AWS::CloudFront::ResponseHeadersPolicy")
        if policy.logical_id.startswith("PoliciesPageHeaders")
    ]
    (headers,) = policies
    beginning, uploads, _ = headers["ContentSecurityPolicy"]["ContentSecurityPolicy"]["Fn::Join"][1]
    assert f"connect-src 'self' https://api.{APEX[named.name]} " in beginning
    assert "Documents" in json.dumps(uploads), "and post what they upload to the one bucket that takes it"


def test_no_other_authority_may_certify_our_names(named: Deployed) -> None:
    values = records(named)["CAA", "@"]["ResourceRecords"]
    issuers = [value for value in values if " issue " in value]

    assert issuers
    assert all("amazon" in value or "awstrust" in value for value in issuers)
    assert '0 issuewild ";"' in values


def test_the_generated_address_of_the_api_answers_only_where_it_has_no_other(deployed: Deployed) -> None:
    closed = deployed.the("AWS::ApiGatewayV2::Api").properties.get("DisableExecuteApiEndpoint", False)
    assert closed is (deployed.name in APEX)


def _told(deployed: Deployed, family: str) -> Mapping[str, Any]:
    (task,) = (
        task
        for task in deployed.resources("AWS::ECS::TaskDefinition")
        if task.properties["Family"] == f"{deployed.name}-{family}"
    )
    (container,) = task.properties["ContainerDefinitions"]
    return {variable["Name"]: variable["Value"] for variable in container["Environment"]}


def test_receipts_name_a_log_that_is_ours_wherever_it_is_kept(named: Deployed) -> None:
    told = _told(named, "api")

    assert told["AMPLY_LOG_URL"] == f"https://log.{APEX[named.name]}/log"
    assert told["AMPLY_EDGE_URL"] == f"https://{APEX[named.name]}"


def test_without_a_domain_the_generated_names_serve(environments: Mapping[str, Deployed]) -> None:
    sandbox = environments["sandbox"]

    assert list(sandbox.resources(RECORD, "AWS::CertificateManager::Certificate")) == []
    assert "Aliases" not in sandbox.the("AWS::CloudFront::Distribution").properties["DistributionConfig"]
    assert "Fn::GetStackOutput" in json.dumps(_told(sandbox, "api")["AMPLY_EDGE_URL"])


def test_the_firewall_lets_stripe_in_before_any_rule_can_refuse_it(deployed: Deployed) -> None:
    rules = _rules(deployed)
    first = rules["let-in"]
    match = first["Statement"]["ByteMatchStatement"]

    assert [rule["Name"] for rule in sorted(rules.values(), key=lambda rule: rule["Priority"])] == [
        "let-in",
        "rate",
        "AWSManagedRulesKnownBadInputsRuleSet",
        "AWSManagedRulesCommonRuleSet",
    ]
    assert (match["SearchString"], match["PositionalConstraint"]) == (STRIPE_WEBHOOK_PATH, "EXACTLY")
    assert first["Action"] == {"Allow": {}}


def test_the_way_that_is_let_in_is_the_one_the_api_offers_stripe() -> None:
    router = ROOT / "services" / "backend" / "src" / "amply" / "modules" / "webhooks" / "router.py"
    assert f"`POST {STRIPE_WEBHOOK_PATH}`" in router.read_text()


def test_the_firewall_counts_by_the_address_that_the_gateway_wrote(deployed: Deployed) -> None:
    rate = _rules(deployed)["rate"]

    assert rate["Statement"]["RateBasedStatement"] == {
        "AggregateKeyType": "FORWARDED_IP",
        "ForwardedIPConfig": {"FallbackBehavior": "NO_MATCH", "HeaderName": CLIENT_ADDRESS_HEADER},
        "Limit": 2000,
        "EvaluationWindowSec": 300,
    }
    assert rate["Action"] == {"Block": {"CustomResponse": {"ResponseCode": 429}}}


ACCOUNT_A_SECOND, ACCOUNT_AT_ONCE = 10_000, 5_000
"""What an account may ask of API Gateway in a region unless AWS raises it:
https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html."""


def test_the_firewall_stops_one_client_long_before_the_gateway_stops_everybody(deployed: Deployed) -> None:
    """And what one client can make the gateway take leaves half of the account to its other APIs."""
    rule = _rules(deployed)["rate"]["Statement"]["RateBasedStatement"]
    throttle = deployed.the("AWS::ApiGatewayV2::Stage").properties["DefaultRouteSettings"]
    one_client_a_second = rule["Limit"] / rule["EvaluationWindowSec"]
    assert one_client_a_second * 500 <= throttle["ThrottlingRateLimit"] <= ACCOUNT_A_SECOND / 2
    assert throttle["ThrottlingBurstLimit"] <= ACCOUNT_AT_ONCE / 2


def test_the_firewall_keeps_no_word_of_who_someone_is(deployed: Deployed) -> None:
    logging = deployed.the("AWS::WAFv2::LoggingConfiguration").properties
    hidden = {field["SingleHeader"]["Name"] for field in logging["RedactedFields"] if "SingleHeader" in field}
    acl = deployed.the("AWS::WAFv2::WebACL").properties

    assert {CLIENT_ADDRESS_HEADER.lower(), "authorization", "cookie", "x-forwarded-for"} <= hidden
    assert {"QueryString": {}} in logging["RedactedFields"]
    assert logging["LoggingFilter"]["DefaultBehavior"] == "DROP"
    assert '"SampledRequestsEnabled": true' not in json.dumps(acl)


def _rules(deployed: Deployed) -> Mapping[str, Mapping[str, Any]]:
    return {rule["Name"]: rule for rule in deployed.the("AWS::WAFv2::WebACL").properties["Rules"]}


@pytest.mark.parametrize("answer", ["no", "0", ""])
def test_a_careless_word_on_the_command_line_is_refused(
    answer: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    site = tmp_path_factory.mktemp("site")
    (site / "index.html").touch()

    with pytest.raises(CannotBuildError, match="idle is true or false"):
        build(cdk.App(context={"idle": answer}), site=site)
