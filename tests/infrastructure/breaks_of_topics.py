"""Mutations that break each invariant of topic publishers."""

from collections.abc import Mapping

from tests.infrastructure import topic_invariants as rules
from tests.infrastructure.breaking import Break, Broken, Template, overwrite, resources

TOPIC, POLICY = "AWS::SNS::Topic", "AWS::SNS::TopicPolicy"
heard, own = rules.publishers_may_publish_to_their_topics, rules.topics_take_alarms_of_their_own_account_alone


def _without(service: str) -> Break:
    """Take out every statement that lets this service publish."""

    def apply(template: Template) -> None:
        for policy in resources(template, POLICY):
            document = policy["Properties"]["PolicyDocument"]
            document["Statement"] = [
                each for each in document["Statement"] if each["Principal"] != {"Service": service}
            ]

    return apply


def _about_alarms(*keys: str, to: object) -> Break:
    """Overwrite a value in every statement that lets CloudWatch publish."""

    def apply(template: Template) -> None:
        for policy in resources(template, POLICY):
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
                if statement["Principal"] == {"Service": rules.ALARMS}:
                    inner = statement
                    for key in keys[:-1]:
                        inner = inner[key]
                    inner[keys[-1]] = to

    return apply


BREAKS: Mapping[str, Broken] = {
    "a topic that refuses alarms": (heard, "observability", _without(rules.ALARMS)),
    "a topic in another region that refuses alarms": (heard, "edgealarms", _without(rules.ALARMS)),
    "a topic that hears alarms of another topic": (
        heard,
        "observability",
        _about_alarms("Resource", to={"Ref": "Other"}),
    ),
    "a topic that lets alarms ask, and not publish": (
        heard,
        "observability",
        _about_alarms("Action", to="sns:GetTopicAttributes"),
    ),
    "a topic that refuses failed deployments": (
        heard,
        "observability",
        _without("events.amazonaws.com"),
    ),
    "a topic encrypted by SNS's own key": (
        heard,
        "observability",
        overwrite(TOPIC, "Properties", "KmsMasterKeyId", to="alias/aws/sns"),
    ),
    "alarms of any account": (own, "observability", _about_alarms("Condition", "StringEquals", to={})),
    "anything of this account": (own, "observability", _about_alarms("Condition", "ArnLike", to={})),
}
