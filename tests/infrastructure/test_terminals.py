"""Donation terminals where their flag is on: what the template says of them."""

import json

from stacks.lake.terminal_contract import rights, rule_sql, terminals_name
from tests.infrastructure.alarms import alarms_of
from tests.infrastructure.assembly import Deployed
from tests.infrastructure.grants import many
from tests.infrastructure.permissions import Reader, grants


def _said_of(deployed: Deployed) -> set[str]:
    return {line for role, line in grants(deployed) if role.startswith("iot/")}


def test_the_policy_of_their_certificates_is_the_one_that_is_tried(extended: Deployed) -> None:
    """tests/terminals holds connections to these words."""
    policy, reader = extended.the("AWS::IoT::Policy"), Reader(extended)
    written = [
        {**statement, "Resource": [reader.words(one, policy.stack) for one in many(statement["Resource"])]}
        for statement in policy.properties["PolicyDocument"]["Statement"]
    ]
    expected = rights("ENV", lambda kind, name: f"arn:aws:iot:REGION:ACCOUNT:{kind}/{name}")["Statement"]
    assert policy.properties["PolicyName"] == terminals_name("staging")
    assert written == [{**statement, "Resource": many(statement["Resource"])} for statement in expected]


def test_the_rule_hands_all_of_it_to_the_queue_and_what_fails_is_set_aside(extended: Deployed) -> None:
    payload = extended.the("AWS::IoT::TopicRule").properties["TopicRulePayload"]
    assert payload["Sql"] == rule_sql("staging")
    assert (payload["AwsIotSqlVersion"], payload["RuleDisabled"]) == ("2016-03-23", False)
    (action,) = payload["Actions"]
    assert "Messages" in json.dumps(action["Sqs"]["QueueUrl"])
    assert "SetAside" in json.dumps(payload["ErrorAction"]["Sqs"]["QueueUrl"])
    assert action["Sqs"]["UseBase64"] is False, "the body would be text about text"


def test_nothing_of_theirs_writes_over_what_is_there(extended: Deployed) -> None:
    """S3 itself refuses: whatever a function of ours would do wrong, it can replace nothing."""
    writing = {line for line in _said_of(extended) if "may s3:Put" in line}
    assert {line.partition(" on ")[2] for line in writing} == {
        "lake/Raw/terminals/*, if s3:if-none-match Null false",
        "lake/Raw/datasets/terminal_gifts/*, if s3:if-none-match Null false",
        "lake/Raw/datasets/terminal_counters/*, if s3:if-none-match Null false",
    }
    assert not any("Delete" in line and "s3:" in line for line in _said_of(extended))


def test_only_the_rules_of_this_account_take_on_what_fills_the_queues(extended: Deployed) -> None:
    handing = {line for role, line in grants(extended) if role == "iot/Handing"}
    assert handing == {
        "is taken on by service iot.amazonaws.com, if aws:SourceAccount StringEquals ACCOUNT",
        "may sqs:SendMessage on iot/Messages",
        "may sqs:SendMessage on iot/SetAside",
    }


def test_what_is_wrong_with_a_terminal_waits_for_the_morning(extended: Deployed) -> None:
    found = {name: alarm for name, alarm in alarms_of(extended).items() if alarm.stack.endswith("/iot")}
    assert set(found) == {
        "terminal-contradicts",
        "terminal-refused",
        "terminal-messages-set-aside",
        "terminal-messages-waiting",
        "terminal-days-failing",
    }
    counted = {
        filter_.properties["FilterPattern"]
        for filter_ in extended.resources("AWS::Logs::MetricFilter")
        if filter_.stack.endswith("/iot")
    }
    assert counted == {
        '{ $.event = "terminal_message_contradicts" }',
        '{ $.event = "terminal_message_refused" }',
    }
