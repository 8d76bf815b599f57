"""The HTTP API (API Gateway): stage, access log, and custom domain."""

import json

import jsii
from aws_cdk import aws_apigateway as apigw
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_logs as logs

from stacks.dns import Names
from stacks.domain import DomainSettings
from stacks.stack import AmplyStack

REQUESTS_A_SECOND = 5000
"""Of all clients together, half of what an account may ask of a region by default: the firewall behind it stops one client
after some seconds, and nobody else is shut out meanwhile unless that client alone sends more than this (ADR 0037).
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html
"""
REQUESTS_AT_ONCE = 2500
"""The same of the account's burst."""


@jsii.implements(apigateway.IAccessLogSettings)
class AccessLog:
    """One JSON line for each request, without the client's address: who donates is nobody's business."""

    def __init__(self, group: logs.ILogGroup) -> None:
        self._destination = apigateway.LogGroupLogDestination(group)

    @property
    def destination(self) -> apigateway.IAccessLogDestination:
        return self._destination

    @property
    def format(self) -> apigw.AccessLogFormat:
        fields = {
            "request_id": "$context.requestId",
            "at": "$context.requestTime",
            "method": "$context.httpMethod",
            "path": "$context.path",
            "status": "$context.status",
            "bytes": "$context.responseLength",
            "milliseconds": "$context.responseLatency",
            "integration_error": "$context.integrationErrorMessage",
        }
        return apigw.AccessLogFormat.custom(json.dumps(fields))


def make_http_api(stack: AmplyStack, named: apigateway.DomainName | None) -> apigateway.HttpApi:
    """The HTTP API. With a custom domain, its default endpoint is disabled.

    CORS is the application's answer, the same on a laptop: the gateway passes OPTIONS through.
    """
    api = apigateway.HttpApi(
        stack,
        "HttpApi",
        description=f"Amply {stack.settings.name}",
        create_default_stage=False,
        # One way in, under the name that is ours: nobody comes to depend on the generated one.
        disable_execute_api_endpoint=True if named else None,
    )
    keeping = stack.log_keeping
    group = logs.LogGroup(
        stack, "HttpApiLog", retention=keeping.retention, removal_policy=keeping.removal_policy
    )
    stage = apigateway.HttpStage(
        stack,
        "HttpApiStage",
        http_api=api,
        stage_name="$default",
        auto_deploy=True,
        throttle=apigateway.ThrottleSettings(rate_limit=REQUESTS_A_SECOND, burst_limit=REQUESTS_AT_ONCE),
        access_log_settings=AccessLog(group),
    )
    if named:
        apigateway.ApiMapping(stack, "ApiMapping", api=api, domain_name=named, stage=stage)
    return api


def make_api_certificate(stack: AmplyStack, dns: Names) -> acm.Certificate:
    """A regional name takes a certificate of its own region, so this one stands here."""
    return acm.Certificate(
        stack,
        "ApiCertificate",
        domain_name=dns.domain.api,
        validation=acm.CertificateValidation.from_dns(dns.zone_in(stack)),
    )


def make_api_name(
    stack: AmplyStack, domain: DomainSettings, certificate: acm.ICertificate
) -> apigateway.DomainName:
    """Of this region: another one may have the same name, and records say which is asked."""
    return apigateway.DomainName(
        stack,
        "ApiName",
        domain_name=domain.api,
        certificate=certificate,
        security_policy=apigateway.SecurityPolicy.TLS_1_2,
    )
