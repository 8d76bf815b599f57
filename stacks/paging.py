"""SNS topics of a stack's alarms, with common names and runbook links."""

from collections.abc import Mapping

from aws_cdk import aws_sns as sns

from constructs_lib.alarms import Pager, Severity, make_topic
from stacks.contracts import RUNBOOKS
from stacks.stack import AmplyStack

_TOPICS = {Severity.PAGE: "Topic", Severity.NOTICE: "Notices"}


def make_topics(stack: AmplyStack, *severities: Severity) -> Mapping[Severity, sns.Topic]:
    """In the stack itself: alarms call no topic of another region, and a flag that is off leaves nothing in the stacks below."""
    email = stack.settings.alarm_email
    return {severity: make_topic(stack, _TOPICS[severity], email=email) for severity in severities}


def make_pager(
    stack: AmplyStack, topics: Mapping[Severity, sns.Topic], *, construct_id: str = "Alarms"
) -> Pager:
    """Alarms are called after the environment; a severity without a topic tells nobody."""
    return Pager(stack, construct_id, topics=topics, prefix=f"amply-{stack.settings.name}", runbooks=RUNBOOKS)
