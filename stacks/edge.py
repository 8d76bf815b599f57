"""The public front doors: CloudFront for what is read (pages, widgets, the log), the HTTP API for what is asked."""

import json
from pathlib import Path
from typing import cast

import aws_cdk as cdk
import jsii
from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigw
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_deployment as deployment
from constructs import Construct

from constructs_lib.bucket import PrivateBucket
from constructs_lib.waiver import Waiver, waive
from stacks.contracts import Parameter
from stacks.edge_policies import EdgePolicies
from stacks.environments import Environment
from stacks.stack import AmplyStack
from stacks.storage import Storage
from stacks.waivers import NEXT_REVIEW

INDEX_PAGES = Path(__file__).with_name("edge_pages.js")
BUILD_STAMP = "ready"
"""The build's own marker inside the site folder; nobody needs it served."""


@jsii.implements(apigateway.IAccessLogSettings)
class AccessLog:
    """One JSON line a request, without the caller's address: who donates is nobody's business in a log."""

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


class Edge(AmplyStack):
    """Stands below the API, whose routes join the HTTP API from above: pages and tasks learn both addresses."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        storage: Storage,
        site: Path,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            environment=environment,
            description="Amply: CloudFront, site and HTTP API",
            # Pages out there name assets of earlier versions, which only this bucket still has.
            holds_data=True,
        )
        self.http_api = self._make_http_api()
        self.site = self._make_site_bucket(storage)
        self.distribution = self._make_distribution(storage)
        self._upload(site)
        self.publish(Parameter.SITE_BUCKET, self.site.bucket_name)
        self.publish(Parameter.DISTRIBUTION_ID, self.distribution.distribution_id)
        self.publish(Parameter.EDGE_URL, self.edge_url)
        self.publish(Parameter.API_URL, self.api_url)

    @property
    def api_url(self) -> str:
        fixed = self.settings.addresses
        return fixed.api_url if fixed else self.http_api.api_endpoint

    @property
    def edge_url(self) -> str:
        fixed = self.settings.addresses
        return fixed.edge_url if fixed else f"https://{self.distribution.distribution_domain_name}"

    @property
    def log_url(self) -> str:
        return f"{self.edge_url}/log"

    def _make_http_api(self) -> apigateway.HttpApi:
        """CORS is the application's answer, the same on a laptop: the gateway passes OPTIONS through."""
        api = apigateway.HttpApi(
            self, "HttpApi", description=f"Amply {self.settings.name}", create_default_stage=False
        )
        keeping = self.log_keeping
        group = logs.LogGroup(
            self, "HttpApiLog", retention=keeping.retention, removal_policy=keeping.removal_policy
        )
        apigateway.HttpStage(
            self,
            "HttpApiStage",
            http_api=api,
            stage_name="$default",
            auto_deploy=True,
            throttle=apigateway.ThrottleSettings(rate_limit=500, burst_limit=1000),
            access_log_settings=AccessLog(group),
        )
        return api

    def _make_site_bucket(self, storage: Storage) -> PrivateBucket:
        # By name: handing over the bucket itself would write its name into the stack below.
        request_logs = s3.Bucket.from_bucket_name(self, "RequestLogs", storage.access_logs.bucket_name)
        bucket = PrivateBucket(self, "Site", durability=self.settings.durability, request_logs=request_logs)
        waive(bucket, "Annotation::@aws-cdk/aws-s3:accessLogsPolicyNotAdded", POLICY_STANDS_BELOW)
        return bucket

    def _make_distribution(self, storage: Storage) -> cloudfront.Distribution:
        policies = EdgePolicies(self, "Policies", connecting_to=self.api_url, stripe=self.settings.stripe)
        site = origins.S3BucketOrigin.with_origin_access_control(self.site)
        # By name, for the same reason; storage lets this account's distributions read /log/*.
        public = s3.Bucket.from_bucket_attributes(
            self,
            "PublicData",
            bucket_name=storage.public.bucket_name,
            bucket_regional_domain_name=storage.public.bucket_regional_domain_name,
        )
        distribution = cloudfront.Distribution(
            self,
            "Distribution",
            comment=f"Amply {self.settings.name}",
            default_root_object="index.html",
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            price_class=cloudfront.PriceClass.PRICE_CLASS_100,
            error_responses=[_not_found()],
            default_behavior=policies.pages(site, self._index_pages()),
            additional_behaviors={
                "/assets/*": policies.assets(site),
                "/log/*": policies.log(origins.S3BucketOrigin.with_origin_access_control(public)),
            },
        )
        policies.waive_for(distribution)
        waive(distribution, IMPORTED_ORIGIN, POLICY_STANDS_BELOW)
        return distribution

    def _index_pages(self) -> cloudfront.Function:
        return cloudfront.Function(
            self,
            "IndexPages",
            comment="Folders mean their index.html",
            code=cloudfront.FunctionCode.from_file(file_path=str(INDEX_PAGES)),
            runtime=cloudfront.FunctionRuntime.JS_2_0,
        )

    def _upload(self, site: Path) -> None:
        stripe = self.settings.stripe
        config = {
            "api_url": self.api_url,
            "log_url": self.log_url,
            "stripe_js_url": stripe.script_url,
            "publishable_key": stripe.publishable_key,
        }
        keeping = self.log_keeping
        upload = deployment.BucketDeployment(
            self,
            "Upload",
            destination_bucket=self.site,
            sources=[
                deployment.Source.asset(str(site), exclude=[BUILD_STAMP]),
                deployment.Source.json_data("config.json", config),
            ],
            # Pages out there name old hashed assets, with their hash checked: those stay.
            prune=False,
            distribution=self.distribution,
            distribution_paths=["/*"],
            memory_limit=256,
            log_group=logs.LogGroup(
                self, "UploadLog", retention=keeping.retention, removal_policy=keeping.removal_policy
            ),
        )
        self._waive_for(upload)

    def _waive_for(self, upload: deployment.BucketDeployment) -> None:
        """The uploader is the CDK's own Lambda; its rights end at the asset bucket and the site bucket."""
        role = upload.handler_role
        site = self.get_logical_id(cast(cdk.CfnElement, self.site.node.default_child))
        assets = f"cdk-{cdk.DefaultStackSynthesizer.DEFAULT_QUALIFIER}-assets-{self.account}-{self.region}"
        actions = ("GetObject*", "GetBucket*", "List*", "DeleteObject*", "Abort*")
        resources = (f"<{site}.Arn>/*", f"arn:aws:s3:::{assets}/*", "*")
        managed = "arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
        findings = [f"AwsSolutions-IAM4[Policy::{managed}]"]
        findings += [f"AwsSolutions-IAM5[Action::s3:{action}]" for action in actions]
        findings += [f"AwsSolutions-IAM5[Resource::{resource}]" for resource in resources]
        for finding in findings:
            waive(role, finding, UPLOADER)
        handler = role.node.scope
        if handler is not None:
            waive(handler, "AwsSolutions-L1", UPLOADER)


def _not_found() -> cloudfront.ErrorResponse:
    """S3 says 403 for what is not there. Briefly cached: a tile missing now may be published in a second."""
    return cloudfront.ErrorResponse(
        http_status=403,
        response_http_status=404,
        response_page_path="/404.html",
        ttl=Duration.seconds(1),
    )


UPLOADER = Waiver(
    reason="The CDK's own upload Lambda: its runtime and its rights come with the library's version.",
    until=NEXT_REVIEW,
)
IMPORTED_ORIGIN = "Annotation::@aws-cdk/aws-cloudfront-origins:updateImportedBucketPolicyOac"
POLICY_STANDS_BELOW = Waiver(
    reason="The storage stack says it in the bucket's own policy, once for this account.", until=NEXT_REVIEW
)
