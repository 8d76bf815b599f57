"""Alarms on Stripe's EventBridge events that are not consumed."""

from aws_cdk import aws_cloudwatch as cloudwatch

from constructs_lib.alarms import Pager, Severity
from constructs_lib.queue_alarms import ring_when_set_aside, ring_when_waiting
from stacks.events import Events


def watch_stripe_events(pager: Pager, events: Events) -> cloudwatch.Alarm:
    """What Stripe sends through AWS; nothing comes while no source is named. Returns the one about gifts that wait."""
    ring_when_set_aside(
        pager,
        "stripe-events-set-aside",
        events.stripe_set_aside,
        meaning="What Stripe sent through AWS could not be delivered or read, and waits for a person.",
    )
    return ring_when_waiting(
        pager,
        "stripe-events-waiting",
        events.stripe_events,
        300,
        meaning="The oldest of Stripe's events that came through AWS is older than five minutes.",
        severity=Severity.PART,
    )
