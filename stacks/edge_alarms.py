"""CloudFront's alarms, in us-east-1, where its metrics are."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from constructs_lib.alarms import Severity
from stacks.certificate import CLOUDFRONT_REGION
from stacks.edge import Edge
from stacks.environment import Environment
from stacks.paging import make_pager, make_topics
from stacks.stack import AmplyStack

ERRORS_PERCENT_MAX = 5
REQUESTS_MIN = 20
"""Below this many a minute one failure is no rate."""


class EdgeAlarms(AmplyStack):
    """Has its own topic, since alarms cannot notify topics of another region."""

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment, edge: Edge) -> None:
        super().__init__(
            scope,
            construct_id,
            environment=environment,
            description="Amply: alarms of the edge",
            env=cdk.Environment(account=environment.account, region=CLOUDFRONT_REGION),
        )
        pager = make_pager(self, make_topics(self, Severity.PAGE))
        pager.above(
            "edge-errors",
            _errors(edge.distribution.distribution_id),
            ERRORS_PERCENT_MAX,
            minutes=5,
            meaning="CloudFront answered more than five per cent of requests with an error of ours for five minutes.",
            severity=Severity.PAGE,
        )


def _errors(distribution_id: str) -> cloudwatch.MathExpression:
    """https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/programming-cloudwatch-metrics.html."""
    of_the_edge = {"DistributionId": distribution_id, "Region": "Global"}
    rate, requests = (
        cloudwatch.Metric(
            namespace="AWS/CloudFront", metric_name=name, dimensions_map=of_the_edge, statistic=statistic
        )
        for name, statistic in (("5xxErrorRate", "Average"), ("Requests", "Sum"))
    )
    return cloudwatch.MathExpression(
        expression=f"IF(requests > {REQUESTS_MIN}, rate, 0)",
        using_metrics={"rate": rate, "requests": requests},
        label="per cent of requests that failed",
    )
