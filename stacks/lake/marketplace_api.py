"""The door for buyers: three calls of ours and Delta Sharing, over the same grants."""

from collections.abc import Sequence
from pathlib import Path

from aws_cdk import CfnOutput
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from constructs_lib.function import PlainFunction
from constructs_lib.waiver import Waiver, waive
from stacks.environment import Environment
from stacks.lake.control_plane import ControlPlane
from stacks.lake.governance import LakeAndGovernance
from stacks.permissions import allow_key, allow_on_objects
from stacks.stack import AmplyStack
from stacks.waivers import NEXT_REVIEW

SOURCES = Path(__file__).parents[2] / "services" / "marketplace" / "src"
RELEASED = "released/"
"""Where buyers' files are in the curated bucket; nothing else in it is ever linked to."""
STAGE = "v1"
REQUESTS_A_SECOND, REQUESTS_AT_ONCE, REQUESTS_A_MONTH = 10, 20, 100_000
"""Of one buyer's key. What a contract lets through in bytes is counted in the control plane."""


class MarketplaceApi(AmplyStack):
    """Each function reads the grants first, and none may do more than its own call needs."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        lake: LakeAndGovernance,
        control: ControlPlane,
    ) -> None:
        super().__init__(
            scope, construct_id, environment=environment, description="Amply: the marketplace's API"
        )
        self._lake, self._control = lake, control
        reads = [control.grants, control.contracts, control.datasets]
        self._datasets = self._function("GetDatasets", "get_datasets", reads=reads)
        self._link = self._function("GetDataSignedUrl", "get_data_signed_url", reads=reads, links=True)
        self._usage = self._function(
            "GetUsage", "get_usage", reads=[control.grants, control.contracts, control.usage]
        )
        self._sharing = self._function("DeltaSharing", "delta_sharing", reads=reads, links=True)
        self.api = self._make_api()
        self._lay_out_routes()
        self.plan = self._make_plan()
        CfnOutput(self, "MarketplaceUrl", value=self.api.url, description="Where buyers ask")

    def _function(
        self, construct_id: str, handler: str, *, reads: Sequence[dynamodb.Table], links: bool = False
    ) -> PlainFunction:
        function = PlainFunction(
            self,
            construct_id,
            description=f"Marketplace: {handler}",
            sources=SOURCES,
            handler=f"amply_marketplace.handlers.{handler}",
            environment={**self._control.names, "AMPLY_CURATED_BUCKET": self._lake.curated.bucket_name},
            log=self.log_keeping,
            seconds=15,
        )
        function.allow(["dynamodb:GetItem", "dynamodb:Query"], [table.table_arn for table in reads])
        allow_key(function.role, self._lake.key, ["kms:Decrypt"])
        if links:
            self._let_link(function)
        return function

    def _let_link(self, function: PlainFunction) -> None:
        """A link carries the right of whoever signed it; it is written down before it is handed out."""
        control = self._control
        function.allow(["dynamodb:PutItem", "dynamodb:UpdateItem"], [control.usage.table_arn])
        function.allow(
            ["dynamodb:ConditionCheckItem"], [control.grants.table_arn, control.contracts.table_arn]
        )
        allow_on_objects(function.role, self._lake.curated, f"{RELEASED}*", ["s3:GetObject"])

    def _make_api(self) -> apigateway.RestApi:
        api = apigateway.RestApi(
            self,
            "Api",
            description=f"Amply {self.settings.name}: marketplace",
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

    def _lay_out_routes(self) -> None:
        """Ours ask for a key, by which the gateway counts; the clients of Delta Sharing send a token alone."""
        validator = self.api.add_request_validator(
            "Validated", validate_request_body=True, validate_request_parameters=True
        )
        datasets = self.api.root.add_resource("datasets")
        links = datasets.add_resource("{dataset}").add_resource("links")
        usage = self.api.root.add_resource("usage")
        for resource, method, function in (
            (datasets, "GET", self._datasets),
            (links, "POST", self._link),
            (usage, "GET", self._usage),
        ):
            resource.add_method(method, _calls(function), api_key_required=True, request_validator=validator)
        shares = self.api.root.add_resource("delta-sharing").add_resource("{proxy+}")
        for method in ("GET", "POST"):
            shares.add_method(method, _calls(self._sharing), request_validator=validator)

    def _make_plan(self) -> apigateway.UsagePlan:
        """A key is made with a contract, by whoever signs it, and put into this plan; none stands in a template."""
        return self.api.add_usage_plan(
            "Buyers",
            description="One key a contract",
            throttle=apigateway.ThrottleSettings(rate_limit=REQUESTS_A_SECOND, burst_limit=REQUESTS_AT_ONCE),
            quota=apigateway.QuotaSettings(limit=REQUESTS_A_MONTH, period=apigateway.Period.MONTH),
            api_stages=[apigateway.UsagePlanPerApiStage(api=self.api, stage=self.api.deployment_stage)],
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
