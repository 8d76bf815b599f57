"""A WAF web ACL for a load balancer behind a gateway: the client's address is taken from a header."""

from collections.abc import Sequence

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_logs as logs
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from constructs_lib.service import LogKeeping

RATE_WINDOW_SECONDS = 300
UNLOGGED_HEADERS = ("authorization", "cookie", "idempotency-key", "x-forwarded-for")
"""Not for a log, beside the header with the client's address."""
COUNTED = ("SizeRestrictions_BODY", "NoUserAgent_HEADER")
"""The API bounds bodies itself, and a campaign's story is longer than 8 KB; programs need not say what they are."""


class Firewall(Construct):
    """Rules in order: required headers, rate limits, AWS managed rules.

    Made for HTTP that comes through a trusted gateway, which writes the client's address into `client_header` over
    whatever the client said. AWS's lists of bad addresses are left out: they look at the connection alone, and that
    is always the gateway's.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        client_header: str,
        requests_per_window: int,
        always_let_in: str,
        log: LogKeeping,
    ) -> None:
        """`requests_per_window` counts one client's requests in five minutes; `always_let_in` is an exact path."""
        super().__init__(scope, construct_id)
        self._name = name
        self.acl = wafv2.CfnWebACL(
            self,
            "Acl",
            scope="REGIONAL",
            default_action=wafv2.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=self._visibility("all"),
            rules=[
                self._let_in(always_let_in, priority=0),
                self._limit_rate(client_header, requests_per_window, priority=1),
                self._managed("AWSManagedRulesKnownBadInputsRuleSet", priority=2),
                self._managed("AWSManagedRulesCommonRuleSet", priority=3, counted=COUNTED),
            ],
        )
        self._log_what_was_stopped(client_header, log)

    def protect(self, load_balancer_arn: str) -> None:
        wafv2.CfnWebACLAssociation(
            self, "Protects", resource_arn=load_balancer_arn, web_acl_arn=self.acl.attr_arn
        )

    def metric(self, name: str) -> cloudwatch.Metric:
        """A metric over all rules, such as BlockedRequests.

        https://docs.aws.amazon.com/waf/latest/developerguide/waf-metrics.html.
        """
        return cloudwatch.Metric(
            namespace="AWS/WAFV2",
            metric_name=name,
            dimensions_map={
                "WebACL": f"{self._name}-all",
                "Region": Stack.of(self).region,
                "Rule": "ALL",
            },
            statistic="Sum",
        )

    def _visibility(self, metric: str) -> wafv2.CfnWebACL.VisibilityConfigProperty:
        """No samples: they are requests, kept whole."""
        return wafv2.CfnWebACL.VisibilityConfigProperty(
            cloud_watch_metrics_enabled=True,
            metric_name=f"{self._name}-{metric}",
            sampled_requests_enabled=False,
        )

    def _let_in(self, path: str, *, priority: int) -> wafv2.CfnWebACL.RuleProperty:
        """What comes here is signed and checked by the API; a refused one is money that goes unbooked."""
        exactly = wafv2.CfnWebACL.ByteMatchStatementProperty(
            search_string=path,
            field_to_match=wafv2.CfnWebACL.FieldToMatchProperty(uri_path={}),
            positional_constraint="EXACTLY",
            text_transformations=[wafv2.CfnWebACL.TextTransformationProperty(priority=0, type="NONE")],
        )
        return wafv2.CfnWebACL.RuleProperty(
            name="let-in",
            priority=priority,
            action=wafv2.CfnWebACL.RuleActionProperty(allow={}),
            statement=wafv2.CfnWebACL.StatementProperty(byte_match_statement=exactly),
            visibility_config=self._visibility("let-in"),
        )

    def _limit_rate(
        self, client_header: str, requests: int, *, priority: int
    ) -> wafv2.CfnWebACL.RuleProperty:
        """A request without the header is let through: taking a gift matters more than counting it."""
        rate = wafv2.CfnWebACL.RateBasedStatementProperty(
            aggregate_key_type="FORWARDED_IP",
            forwarded_ip_config=wafv2.CfnWebACL.ForwardedIPConfigurationProperty(
                header_name=client_header, fallback_behavior="NO_MATCH"
            ),
            limit=requests,
            evaluation_window_sec=RATE_WINDOW_SECONDS,
        )
        return wafv2.CfnWebACL.RuleProperty(
            name="rate",
            priority=priority,
            action=wafv2.CfnWebACL.RuleActionProperty(
                block=wafv2.CfnWebACL.BlockActionProperty(
                    custom_response=wafv2.CfnWebACL.CustomResponseProperty(response_code=429)
                )
            ),
            statement=wafv2.CfnWebACL.StatementProperty(rate_based_statement=rate),
            visibility_config=self._visibility("rate"),
        )

    def _managed(
        self, group: str, *, priority: int, counted: Sequence[str] = ()
    ) -> wafv2.CfnWebACL.RuleProperty:
        overrides = [
            wafv2.CfnWebACL.RuleActionOverrideProperty(
                name=rule, action_to_use=wafv2.CfnWebACL.RuleActionProperty(count={})
            )
            for rule in counted
        ]
        managed = wafv2.CfnWebACL.ManagedRuleGroupStatementProperty(
            vendor_name="AWS", name=group, rule_action_overrides=overrides
        )
        return wafv2.CfnWebACL.RuleProperty(
            name=group,
            priority=priority,
            override_action=wafv2.CfnWebACL.OverrideActionProperty(none={}),
            statement=wafv2.CfnWebACL.StatementProperty(managed_rule_group_statement=managed),
            visibility_config=self._visibility(group),
        )

    def _log_what_was_stopped(self, client_header: str, log: LogKeeping) -> None:
        """Only requests that a rule stopped, without what says who someone is.

        WAF writes one thing that cannot be left out: the address that a rate rule stopped.
        """
        group = logs.LogGroup(
            self,
            "Log",
            # WAF writes to no group that is named otherwise.
            log_group_name=f"aws-waf-logs-{self._name}",
            retention=log.retention,
            removal_policy=log.removal_policy,
        )
        field = wafv2.CfnLoggingConfiguration.FieldToMatchProperty
        headers = [field(single_header={"Name": name}) for name in (client_header.lower(), *UNLOGGED_HEADERS)]
        logging = wafv2.CfnLoggingConfiguration(
            self,
            "Logging",
            resource_arn=self.acl.attr_arn,
            # The group's own attribute ends in :*, which WAF refuses.
            log_destination_configs=[
                Stack.of(self).format_arn(
                    service="logs",
                    resource="log-group",
                    resource_name=f"aws-waf-logs-{self._name}",
                    arn_format=ArnFormat.COLON_RESOURCE_NAME,
                )
            ],
            redacted_fields=[*headers, field(query_string={})],
            logging_filter={
                "DefaultBehavior": "DROP",
                "Filters": [
                    {
                        "Behavior": "KEEP",
                        "Requirement": "MEETS_ANY",
                        "Conditions": [{"ActionCondition": {"Action": "BLOCK"}}],
                    }
                ],
            },
        )
        logging.node.add_dependency(group)
