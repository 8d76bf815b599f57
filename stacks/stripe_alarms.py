"""What rings when Stripe's events that come through AWS are not taken."""

from aws_cdk import aws_cloudwatch as cloudwatch

from constructs_lib.alarms import Pager, Severity
from stacks.events import Events


def watch_stripe_events(pager: Pager, events: Events) -> cloudwatch.Alarm:
    """What Stripe sends through AWS; nothing comes while no source is named. Returns the one about gifts that wait."""
    pager.above(
        "stripe-events-set-aside",
        events.stripe_set_aside.metric_approximate_number_of_messages_visible(statistic="Maximum"),
        0,
        minutes=1,
        meaning="What Stripe sent through AWS could not be delivered or read, and waits for a person.",
        severity=Severity.NOTICE,
    )
    return pager.above(
        "stripe-events-waiting",
        events.stripe_events.metric_approximate_age_of_oldest_message(statistic="Maximum"),
        300,
        minutes=5,
        meaning="The oldest of Stripe's events that came through AWS is older than five minutes.",
        severity=Severity.PART,
    )
