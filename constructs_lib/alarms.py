"""Alarms that wake someone. Every one says what it means and treats silence on purpose."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct


class Pager(Construct):
    """Makes alarms under fixed names `{prefix}-{name}` that report to one topic, on the way in and out."""

    def __init__(self, scope: Construct, construct_id: str, *, topic: sns.ITopic, prefix: str) -> None:
        super().__init__(scope, construct_id)
        self._action = actions.SnsAction(topic)
        self._prefix = prefix

    def above(
        self, name: str, metric: cloudwatch.Metric, threshold: float, *, minutes: int, meaning: str
    ) -> cloudwatch.Alarm:
        """Page when every one of `minutes` one-minute periods is above `threshold`; no data is good news."""
        return self._alarm(
            name,
            metric,
            threshold,
            minutes=minutes,
            meaning=meaning,
            comparison=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            missing=cloudwatch.TreatMissingData.NOT_BREACHING,
        )

    def below(
        self, name: str, metric: cloudwatch.Metric, threshold: float, *, minutes: int, meaning: str
    ) -> cloudwatch.Alarm:
        """Page when every period is below `threshold`; silence counts as below."""
        return self._alarm(
            name,
            metric,
            threshold,
            minutes=minutes,
            meaning=meaning,
            comparison=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            missing=cloudwatch.TreatMissingData.BREACHING,
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
        missing: cloudwatch.TreatMissingData,
    ) -> cloudwatch.Alarm:
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_name=f"{self._prefix}-{name}",
            alarm_description=meaning,
            metric=metric.with_(period=Duration.minutes(1)),
            threshold=threshold,
            evaluation_periods=minutes,
            comparison_operator=comparison,
            treat_missing_data=missing,
        )
        alarm.add_alarm_action(self._action)
        alarm.add_ok_action(self._action)
        return alarm
