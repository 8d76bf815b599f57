"""Public entry points: CloudFront for pages, widgets, media and the log; the HTTP API for requests."""

from pathlib import Path

from aws_cdk import CfnOutput, Duration
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib.bucket import PrivateBucket
from constructs_lib.waiver import Waiver, waive
from stacks.certificate import Certificate
from stacks.contracts import STRIPE_WEBHOOK_PATH, Parameter, RecoveryParameter
from stacks.dns import Names
from stacks.edge_functions import EdgeFunctions
from stacks.edge_names import point_names_here, write_down_how_names_move
from stacks.edge_policies import EdgePolicies
from stacks.environment import Environment
from stacks.http_api import make_api_certificate, make_api_name, make_http_api
from stacks.site_upload import BEHIND, upload_pages_behind, upload_site
from stacks.stack import AmplyStack
from stacks.storage import Storage
from stacks.waivers import NEXT_REVIEW


class Edge(AmplyStack):
    """Deployed before the API, whose routes join the HTTP API later: pages and tasks learn both addresses."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        storage: Storage,
        site: Path,
        dns: Names | None,
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
        named = (
            make_api_name(self, dns.domain, self.api_certificate) if dns and self.api_certificate else None
        )
        self.http_api = make_http_api(self, named)
        self.site = self._make_site_bucket(storage)
        self.distribution = self._make_distribution(storage, certificate=self._certificate(certificate))
        if dns and named:
            lead = write_down_how_names_move if environment.lost_region else point_names_here
            lead(self, dns, edge=self.distribution, api=named)
        upload_site(
            self,
            site,
            config=self._config(),
            policy=self.settings.ledger_policy,
            bucket=self.site,
            distribution=self.distribution,
        )
        if environment.features.data_seller_portal:
            upload_pages_behind(
                self,
                site / BEHIND / "data-seller-portal",
                at="data",
                bucket=self.site,
                distribution=self.distribution,
            )
        self.publish(Parameter.SITE_BUCKET, self.site.bucket_name)
        self.publish(Parameter.DISTRIBUTION_ID, self.distribution.distribution_id)
        self.publish(Parameter.EDGE_URL, self.edge_url)
        self.publish(Parameter.API_URL, self.api_url)
        self._tell_addresses()

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
        """The permanent address of the log in receipts; pages read the same files from their own origin."""
        domain = self.settings.domain
        return f"https://{domain.log}/log" if domain else f"{self.edge_url}/log"

    def _tell_addresses(self) -> None:
        """What whoever deployed it asks for first; programs read the parameters."""
        for name, url, description in (
            ("ApiUrl", self.api_url, "Where the API is reached"),
            ("SiteUrl", self.edge_url, "Where pages and widgets are"),
            ("PublicLedgerUrl", f"{self.edge_url}/ledger/", "The page where everyone checks the books"),
            ("LogUrl", self.log_url, "The transparency log, for amply-verify"),
            ("StripeWebhookUrl", f"{self.api_url}{STRIPE_WEBHOOK_PATH}", "Where Stripe sends its events"),
        ):
            CfnOutput(self, name, value=url, description=description)

    def _upload_url(self, storage: Storage) -> str:
        """Where the pages of people post what they upload, by forms that the API signs."""
        if fixed := self.settings.addresses:
            return fixed.upload_url
        return f"https://{storage.documents.bucket_regional_domain_name}"

    def _certificate(self, made: Certificate | None) -> acm.ICertificate | None:
        """It stands in a region of its own: the loss of ours leaves it where it is."""
        if self.settings.lost_region is None:
            return made.certificate if made else None
        arn = self.recovery_input(RecoveryParameter.CERTIFICATE)
        return acm.Certificate.from_certificate_arn(self, "Certificate", arn)

    def _hosts(self) -> list[str] | None:
        """One distribution at a time answers at a name, and the one of a lost region does until the name is moved."""
        domain, plan = self.settings.domain, self.settings.recovery
        theirs = self.settings.lost_region and not (plan and plan.names_moved)
        return list(domain.edge_hosts) if domain and not theirs else None

    def _make_site_bucket(self, storage: Storage) -> PrivateBucket:
        # By name: handing over the bucket itself would write its name into the stack below.
        request_logs = s3.Bucket.from_bucket_name(self, "RequestLogs", storage.access_logs.bucket_name)
        bucket = PrivateBucket(self, "Site", durability=self.settings.durability, request_logs=request_logs)
        waive(bucket, "Annotation::@aws-cdk/aws-s3:accessLogsPolicyNotAdded", POLICY_STANDS_BELOW)
        return bucket

    def _make_distribution(
        self, storage: Storage, *, certificate: acm.ICertificate | None
    ) -> cloudfront.Distribution:
        # Their names, and those of origin access, are the whole account's and follow from these ids.
        again = "Recovered" if self.settings.lost_region else ""
        policies = EdgePolicies(
            self,
            f"Policies{again}",
            connecting_to=self.api_url,
            uploading_to=self._upload_url(storage),
            stripe=self.settings.stripe,
            functions=EdgeFunctions(self),
        )
        site = origins.S3BucketOrigin.with_origin_access_control(self.site)
        domain = self.settings.domain
        distribution = cloudfront.Distribution(
            self,
            f"Distribution{again}",
            comment=f"Amply {self.settings.name}",
            domain_names=self._hosts(),
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

    def _origin_below(self, construct_id: str, bucket: s3.Bucket) -> cloudfront.IOrigin:
        """By name, for the same reason; the bucket's own policy lets this account's distributions read."""
        named = s3.Bucket.from_bucket_attributes(
            self,
            construct_id,
            bucket_name=bucket.bucket_name,
            bucket_regional_domain_name=bucket.bucket_regional_domain_name,
        )
        return origins.S3BucketOrigin.with_origin_access_control(named)

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
            **({"data_seller_portal": "on"} if self.settings.features.data_seller_portal else {}),
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
