"""The public front doors: CloudFront for what is read (pages, widgets, media, the log), the HTTP API for questions."""

from pathlib import Path

from aws_cdk import Duration
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as targets
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib.bucket import PrivateBucket
from constructs_lib.waiver import Waiver, waive
from stacks.certificate import Certificate
from stacks.contracts import Parameter
from stacks.dns import Dns
from stacks.edge_functions import EdgeFunctions
from stacks.edge_policies import EdgePolicies
from stacks.environment import Environment
from stacks.http_api import make_api_certificate, make_http_api
from stacks.site_upload import upload_site
from stacks.stack import AmplyStack
from stacks.storage import Storage
from stacks.waivers import NEXT_REVIEW


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
        dns: Dns | None,
        certificate: Certificate | None,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            environment=environment,
            description="Amply: CloudFront, site and HTTP API",
            # Pages out there name assets of earlier versions, which only this bucket still has.
            holds_data=True,
        )
        self.api_certificate = make_api_certificate(self, dns) if dns else None
        self.http_api = make_http_api(self, dns, self.api_certificate)
        self.site = self._make_site_bucket(storage)
        self.distribution = self._make_distribution(
            storage, certificate=certificate.certificate if certificate else None
        )
        if dns:
            self._point_names_here(dns)
        upload_site(self, site, config=self._config(), bucket=self.site, distribution=self.distribution)
        self.publish(Parameter.SITE_BUCKET, self.site.bucket_name)
        self.publish(Parameter.DISTRIBUTION_ID, self.distribution.distribution_id)
        self.publish(Parameter.EDGE_URL, self.edge_url)
        self.publish(Parameter.API_URL, self.api_url)

    @property
    def api_url(self) -> str:
        if fixed := self.settings.addresses:
            return fixed.api_url
        domain = self.settings.domain
        return f"https://{domain.api}" if domain else self.http_api.api_endpoint

    @property
    def edge_url(self) -> str:
        if fixed := self.settings.addresses:
            return fixed.edge_url
        domain = self.settings.domain
        return f"https://{domain.site if domain else self.distribution.distribution_domain_name}"

    @property
    def log_url(self) -> str:
        """What receipts name for ever; pages read the same files from their own origin."""
        domain = self.settings.domain
        return f"https://{domain.log}/log" if domain else f"{self.edge_url}/log"

    def _make_site_bucket(self, storage: Storage) -> PrivateBucket:
        # By name: handing over the bucket itself would write its name into the stack below.
        request_logs = s3.Bucket.from_bucket_name(self, "RequestLogs", storage.access_logs.bucket_name)
        bucket = PrivateBucket(self, "Site", durability=self.settings.durability, request_logs=request_logs)
        waive(bucket, "Annotation::@aws-cdk/aws-s3:accessLogsPolicyNotAdded", POLICY_STANDS_BELOW)
        return bucket

    def _make_distribution(
        self, storage: Storage, *, certificate: acm.ICertificate | None
    ) -> cloudfront.Distribution:
        policies = EdgePolicies(
            self,
            "Policies",
            connecting_to=self.api_url,
            stripe=self.settings.stripe,
            functions=EdgeFunctions(self),
        )
        site = origins.S3BucketOrigin.with_origin_access_control(self.site)
        domain = self.settings.domain
        distribution = cloudfront.Distribution(
            self,
            "Distribution",
            comment=f"Amply {self.settings.name}",
            domain_names=list(domain.edge_hosts) if domain else None,
            certificate=certificate,
            minimum_protocol_version=cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021 if domain else None,
            default_root_object="index.html",
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            price_class=cloudfront.PriceClass.PRICE_CLASS_100,
            error_responses=[_not_found()],
            default_behavior=policies.pages(site),
            additional_behaviors={
                "/assets/*": policies.assets(site),
                # Read from the top: three numbers are one version for ever, two or one mean the newest of theirs.
                "/v?.*.*/*": policies.assets(site),
                "/v?.*/*": policies.newest(site),
                "/v?/*": policies.newest(site),
                "/log/*": policies.log(self._origin_below("PublicData", storage.public)),
                "/media/*": policies.media(self._origin_below("MediaData", storage.media)),
            },
        )
        policies.waive_for(distribution, named=domain is not None)
        waive(distribution, IMPORTED_ORIGIN, POLICY_STANDS_BELOW)
        return distribution

    def _origin_below(self, construct_id: str, bucket: PrivateBucket) -> cloudfront.IOrigin:
        """By name, for the same reason; the bucket's own policy lets this account's distributions read."""
        named = s3.Bucket.from_bucket_attributes(
            self,
            construct_id,
            bucket_name=bucket.bucket_name,
            bucket_regional_domain_name=bucket.bucket_regional_domain_name,
        )
        return origins.S3BucketOrigin.with_origin_access_control(named)

    def _point_names_here(self, dns: Dns) -> None:
        here = route53.RecordTarget.from_alias(targets.CloudFrontTarget(self.distribution))
        for host in dns.domain.edge_hosts:
            name = host.removesuffix(dns.domain.apex).rstrip(".").capitalize() or "Site"
            route53.ARecord(self, f"{name}Address", zone=dns.zone, record_name=f"{host}.", target=here)
            route53.AaaaRecord(self, f"{name}Address6", zone=dns.zone, record_name=f"{host}.", target=here)

    def _config(self) -> dict[str, str]:
        """What pages are told at `/config.json`; they stand on one host, so the log is of their own origin."""
        stripe = self.settings.stripe
        return {
            "api_url": self.api_url,
            "log_url": f"{self.edge_url}/log",
            "stripe_js_url": stripe.script_url,
            "publishable_key": stripe.publishable_key,
            "ledger_policy": self.settings.ledger_policy,
            "ledger_former_keys": self.settings.signing_keys.former_keys(),
        }


def _not_found() -> cloudfront.ErrorResponse:
    """S3 says 403 for what is not there. Briefly cached: a tile missing now may be published in a second."""
    return cloudfront.ErrorResponse(
        http_status=403,
        response_http_status=404,
        response_page_path="/404.html",
        ttl=Duration.seconds(1),
    )


IMPORTED_ORIGIN = "Annotation::@aws-cdk/aws-cloudfront-origins:updateImportedBucketPolicyOac"
POLICY_STANDS_BELOW = Waiver(
    reason="The storage stack says it in the bucket's own policy, once for this account.", until=NEXT_REVIEW
)
