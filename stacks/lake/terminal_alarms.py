"""Alarms on terminal messages that are invalid or not stored. None is urgent."""

from typing import TYPE_CHECKING

from constructs_lib.alarms import Severity
from constructs_lib.function import PlainFunction
from constructs_lib.log_alarms import LogAlarm, make_log_alarms
from constructs_lib.metric_filters import MetricFilters
from constructs_lib.queue_alarms import ring_when_set_aside, ring_when_waiting
from stacks.paging import make_pager, make_topics

if TYPE_CHECKING:
    from stacks.lake.terminals import Terminals

MESSAGES = (
    LogAlarm(
        alarm="terminal-contradicts",
        event="terminal_message_contradicts",
        metric="TerminalContradictions",
        meaning="A terminal used a number again for something else: it lost its count, or somebody else has its key.",
    ),
    LogAlarm(
        alarm="terminal-refused",
        event="terminal_message_refused",
        metric="TerminalRefusals",
        meaning="A terminal said something that may not be kept, or had a wrong clock; it is set aside.",
    ),
)
"""By the lines of the function that keeps what they say."""


def watch_terminals(stack: "Terminals", *, days: PlainFunction | None) -> None:
    """By what keeps their messages, by its queue, and by what makes files of their days."""
    pager = make_pager(stack, make_topics(stack, Severity.NOTICE))
    numbers = MetricFilters(stack, "Numbers", log=stack.keep.log, namespace=f"amply/{stack.settings.name}")
    make_log_alarms(pager, numbers, MESSAGES)
    ring_when_set_aside(
        pager,
        "terminal-messages-set-aside",
        stack.set_aside,
        meaning="What a terminal said could not be kept in five attempts, and waits for a person.",
    )
    ring_when_waiting(
        pager,
        "terminal-messages-waiting",
        stack.messages,
        3600,
        minutes=15,
        period=5,
        meaning="What a terminal said has waited for more than an hour to be kept.",
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
