"""Invariants of SNS topics: alarms must be allowed to publish."""

import json
from collections.abc import Iterator, Mapping
from typing import Final

from tests.infrastructure.assembly import Deployed, Resource, settings
from tests.infrastructure.data_invariants import Place, places
from tests.infrastructure.grants import KEY, Statement, covers, many, statements

ALARMS: Final = "cloudwatch.amazonaws.com"
PUBLISHERS: Final[Mapping[str, str]] = {
    "AWS::CloudWatch::Alarm": ALARMS,
    "AWS::CloudWatch::CompositeAlarm": ALARMS,
    "AWS::Events::Rule": "events.amazonaws.com",
    "AWS::Budgets::Budget": "budgets.amazonaws.com",
    "AWS::Backup::BackupVault": "backup.amazonaws.com",
    "AWS::RDS::EventSubscription": "events.rds.amazonaws.com",
    "AWS::S3::Bucket": "s3.amazonaws.com",
}
"""What can tell a topic something, and as whom it publishes."""
USES_OF_A_KEY: Final = ("kms:Decrypt", "kms:GenerateDataKey")


def publishers_may_publish_to_their_topics(deployed: Deployed) -> Iterator[str]:
    """The policy SNS gives a new topic lets the whole account publish; a policy of its own takes that one's place."""
    topics = {_place(topic): topic for topic in deployed.resources("AWS::SNS::Topic")}
    for resource in deployed.resources(*PUBLISHERS):
        service = PUBLISHERS[resource.type]
        for place in sorted(places(deployed, resource, resource.properties) & set(topics)):
            if not any(_lets(each, service, "sns:Publish") for each in _policies(deployed, place)):
                yield f"{resource.where}: {service} may not publish to {topics[place].where}"
            elif not _may_use_the_key(deployed, topics[place], service):
                yield f"{resource.where}: {service} may not use the key of {topics[place].where}"


def topics_take_alarms_of_their_own_account_alone(deployed: Deployed) -> Iterator[str]:
    account = settings(deployed).account
    for topic in deployed.resources("AWS::SNS::Topic"):
        for statement in _policies(deployed, _place(topic)):
            if not _lets(statement, ALARMS, "sns:Publish"):
                continue
            condition = statement.get("Condition", {})
            alarms = json.dumps(condition.get("ArnLike", {}).get("aws:SourceArn", ""))
            if (
                condition.get("StringEquals", {}).get("aws:SourceAccount") != account
                or ":alarm:*" not in alarms
            ):
                yield f"{topic.where}: alarms of any account may publish"


RULES = (publishers_may_publish_to_their_topics, topics_take_alarms_of_their_own_account_alone)


def _place(resource: Resource) -> Place:
    return resource.stack.partition("/")[2], resource.logical_id


def _policies(deployed: Deployed, topic: Place) -> Iterator[Statement]:
    """The statements about one topic."""
    for policy in deployed.resources("AWS::SNS::TopicPolicy"):
        if topic not in places(deployed, policy, policy.properties["Topics"]):
            continue
        for statement in statements(policy.properties["PolicyDocument"]):
            if topic in places(deployed, policy, statement.get("Resource")):
                yield statement


def _lets(statement: Statement, service: str, action: str) -> bool:
    principal = statement.get("Principal")
    named = many(principal.get("Service", [])) if isinstance(principal, Mapping) else []
    return statement["Effect"] == "Allow" and service in named and covers(statement, action)


def _may_use_the_key(deployed: Deployed, topic: Resource, service: str) -> bool:
    """SNS's own key lets no service of AWS's publish, and its policy cannot be changed."""
    chosen = topic.properties.get("KmsMasterKeyId")
    if chosen is None:
        return True
    keys = {_place(key): key for key in deployed.resources(KEY)}
    led_to = [keys[place] for place in places(deployed, topic, chosen) if place in keys]
    return bool(led_to) and all(
        any(_lets(each, service, use) for each in statements(key.properties["KeyPolicy"]))
        for key in led_to
        for use in USES_OF_A_KEY
    )
