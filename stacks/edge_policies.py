"""CloudFront cache and response-header policies."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from aws_cdk import Duration
from aws_cdk import aws_cloudfront as cloudfront
from constructs import Construct

from constructs_lib.waiver import Waiver, waive
from stacks.edge_functions import EdgeFunctions
from stacks.environment import StripeSettings
from stacks.waivers import NEXT_REVIEW

SITE_HEADERS = Path(__file__).parent.parent / "services" / "widgets" / "headers.json"
LOG_HEADERS = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
MEDIA_HEADERS = {
    # People upload these: opened by itself, a picture that is really a page can do nothing.
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
}
PLACED_ELSEWHERE = {
    "Access-Control-Allow-Origin",
    "Content-Security-Policy",
    "Referrer-Policy",
    "X-Content-Type-Options",
}
YEAR = Duration.days(365)
METHODS = cloudfront.AllowedMethods.ALLOW_GET_HEAD_OPTIONS
HTTPS = cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS


class EdgePolicies(Construct):
    """Pages are revalidated; hashed assets, exact versions and media are immutable; log objects have their own
    Cache-Control.

    The headers of pages, assets and widgets are the site's own (`services/widgets/headers.json`), the same on a laptop.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        connecting_to: str,
        uploading_to: str,
        stripe: StripeSettings,
        functions: EdgeFunctions,
    ) -> None:
        super().__init__(scope, construct_id)
        self._functions = functions
        self._short = self._cache("Short", default=Duration.minutes(1), longest=Duration.hours(1))
        self._forever = self._cache("Forever", default=YEAR, longest=YEAR)
        self._as_told = self._cache("AsTold", default=Duration.seconds(0), longest=YEAR)
        site = json.loads(SITE_HEADERS.read_text())
        pages = {
            name: _filled_in(value, connecting_to, uploading_to, stripe)
            for name, value in site["pages"].items()
        }
        self._page_headers = self._headers("PageHeaders", pages)
        # The function says how long they are kept, for what is there.
        assets = {name: value for name, value in site["assets"].items() if name != "Cache-Control"}
        self._asset_headers = self._headers("AssetHeaders", assets)
        self._widget_headers = self._headers("WidgetHeaders", site["widgets"])
        self._media_headers = self._headers("MediaHeaders", MEDIA_HEADERS)
        self._log_headers = self._headers("LogHeaders", LOG_HEADERS)

    def pages(self, origin: cloudfront.IOrigin) -> cloudfront.BehaviorOptions:
        return _behavior(origin, self._short, self._page_headers, [_on_request(self._functions.pages)])

    def assets(self, origin: cloudfront.IOrigin) -> cloudfront.BehaviorOptions:
        """Policy for immutable addresses."""
        return _behavior(
            origin, self._forever, self._asset_headers, [_on_response(self._functions.immutable)]
        )

    def newest(self, origin: cloudfront.IOrigin) -> cloudfront.BehaviorOptions:
        """Policy for moving versions: cached at the edge, five minutes in browsers."""
        return _behavior(origin, self._forever, self._widget_headers, [_on_request(self._functions.newest)])

    def media(self, origin: cloudfront.IOrigin) -> cloudfront.BehaviorOptions:
        return _behavior(
            origin, self._forever, self._media_headers, [_on_response(self._functions.immutable)]
        )

    def log(self, origin: cloudfront.IOrigin) -> cloudfront.BehaviorOptions:
        """`log/checkpoint` is written no-cache, full tiles immutable: the publisher says so on each object."""
        return _behavior(origin, self._as_told, self._log_headers, [])

    def _cache(self, construct_id: str, *, default: Duration, longest: Duration) -> cloudfront.CachePolicy:
        return cloudfront.CachePolicy(
            self,
            construct_id,
            min_ttl=Duration.seconds(0),
            default_ttl=default,
            max_ttl=longest,
            enable_accept_encoding_brotli=True,
            enable_accept_encoding_gzip=True,
        )

    def _headers(self, construct_id: str, headers: Mapping[str, str]) -> cloudfront.ResponseHeadersPolicy:
        """CloudFront takes security and CORS headers in places of their own and refuses them elsewhere."""
        custom = [
            cloudfront.ResponseCustomHeader(header=name, value=value, override=True)
            for name, value in headers.items()
            if name not in PLACED_ELSEWHERE
        ]
        return cloudfront.ResponseHeadersPolicy(
            self,
            construct_id,
            security_headers_behavior=_security_headers(headers),
            cors_behavior=_cors(headers.get("Access-Control-Allow-Origin")),
            custom_headers_behavior=cloudfront.ResponseCustomHeadersBehavior(custom_headers=custom),
        )

    @staticmethod
    def waive_for(distribution: cloudfront.Distribution, *, named: bool) -> None:
        waive(distribution, "AwsSolutions-CFR1", ANY_COUNTRY)
        waive(distribution, "AwsSolutions-CFR2", STATIC_FILES)
        waive(distribution, "AwsSolutions-CFR3", NO_READER_LISTS)
        if not named:
            waive(distribution, "AwsSolutions-CFR4", GENERATED_NAME)


