"""CloudWatch alarms by severity (page, notice, part), each with a description and an explicit treatment of missing data."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import TypeVar

from aws_cdk import ArnFormat, Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

AnyMetric = cloudwatch.Metric | cloudwatch.MathExpression
Told = TypeVar("Told", cloudwatch.Alarm, cloudwatch.CompositeAlarm)


class Severity(Enum):
    """Who is notified of an alarm."""

    PAGE = "page"
    """Someone is woken: harm grows by the minute, and a person can stop it."""
    NOTICE = "notice"
    """Someone reads it in the morning: it waits without getting worse."""
    PART = "part"
    """Nobody by itself: a composite alarm or a deployment reads it."""


def make_topic(scope: Construct, construct_id: str, *, email: str | None) -> sns.Topic:
    """A topic for alarms of its region, since alarms cannot notify topics of another.

    Refusing plain text gives the topic a policy of its own, which takes the place of the one SNS gives every topic: from then
    on CloudWatch publishes only where that policy says so. Not encrypted by a KMS key: its policy would have to let CloudWatch use it too.
    https://repost.aws/knowledge-center/cloudwatch-receive-sns-for-alarm-trigger
    """
    topic = sns.Topic(scope, construct_id, enforce_ssl=True)
    topic.add_to_resource_policy(_let_alarms_publish(topic))
    if email:
        topic.add_subscription(subscriptions.EmailSubscription(email))
    return topic


def _let_alarms_publish(topic: sns.Topic) -> iam.PolicyStatement:
    """Alarms of the topic's own account and region, and nobody else's."""
    stack = Stack.of(topic)
    alarms = stack.format_arn(
        service="cloudwatch",
        resource="alarm",
        resource_name="*",
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )
    return iam.PolicyStatement(
        sid="AlarmsOfThisAccount",
        principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
        actions=["sns:Publish"],
        resources=[topic.topic_arn],
        conditions={
            "StringEquals": {"aws:SourceAccount": stack.account},
            "ArnLike": {"aws:SourceArn": alarms},
        },
    )


class Pager(Construct):
    """Creates alarms named `{prefix}-{name}` that notify their severity's topic on ALARM and OK.

    Each description ends with the page that says what to do: `{runbooks}/{name}.md`, or that of `page` where several have one.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        topics: Mapping[Severity, sns.ITopic],
        prefix: str,
        runbooks: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self._actions = {severity: actions.SnsAction(topic) for severity, topic in topics.items()}
        self._prefix = prefix
        self._runbooks = runbooks

    def above(
        self,
        name: str,
        metric: AnyMetric,
        threshold: float,
        *,
        minutes: int,
        meaning: str,
        severity: Severity,
        silence_counts: bool = False,
        period: int = 1,
        periods: int | None = None,
        page: str | None = None,
    ) -> cloudwatch.Alarm:
        """Alarm when every `period` of `minutes` (both in minutes) is above `threshold`, or silent if that counts; or `periods` of
        them, wherever in these minutes they are.
        """
        comparison = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
        described = self._described(page or name, meaning)
        return self._alarm(
            name, metric, threshold, comparison, minutes, period, described, severity, silence_counts, periods
        )

    def below(
        self,
        name: str,
        metric: AnyMetric,
        threshold: float,
        *,
        minutes: int,
        meaning: str,
        severity: Severity,
        silence_counts: bool = True,
        period: int = 1,
    ) -> cloudwatch.Alarm:
        """Alarm when every `period` of `minutes` is below `threshold`; silence counts unless told otherwise."""
        comparison = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
        described = self._described(name, meaning)
        return self._alarm(
            name, metric, threshold, comparison, minutes, period, described, severity, silence_counts
        )

    def any_of(
        self,
        name: str,
        alarms: Sequence[cloudwatch.IAlarm],
        *,
        meaning: str,
        quiet_while: cloudwatch.IAlarm | None = None,
    ) -> cloudwatch.CompositeAlarm:
        """A composite alarm over several symptoms, suppressed while `quiet_while` is in alarm."""
        state = cloudwatch.AlarmState.ALARM
        rule = cloudwatch.AlarmRule.any_of(
            *(cloudwatch.AlarmRule.from_alarm(alarm, state) for alarm in alarms)
        )
        minute = Duration.minutes(1)
        alarm = cloudwatch.CompositeAlarm(
            self,
            name,
            composite_alarm_name=f"{self._prefix}-{name}",
            alarm_description=self._described(name, meaning),
            alarm_rule=rule,
            actions_suppressor=quiet_while,
            # The cause may be noticed a little later than what follows from it, and end a little earlier.
            actions_suppressor_wait_period=minute if quiet_while else None,
            actions_suppressor_extension_period=minute if quiet_while else None,
        )
        return self._told(alarm, Severity.PAGE)

    def _alarm(
        self,
        name: str,
        metric: AnyMetric,
        threshold: float,
        comparison: cloudwatch.ComparisonOperator,
        minutes: int,
        period: int,
        described: str,
        severity: Severity,
        silence_counts: bool,  # noqa: FBT001 -- private, and both callers pass what they were given
        periods: int | None = None,
    ) -> cloudwatch.Alarm:
        missing = cloudwatch.TreatMissingData
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_name=f"{self._prefix}-{name}",
            alarm_description=described,
            metric=metric.with_(period=Duration.minutes(period)),
            threshold=threshold,
            evaluation_periods=minutes // period,
            datapoints_to_alarm=periods,
            comparison_operator=comparison,
            treat_missing_data=missing.BREACHING if silence_counts else missing.NOT_BREACHING,
        )
        return self._told(alarm, severity)

    def _described(self, page: str, meaning: str) -> str:
        return f"{meaning} What to do: {self._runbooks}/{page}.md"

    def _told(self, alarm: Told, severity: Severity) -> Told:
        if action := self._actions.get(severity):
            alarm.add_alarm_action(action)
            alarm.add_ok_action(action)
        return alarm
