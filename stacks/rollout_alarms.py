"""Alarms that roll back a deployment of the API: error rates, since a canary sees a tenth of the traffic."""

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_elasticloadbalancingv2 as elb

from constructs_lib.alarms import Severity
from constructs_lib.rollout import Watch
from stacks.paging import make_pager
from stacks.stack import AmplyStack

ERRORS_PERCENT_MAX = 2
"""A canary of a tenth that fails every fifth request shows as two per cent of all."""
REQUESTS_MIN = 20
"""Below this many a minute one failure is no rate."""


def watch_rollout(stack: AmplyStack, balancer: elb.ApplicationLoadBalancer) -> Watch | None:
    """Alarms beside the service, measured at the balancer: the service names them, so they must not stand on it."""
    rollout = stack.settings.tasks.rollout
    if rollout is None:
        return None
    pager = make_pager(stack, {}, construct_id="Rollout")
    metrics = balancer.metrics
    share = cloudwatch.MathExpression(
        expression=f"IF(requests > {REQUESTS_MIN}, 100 * FILL(errors, 0) / requests, 0)",
        using_metrics={
            "errors": metrics.http_code_target(elb.HttpCodeTarget.TARGET_5XX_COUNT),
            "requests": metrics.request_count(),
        },
        label="per cent of requests that failed",
    )
    alarms = [
        pager.above(
            "rollout-errors",
            share,
            ERRORS_PERCENT_MAX,
            minutes=2,
            meaning="More than two per cent of requests failed; a deployment that is under way rolls back.",
            severity=Severity.PART,
        ),
        pager.above(
            "rollout-slow",
            metrics.target_response_time(statistic="p95"),
            2,
            minutes=3,
            meaning="One request in twenty took two seconds; a deployment that is under way rolls back.",
            severity=Severity.PART,
        ),
    ]
    return Watch(rollout=rollout, alarms=alarms)