def _behavior(
    origin: cloudfront.IOrigin,
    cache: cloudfront.ICachePolicy,
    headers: cloudfront.IResponseHeadersPolicy,
    functions: Sequence[cloudfront.FunctionAssociation],
) -> cloudfront.BehaviorOptions:
    return cloudfront.BehaviorOptions(
        origin=origin,
        allowed_methods=METHODS,
        viewer_protocol_policy=HTTPS,
        cache_policy=cache,
        response_headers_policy=headers,
        function_associations=list(functions) or None,
    )


def _on_request(function: cloudfront.IFunction) -> cloudfront.FunctionAssociation:
    return cloudfront.FunctionAssociation(
        event_type=cloudfront.FunctionEventType.VIEWER_REQUEST, function=function
    )


def _on_response(function: cloudfront.IFunction) -> cloudfront.FunctionAssociation:
    return cloudfront.FunctionAssociation(
        event_type=cloudfront.FunctionEventType.VIEWER_RESPONSE, function=function
    )


def _filled_in(header: str, api_url: str, upload_url: str, stripe: StripeSettings) -> str:
    places = {
        "{api_origin}": api_url,
        "{upload_origin}": upload_url,
        "{stripe_api_origin}": stripe.api_url,
        "{stripe_js_origins}": " ".join(stripe.script_origins),
        "{stripe_frame_origins}": " ".join(stripe.frame_origins),
    }
    for place, value in places.items():
        header = header.replace(place, value)
    return header


def _security_headers(headers: Mapping[str, str]) -> cloudfront.ResponseSecurityHeadersBehavior:
    csp, referrer = headers.get("Content-Security-Policy"), headers.get("Referrer-Policy")
    return cloudfront.ResponseSecurityHeadersBehavior(
        strict_transport_security=cloudfront.ResponseHeadersStrictTransportSecurity(
            access_control_max_age=YEAR, include_subdomains=True, override=True
        ),
        content_type_options=cloudfront.ResponseHeadersContentTypeOptions(override=True),
        content_security_policy=(
            cloudfront.ResponseHeadersContentSecurityPolicy(content_security_policy=csp, override=True)
            if csp
            else None
        ),
        referrer_policy=(
            cloudfront.ResponseHeadersReferrerPolicy(
                referrer_policy=cloudfront.HeadersReferrerPolicy[referrer.upper().replace("-", "_")],
                override=True,
            )
            if referrer
            else None
        ),
    )


def _cors(allowed_origin: str | None) -> cloudfront.ResponseHeadersCorsBehavior | None:
    """Widgets load on other people's sites with integrity checked, and anyone's page may read the log."""
    if allowed_origin is None:
        return None
    return cloudfront.ResponseHeadersCorsBehavior(
        access_control_allow_credentials=False,
        access_control_allow_headers=["*"],
        access_control_allow_methods=["GET", "HEAD"],
        access_control_allow_origins=[allowed_origin],
        origin_override=True,
    )


ANY_COUNTRY = Waiver(
    reason="A public ledger is readable from every country; there is nothing to restrict.", until=NEXT_REVIEW
)
STATIC_FILES = Waiver(
    reason="Only static files stand behind it: no request reaches code that a firewall could protect.",
    until=NEXT_REVIEW,
)
NO_READER_LISTS = Waiver(
    reason="Anyone may read the ledger without us keeping a list of who read what.", until=NEXT_REVIEW
)
GENERATED_NAME = Waiver(
    reason="The generated cloudfront.net name has Amazon's certificate, whose floor nobody can set.",
    until=NEXT_REVIEW,
)
