"""The event bus: what is kept of it, who may use it, and Stripe's events as another way in."""

import json
from dataclasses import replace
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from stacks.environments import PRODUCTION
from stacks.events import Events
from tests.infrastructure.assembly import Deployed, kind
from tests.infrastructure.permissions import grants

DAYS = {"production": 400, "staging": 30, "sandbox": 7, "local": 7}
STRIPE = "aws.partner/stripe.com/ed_test_61abc"


def test_facts_are_kept_as_long_as_agreed(deployed: Deployed) -> None:
    archive = deployed.the("AWS::Events::Archive")

    assert archive.properties["RetentionDays"] == DAYS[kind(deployed)]
    assert archive.properties["EventPattern"] == {"source": ["amply"]}


def test_nothing_but_our_facts_gets_on_the_bus(deployed: Deployed) -> None:
    statement = deployed.the("AWS::Events::EventBusPolicy").properties["Statement"]

    assert (statement["Effect"], statement["Action"]) == ("Deny", "events:PutEvents")
    assert statement["Condition"] == {"StringNotEquals": {"events:source": "amply"}}


def test_without_the_option_nothing_of_stripes_is_there(deployed: Deployed) -> None:
    assert [bus.properties.get("EventSourceName") for bus in deployed.resources("AWS::Events::EventBus")] == [
        None
    ]


def chosen(tmp_path: Path) -> Template:
    app = cdk.App(outdir=str(tmp_path), builtin_cloud_formation_validation=False)
    environment = replace(PRODUCTION, stripe=replace(PRODUCTION.stripe, partner_event_source=STRIPE))
    return Template.from_stack(Events(app, "events", environment=environment))


def test_with_the_option_stripes_events_are_archived_and_lead_to_the_workers_queue(tmp_path: Path) -> None:
    template = chosen(tmp_path)

    template.has_resource_properties("AWS::Events::EventBus", {"EventSourceName": STRIPE, "Name": STRIPE})
    template.has_resource_properties(
        "AWS::Events::Archive", {"EventPattern": {"source": [STRIPE]}, "RetentionDays": 400}
    )
    (rule,) = template.find_resources("AWS::Events::Rule").values()
    assert rule["Properties"]["EventPattern"] == {"source": [STRIPE]}
    (target,) = rule["Properties"]["Targets"]
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185}
    ends = (target["Arn"], target["DeadLetterConfig"]["Arn"])
    taken, set_aside = (end["Fn::GetAtt"][0] for end in ends)
    queues = template.find_resources("AWS::SQS::Queue")
    redrive = queues[taken]["Properties"]["RedrivePolicy"]
    assert redrive["deadLetterTargetArn"] == {"Fn::GetAtt": [set_aside, "Arn"]}


def test_only_rules_on_stripes_buses_may_send_to_its_queues(deployed: Deployed) -> None:
    """What is taken from there is believed, so nobody else of this account or any other may put something there."""
    allowed = [
        statement
        for policy in deployed.resources("AWS::SQS::QueuePolicy")
        for statement in policy.properties["PolicyDocument"]["Statement"]
        if statement.get("Sid") == "RulesOnStripesBus"
    ]
    assert len(allowed) == 2
    for statement in allowed:
        assert (statement["Effect"], statement["Action"]) == ("Allow", "sqs:SendMessage")
        assert statement["Principal"] == {"Service": "events.amazonaws.com"}
        like = statement["Condition"]["ArnLike"]["aws:SourceArn"]
        assert "rule/aws.partner/stripe.com/*" in json.dumps(like)
        assert "aws:SourceAccount" in statement["Condition"]["StringEquals"]


def test_nobody_of_ours_may_send_to_stripes_queue(deployed: Deployed) -> None:
    """The worker takes what is there; a role that could add to it could book gifts."""
    lines = {(role, line) for role, line in grants(deployed) if "events/StripeEvents" in line}
    assert {role for role, _ in lines} == {"workers/WorkerRole"}
    assert {line for _, line in lines if "SendMessage" in line or "sqs:*" in line} == set()


@pytest.mark.parametrize(
    "source", ["", "stripe.com", "aws.partner/stripe.com/", "aws.partner/other.com/ed_1"]
)
def test_another_source_than_stripes_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match="no event source of Stripe"):
        replace(PRODUCTION.stripe, partner_event_source=source)
