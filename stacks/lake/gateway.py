"""The marketplace's API gateway: routes, stage limits, and the buyers' usage plan."""

from aws_cdk import aws_apigateway as apigateway

from constructs_lib.function import PlainFunction
from constructs_lib.waiver import Waiver, waive
from stacks.stack import AmplyStack
from stacks.waivers import NEXT_REVIEW

STAGE = "v1"
REQUESTS_A_SECOND, REQUESTS_AT_ONCE, REQUESTS_A_MONTH = 10, 20, 100_000
"""Of one buyer's key. What a contract lets through in bytes is counted in the control plane."""


def make_gateway(stack: AmplyStack) -> apigateway.RestApi:
    """A REST API, since HTTP APIs have no keys and usage plans."""
    api = apigateway.RestApi(
        stack,
        "Api",
        description=f"Amply {stack.settings.name}: marketplace",
        cloud_watch_role=False,
        endpoint_types=[apigateway.EndpointType.REGIONAL],
        deploy_options=apigateway.StageOptions(
            stage_name=STAGE,
            throttling_rate_limit=10 * REQUESTS_A_SECOND,
            throttling_burst_limit=10 * REQUESTS_AT_ONCE,
            metrics_enabled=True,
        ),
    )
    for rule, waiver in WAIVED.items():
        waive(api, rule, waiver)
    return api


def lay_out_routes(
    api: apigateway.RestApi,
    *,
    datasets: PlainFunction,
    links: PlainFunction,
    usage: PlainFunction,
    sharing: PlainFunction,
) -> None:
    """Our routes require an API key, for metering; Delta Sharing clients send a token only."""
    validator = api.add_request_validator(
        "Validated", validate_request_body=True, validate_request_parameters=True
    )
    listed = api.root.add_resource("datasets")
    linked = listed.add_resource("{dataset}").add_resource("links")
    used = api.root.add_resource("usage")
    for resource, method, function in (
        (listed, "GET", datasets),
        (linked, "POST", links),
        (used, "GET", usage),
    ):
        resource.add_method(method, _calls(function), api_key_required=True, request_validator=validator)
    shared = api.root.add_resource("delta-sharing").add_resource("{proxy+}")
    for method in ("GET", "POST"):
        shared.add_method(method, _calls(sharing), request_validator=validator)


def make_plan(api: apigateway.RestApi) -> apigateway.UsagePlan:
    """The usage plan. Keys are added with contracts, at run time."""
    return api.add_usage_plan(
        "Buyers",
        description="One key a contract",
        throttle=apigateway.ThrottleSettings(rate_limit=REQUESTS_A_SECOND, burst_limit=REQUESTS_AT_ONCE),
        quota=apigateway.QuotaSettings(limit=REQUESTS_A_MONTH, period=apigateway.Period.MONTH),
        api_stages=[apigateway.UsagePlanPerApiStage(api=api, stage=api.deployment_stage)],
    )


def _calls(function: PlainFunction) -> apigateway.LambdaIntegration:
    return apigateway.LambdaIntegration(function.function, proxy=True, allow_test_invoke=False)


_OWN_LOG = Waiver(
    reason="A REST API logs by a role of the whole account that may make any log; each request is a line of its function.",
    until=NEXT_REVIEW,
)
_OWN_TOKENS = Waiver(
    reason="Buyers are programs with tokens of 256 random bits; the function reads their grant at each call, so that a "
    "revoked one is refused at once.",
    until=NEXT_REVIEW,
)
_NO_FIREWALL = Waiver(
    reason="Usage plans and throttling bound what a caller can do, and there are no pages here to attack.",
    until=NEXT_REVIEW,
)
WAIVED = {
    "AwsSolutions-APIG1": _OWN_LOG,
    "AwsSolutions-APIG6": _OWN_LOG,
    "AwsSolutions-APIG4": _OWN_TOKENS,
    "AwsSolutions-COG4": _OWN_TOKENS,
    "AwsSolutions-APIG3": _NO_FIREWALL,
}
