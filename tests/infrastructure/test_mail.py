"""What proves that a letter is ours, and what becomes of one that did not arrive."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import aws_cdk as cdk
import pytest

from stacks.domain import DomainSettings
from stacks.environments import SANDBOX
from stacks.platform import AmplyPlatform
from tests.infrastructure.assembly import CONTEXT, Deployed, read, small_site
from tests.infrastructure.records import APEX, RECORD, records

ALARM = "AWS::CloudWatch::Alarm"


@pytest.fixture(params=APEX)
def named(request: pytest.FixtureRequest, environments: Mapping[str, Deployed]) -> Deployed:
    """An environment with a domain of its own."""
    return environments[request.param]


def test_receivers_are_told_what_to_do_with_mail_that_is_not_ours(named: Deployed) -> None:
    (policy,) = records(named)["TXT", "_dmarc"]["ResourceRecords"]
    (senders,) = records(named)["TXT", "@"]["ResourceRecords"]

    assert policy == '"v=DMARC1; p=quarantine; adkim=s; aspf=r; rua=mailto:postmaster@amply.example"'
    assert senders == '"v=spf1 include:amazonses.com ~all"'


def test_bounces_come_back_to_a_domain_that_only_ses_may_use(named: Deployed) -> None:
    found = records(named)

    assert found["MX", "bounce"]["ResourceRecords"] == ["10 feedback-smtp.eu-west-1.amazonses.com"]
    assert "include:amazonses.com" in str(found["TXT", "bounce"]["ResourceRecords"])


def test_letters_are_signed_with_keys_that_the_zone_shows(named: Deployed) -> None:
    signed = [
        record for record in named.resources(RECORD) if "DkimDNSTokenName" in str(record.properties["Name"])
    ]
    assert [record.properties["Type"] for record in signed] == ["CNAME"] * 3


def test_a_domain_that_has_yet_to_be_trusted_asks_for_reports_alone(tmp_path: Path) -> None:
    app = cdk.App(
        context=dict(CONTEXT), outdir=str(tmp_path / "cdk.out"), builtin_cloud_formation_validation=False
    )
    domain = DomainSettings(apex=SANDBOX.mail.domain, dmarc="none", reports="postmaster@amply.example")
    AmplyPlatform(app, environment=replace(SANDBOX, domain=domain), site=small_site(tmp_path / "site"))
    sandbox = read(Path(app.synth().directory))["sandbox"]

    (policy,) = records(sandbox, apex=domain.apex)["TXT", "_dmarc"]["ResourceRecords"]
    assert "; p=none; " in policy


def test_bounces_complaints_delays_and_refusals_reach_the_queue(deployed: Deployed) -> None:
    destination = deployed.the("AWS::SES::ConfigurationSetEventDestination").properties
    (rule,) = (
        rule
        for rule in deployed.resources("AWS::Events::Rule")
        if rule.properties["EventPattern"].get("source") == ["aws.ses"]
    )
    (target,) = rule.properties["Targets"]
    ours = rule.properties["EventPattern"]["detail"]["mail"]["tags"]["ses:configuration-set"]

    assert destination["EventDestination"]["MatchingEventTypes"] == [
        "bounce",
        "complaint",
        "deliveryDelay",
        "reject",
    ]
    assert destination["EventDestination"]["Enabled"] is True
    assert ours == [destination["ConfigurationSetName"]]
    assert target["Arn"]["Fn::GetAtt"][0].startswith("Feedback")
    assert target["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0].startswith("FeedbackDeadLetters")


def test_bounces_are_not_forwarded_to_a_mailbox_because_the_queue_hears_them(deployed: Deployed) -> None:
    identity = deployed.the("AWS::SES::EmailIdentity").properties
    assert identity["FeedbackAttributes"] == {"EmailForwardingEnabled": False}


@pytest.mark.parametrize(
    ("name", "metric", "threshold"),
    [("mail-bounces", "BounceRate", 0.05), ("mail-complaints", "ComplaintRate", 0.001)],
)
def test_a_reputation_that_aws_would_review_is_told(
    name: str, metric: str, threshold: float, deployed: Deployed
) -> None:
    """The account's own number, over an hour: SES measures it seldom, and silence between two is no news."""
    (alarm,) = (
        alarm.properties
        for alarm in deployed.resources(ALARM)
        if alarm.properties["AlarmName"] == f"amply-{deployed.name}-{name}"
    )
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/SES", f"Reputation.{metric}")
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (threshold, "GreaterThanThreshold")
    assert (alarm["Period"], alarm["EvaluationPeriods"], alarm["Statistic"]) == (3600, 1, "Maximum")
    assert alarm["TreatMissingData"] == "notBreaching"
    assert "Dimensions" not in alarm
