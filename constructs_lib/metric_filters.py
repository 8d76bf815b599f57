"""Metric filters: metrics from structured log lines, so that the application needs no metrics client."""

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_logs as logs
from constructs import Construct


class MetricFilters(Construct):
    """Metric filters over a log group's JSON lines, selected by their `event`, in one namespace."""

    def __init__(self, scope: Construct, construct_id: str, *, log: logs.ILogGroup, namespace: str) -> None:
        super().__init__(scope, construct_id)
        self._log = log
        self._namespace = namespace

    def highest(self, event: str, key: str) -> cloudwatch.Metric:
        """The maximum of `key`, a top-level key of the line."""
        return self._filter(event, name=key, value=f"$.{key}").metric(statistic="Maximum")

    def count(self, event: str, name: str) -> cloudwatch.Metric:
        """The number of such lines; zero, not missing data, while the log has others."""
        return self._filter(event, name=name, value="1", otherwise=0).metric(statistic="Sum")

    def _filter(
        self, event: str, *, name: str, value: str, otherwise: int | None = None
    ) -> logs.MetricFilter:
        return logs.MetricFilter(
            self,
            name,
            log_group=self._log,
            filter_pattern=logs.FilterPattern.string_value("$.event", "=", event),
            metric_namespace=self._namespace,
            metric_name=name,
            metric_value=value,
            default_value=otherwise,
        )
