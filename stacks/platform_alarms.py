"""Alarms on the platform's resources, by subject. Thresholds leave time to prevent harm."""

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_sqs as sqs

from constructs_lib.alarms import Pager, Severity
from constructs_lib.firewall import Firewall
from constructs_lib.queue_alarms import ring_when_set_aside, ring_when_waiting
from constructs_lib.service import Service
from stacks.api import Api
from stacks.cache import Cache
from stacks.database import Database
from stacks.events import Events
from stacks.log_metrics import LogMetrics
from stacks.queues import Queues
from stacks.rotation import MasterRotation

Ringing = cloudwatch.Alarm | cloudwatch.CompositeAlarm
GIB = 1024**3
REFUSED_MAX = 50
"""A minute: fewer are the scanners that always come."""


def watch_database(pager: Pager, database: Database, measured: LogMetrics) -> cloudwatch.CompositeAlarm:
    """The cause of most other alarms when it is away; returned, so that those can be quiet meanwhile."""
    instance = database.instance
    silent = pager.below(
        "database-silent",
        # An instance that is down reports nothing: the number of reports is the sign of life.
        instance.metric_cpu_utilization(statistic="SampleCount"),
        1,
        minutes=3,
        meaning="RDS has not reported the database for three minutes.",
        severity=Severity.PART,
    )
    unreachable = pager.above(
        "database-unreachable",
        measured.counted["database_away"],
        0,
        minutes=2,
        meaning="The API could not reach the database in two minutes running.",
        severity=Severity.PART,
    )
    pager.below(
        "database-disk",
        instance.metric_free_storage_space(statistic="Minimum"),
        5 * GIB,
        minutes=5,
        meaning="Less than 5 GiB of database disk are free (or RDS stopped reporting).",
        severity=Severity.PAGE,
    )
    pager.above(
        "database-cpu",
        instance.metric_cpu_utilization(statistic="Average"),
        90,
        minutes=15,
        meaning="The database has been above 90 % CPU for a quarter of an hour.",
        severity=Severity.NOTICE,
    )
    return pager.any_of(
        "database-away",
        [silent, unreachable],
        meaning="The database does not answer: no gift can be taken and nothing is booked.",
    )


def watch_answers(pager: Pager, api: Api) -> Sequence[cloudwatch.Alarm]:
    """At the balancer, not at a target group: a deployment moves the traffic from one group to the other."""
    metrics = api.balancer.metrics
    pager.above(
        "api-slow",
        metrics.target_response_time(statistic="p99"),
        2,
        minutes=10,
        meaning="One request in a hundred took more than two seconds for ten minutes.",
        severity=Severity.NOTICE,
    )
    errors = pager.above(
        "api-errors",
        metrics.http_code_target(elb.HttpCodeTarget.TARGET_5XX_COUNT),
        10,
        minutes=5,
        meaning="The API answered 5xx more than ten times a minute for five minutes.",
        severity=Severity.PART,
    )
    unreachable = pager.above(
        "api-unreachable",
        metrics.http_code_elb(elb.HttpCodeElb.ELB_5XX_COUNT),
        10,
        minutes=5,
        meaning="The load balancer found no healthy API task for more than ten requests a minute.",
        severity=Severity.PART,
    )
    return [errors, unreachable]


def watch_firewall(pager: Pager, firewall: Firewall) -> None:
    """Nobody is woken: an attack that is refused hurts nobody, and a rule that stops donors looks the same from here."""
    pager.above(
        "firewall-refusing",
        firewall.metric("BlockedRequests"),
        REFUSED_MAX,
        minutes=10,
        meaning=f"The firewall has refused more than {REFUSED_MAX} requests a minute for ten minutes.",
        severity=Severity.NOTICE,
    )


def watch_tasks(pager: Pager, name: str, service: Service, *, runs: bool) -> cloudwatch.Alarm:
    """The scheduler, sequencer and publisher are watched by what they do: see the ledger's age."""
    return pager.below(
        f"{name}-silent",
        # A service without tasks reports nothing: the number of reports is the sign of life.
        service.metric_cpu_utilization(statistic="SampleCount"),
        1,
        minutes=5,
        meaning=f"No {name} task has run for five minutes.",
        severity=Severity.PART,
        silence_counts=runs,
    )


def watch_queues(pager: Pager, queues: Queues, events: Events) -> cloudwatch.Alarm:
    """Returns the one about the queue somebody waits for."""
    set_aside: dict[str, tuple[sqs.Queue, str]] = {
        "set-aside": (queues.dead_letters, "A message failed five times and waits for a person."),
        "undelivered": (events.undelivered, "An event could not be delivered and waits for a person."),
    }
    for name, (queue, meaning) in set_aside.items():
        ring_when_set_aside(pager, name, queue, meaning=meaning)
    for name, queue in {"high": queues.high, "low": queues.low}.items():
        pager.above(
            f"{name}-deep",
            queue.metric_approximate_number_of_messages_visible(statistic="Minimum"),
            10_000,
            minutes=15,
            meaning=f"More than 10,000 messages have been in the {name} queue for a quarter of an hour.",
            severity=Severity.NOTICE,
        )
    ring_when_waiting(
        pager,
        "low-waiting",
        queues.low,
        3600,
        meaning="The oldest message of the low queue has waited more than an hour.",
    )
    return ring_when_waiting(
        pager,
        "high-waiting",
        queues.high,
        300,
        meaning="The oldest message of the high queue, where people wait, is older than five minutes.",
        severity=Severity.PART,
    )


def watch_cache(pager: Pager, cache: Cache, measured: LogMetrics) -> None:
    """Away, nobody signs in and gifts are let in by stricter limits; full, it forgets before the time."""
    pager.above(
        "cache-away",
        measured.counted["cache_away"],
        0,
        minutes=3,
        meaning="The cache did not answer the API in three minutes running: nobody signs in, and limits are not counted.",
        severity=Severity.NOTICE,
    )
    pager.above(
        "cache-full",
        cache.metric("DatabaseMemoryUsagePercentage", statistic="Maximum"),
        80,
        minutes=15,
        meaning="The cache has been more than 80 % full for a quarter of an hour.",
        severity=Severity.NOTICE,
    )


def watch_rotation(pager: Pager, rotation: MasterRotation) -> None:
    """One failed step is a repeated one, most often; a day that saw several is a rotation that does not end."""
    pager.above(
        "master-rotation",
        rotation.errors,
        2,
        minutes=24 * 60,
        period=24 * 60,
        meaning="The master password of the database was to be changed, and several steps of that failed in a day.",
        severity=Severity.NOTICE,
    )


def watch_together(
    pager: Pager,
    *,
    answers: Sequence[cloudwatch.Alarm],
    work: Sequence[cloudwatch.Alarm],
    database_away: cloudwatch.CompositeAlarm,
) -> tuple[cloudwatch.CompositeAlarm, cloudwatch.CompositeAlarm]:
    """One page for several symptoms, and none for those that follow from the database."""
    failing = pager.any_of(
        "api-failing",
        answers,
        meaning="People get errors from the API, or no answer at all.",
        quiet_while=database_away,
    )
    stalled = pager.any_of(
        "work-stalled",
        work,
        meaning="Booked gifts are not published, or provider events and receipts are not handled.",
        quiet_while=database_away,
    )
    return failing, stalled
