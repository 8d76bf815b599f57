"""A template with a metric filter and an alarm on it."""

from typing import Any

from local_cloud.settings import REGION

GROUP, NAMESPACE, METRIC = "/amply/counting", "amply/counting", "Violations"


def resources() -> dict[str, Any]:
    """A log group of two processes, a filter over it, and an alarm, as our stacks have them."""
    options = {"awslogs-group": {"Ref": "Log"}, "awslogs-stream-prefix": "counting", "awslogs-region": REGION}
    broken, container = (
        {
            "Name": name,
            "Image": "localhost/amply",
            "LogConfiguration": {"LogDriver": "awslogs", "Options": options},
        }
        for name in ("broken", "counting")
    )
    transformation = {
        "MetricNamespace": NAMESPACE,
        "MetricName": METRIC,
        "MetricValue": "1",
        "DefaultValue": 0,
    }
    return {
        "Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": GROUP}},
        "Task": {
            "Type": "AWS::ECS::TaskDefinition",
            "Properties": {"Family": "local-counting", "ContainerDefinitions": [broken, container]},
        },
        "Filter": {
            "Type": "AWS::Logs::MetricFilter",
            "Properties": {
                "LogGroupName": {"Ref": "Log"},
                "FilterPattern": '{ $.event = "k_anon_violation" }',
                "MetricTransformations": [transformation],
            },
        },
        "Alarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "AlarmName": "counting",
                "Namespace": NAMESPACE,
                "MetricName": METRIC,
                "Statistic": "Sum",
                "Period": 3600,
                "EvaluationPeriods": 1,
                "Threshold": 1,
                "ComparisonOperator": "GreaterThanThreshold",
            },
        },
    }
