"""The event bus: what is kept of it, who may use it, and Stripe's events as a second witness."""

from dataclasses import replace
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from stacks.environments import PRODUCTION
from stacks.events import Events
from tests.infrastructure.assembly import Deployed, kind

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


def test_with_the_option_stripes_events_are_archived_and_nothing_else_happens(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path), builtin_cloud_formation_validation=False)
    chosen = replace(PRODUCTION, stripe=replace(PRODUCTION.stripe, partner_event_source=STRIPE))
    template = Template.from_stack(Events(app, "events", environment=chosen))

    template.has_resource_properties("AWS::Events::EventBus", {"EventSourceName": STRIPE, "Name": STRIPE})
    template.has_resource_properties(
        "AWS::Events::Archive", {"EventPattern": {"source": [STRIPE]}, "RetentionDays": 400}
    )
    template.resource_count_is("AWS::Events::Rule", 0)


@pytest.mark.parametrize(
    "source", ["", "stripe.com", "aws.partner/stripe.com/", "aws.partner/other.com/ed_1"]
)
def test_another_source_than_stripes_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match="no event source of Stripe"):
        replace(PRODUCTION.stripe, partner_event_source=source)
