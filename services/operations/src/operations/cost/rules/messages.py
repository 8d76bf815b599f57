"""Price rules of messaging: queues, topics, events, e-mail, schedules."""

from collections.abc import Iterator, Mapping

from operations.cost.charge import HOURS, Charge, Priced, Rule


def queue(it: Priced) -> Iterator[Charge]:
    """Asking an empty queue costs as much as taking from a full one."""
    yield Charge(
        price="sqs/requests", quantity=it.assumed("queue_requests_millions"), what=f"{it.name}: requests"
    )


def topic(it: Priced) -> Iterator[Charge]:
    yield Charge(price="sns/emails", quantity=it.assumed("notices_thousands"), what=f"{it.name}: e-mails")


def event_bus(it: Priced) -> Iterator[Charge]:
    yield Charge(price="events/published", quantity=it.assumed("events_millions"), what="events")


def archive(it: Priced) -> Iterator[Charge]:
    gb = it.assumed("event_archive_gb")
    yield Charge(price="events/archived", quantity=gb, what="event archive: written")
    yield Charge(
        price="events/stored", quantity=gb * it.assumed("event_archive_months"), what="event archive: kept"
    )


def schedule(it: Priced) -> Iterator[Charge]:
    yield Charge(
        price="scheduler/calls", quantity=it.assumed("schedule_calls_millions"), what=f"{it.name}: calls"
    )


def mail_identity(it: Priced) -> Iterator[Charge]:
    yield Charge(price="ses/mails", quantity=it.assumed("mails_thousands"), what="e-mails sent")


def topic_rule(it: Priced) -> Iterator[Charge]:
    """Devices are charged for being connected, their messages for coming, and the rule for looking and for acting."""
    millions = it.assumed("terminal_messages_millions")
    minutes = it.assumed("terminals") * HOURS * 60 / 1_000_000
    yield Charge(price="iot/connected", quantity=minutes, what=f"{it.name}: connected terminals")
    yield Charge(price="iot/messages", quantity=millions, what=f"{it.name}: messages")
    actions = len(it.properties["TopicRulePayload"]["Actions"])
    yield Charge(price="iot/rules", quantity=millions * (1 + actions), what=f"{it.name}: rule and actions")


RULES: Mapping[str, Rule] = {
    "AWS::Events::Archive": archive,
    "AWS::Events::EventBus": event_bus,
    "AWS::IoT::TopicRule": topic_rule,
    "AWS::SES::EmailIdentity": mail_identity,
    "AWS::SNS::Topic": topic,
    "AWS::SQS::Queue": queue,
    "AWS::Scheduler::Schedule": schedule,
}
