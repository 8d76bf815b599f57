"""What is told when terminals say what cannot be kept, or when nobody keeps what they say. All of it waits for the morning."""

from typing import TYPE_CHECKING

from aws_cdk import aws_cloudwatch as cloudwatch

from constructs_lib.alarms import Pager, Severity, make_topic
from constructs_lib.function import PlainFunction
from constructs_lib.log_numbers import LogNumbers
from stacks.contracts import RUNBOOKS

if TYPE_CHECKING:
    from stacks.lake.terminals import Terminals


def watch_terminals(stack: "Terminals", *, days: PlainFunction | None) -> None:
    """Through a topic of the stack's own: a flag that is off leaves nothing in the stacks below."""
    name, email = stack.settings.name, stack.settings.alarm_email
    pager = Pager(
        stack,
        "Alarms",
        topics={Severity.NOTICE: make_topic(stack, "Notices", email=email)},
        prefix=f"amply-{name}",
        runbooks=RUNBOOKS,
    )
    numbers = LogNumbers(stack, "Numbers", log=stack.keep.log, namespace=f"amply/{name}")

    def told(alarm: str, metric: cloudwatch.Metric, *, meaning: str) -> None:
        pager.above(alarm, metric, 0, minutes=1, meaning=meaning, severity=Severity.NOTICE)

    told(
        "terminal-contradicts",
        numbers.count("terminal_message_contradicts", "TerminalContradictions"),
        meaning="A terminal used a number again for something else: it lost its count, or somebody else has its key.",
    )
    told(
        "terminal-refused",
        numbers.count("terminal_message_refused", "TerminalRefusals"),
        meaning="A terminal said something that may not be kept, or had a wrong clock; it is set aside.",
    )
    told(
        "terminal-messages-set-aside",
        stack.set_aside.metric_approximate_number_of_messages_visible(statistic="Maximum"),
        meaning="What a terminal said could not be kept in five attempts, and waits for a person.",
    )
    pager.above(
        "terminal-messages-waiting",
        stack.messages.metric_approximate_age_of_oldest_message(statistic="Maximum"),
        3600,
        minutes=15,
        period=5,
        meaning="What a terminal said has waited for more than an hour to be kept.",
        severity=Severity.NOTICE,
    )
    if days:
        pager.above(
            "terminal-days-failing",
            days.function.metric_errors(statistic="Sum"),
            0,
            minutes=24 * 60,
            period=6 * 60,
            meaning="For a day, no turn of making files of terminals' days has ended well.",
            severity=Severity.NOTICE,
        )
