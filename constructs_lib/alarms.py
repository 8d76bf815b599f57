"""Alarms that wake someone, and numbers read out of logs. Every alarm says what it means and treats silence on purpose."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from constructs import Construct


class MeasuredLine(Construct):
    """A JSON log line, known by its `event`, whose numbers become metrics named like their keys."""

    def __init__(
        self, scope: Construct, construct_id: str, *, log: logs.ILogGroup, event: str, namespace: str
    ) -> None:
        super().__init__(scope, construct_id)
        self._log = log
        self._event = event
        self._namespace = namespace

    def highest(self, key: str) -> cloudwatch.Metric:
        """The highest number a period saw under `key`, a key of the line itself, not of an object in it."""
        found = logs.MetricFilter(
            self,
            key,
            log_group=self._log,
            filter_pattern=logs.FilterPattern.string_value("$.event", "=", self._event),
            metric_namespace=self._namespace,
            metric_name=key,
            metric_value=f"$.{key}",
        )
        return found.metric(statistic="Maximum")


class Pager(Construct):
    """Makes alarms under fixed names `{prefix}-{name}` that report to one topic, on the way in and out."""

    def __init__(self, scope: Construct, construct_id: str, *, topic: sns.ITopic, prefix: str) -> None:
        super().__init__(scope, construct_id)
        self._action = actions.SnsAction(topic)
        self._prefix = prefix

    def above(
        self,
        name: str,
        metric: cloudwatch.Metric,
        threshold: float,
        *,
        minutes: int,
        meaning: str,
        silence_pages: bool = False,
        period_minutes: int = 1,
    ) -> cloudwatch.Alarm:
        """Page when every period within `minutes` is above `threshold`; silence counts if `silence_pages`.

        `period_minutes` longer than one is for what is seldom measured: between two numbers there would be silence.
        """
        return self._alarm(
            name,
            metric,
            threshold,
            minutes=minutes,
            meaning=meaning,
            comparison=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            silence_pages=silence_pages,
            period_minutes=period_minutes,
        )

    def below(
        self,
        name: str,
        metric: cloudwatch.Metric,
        threshold: float,
        *,
        minutes: int,
        meaning: str,
        silence_pages: bool = True,
    ) -> cloudwatch.Alarm:
        """Page when every period is below `threshold`; silence counts unless told otherwise."""
        return self._alarm(
            name,
            metric,
            threshold,
            minutes=minutes,
            meaning=meaning,
            comparison=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            silence_pages=silence_pages,
        )

    def _alarm(
        self,
        name: str,
        metric: cloudwatch.Metric,
        threshold: float,
        *,
        minutes: int,
        meaning: str,
        comparison: cloudwatch.ComparisonOperator,
        silence_pages: bool,
        period_minutes: int = 1,
    ) -> cloudwatch.Alarm:
        missing = cloudwatch.TreatMissingData
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_name=f"{self._prefix}-{name}",
            alarm_description=meaning,
            metric=metric.with_(period=Duration.minutes(period_minutes)),
            threshold=threshold,
            evaluation_periods=minutes // period_minutes,
            comparison_operator=comparison,
            treat_missing_data=missing.BREACHING if silence_pages else missing.NOT_BREACHING,
        )
        alarm.add_alarm_action(self._action)
        alarm.add_ok_action(self._action)
        return alarm
