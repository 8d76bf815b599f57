"""Target tracking on a metric-math sum, which CDK's construct refuses and the service accepts.

https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-target-tracking-metric-math.html
"""

from collections.abc import Sequence

from aws_cdk import aws_applicationautoscaling as autoscaling
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

Query = autoscaling.CfnScalingPolicy.TargetTrackingMetricDataQueryProperty


def track_sum(
    scope: Construct,
    construct_id: str,
    *,
    scaled: autoscaling.ScalableTarget,
    metrics: Sequence[cloudwatch.Metric],
    target: float,
    in_seconds: int,
    out_seconds: int,
) -> autoscaling.CfnScalingPolicy:
    """Keep the sum of `metrics` at `target`; missing data counts as zero."""
    names = [f"m{number}" for number in range(len(metrics))]
    policies = autoscaling.CfnScalingPolicy
    total = Query(id="total", expression=" + ".join(f"FILL({name}, 0)" for name in names), return_data=True)
    return policies(
        scope,
        construct_id,
        policy_name=f"{scope.node.addr[:8]}{construct_id}",
        policy_type="TargetTrackingScaling",
        scaling_target_id=scaled.scalable_target_id,
        target_tracking_scaling_policy_configuration=policies.TargetTrackingScalingPolicyConfigurationProperty(
            customized_metric_specification=policies.CustomizedMetricSpecificationProperty(
                metrics=[total, *map(_one, names, metrics)]
            ),
            target_value=target,
            scale_in_cooldown=in_seconds,
            scale_out_cooldown=out_seconds,
        ),
    )


def _one(name: str, metric: cloudwatch.Metric) -> Query:
    policies = autoscaling.CfnScalingPolicy
    dimensions = [
        policies.TargetTrackingMetricDimensionProperty(name=key, value=str(value))
        for key, value in (metric.dimensions or {}).items()
    ]
    return Query(
        id=name,
        metric_stat=policies.TargetTrackingMetricStatProperty(
            metric=policies.TargetTrackingMetricProperty(
                namespace=metric.namespace, metric_name=metric.metric_name, dimensions=dimensions
            ),
            stat=metric.statistic,
        ),
        return_data=False,
    )
