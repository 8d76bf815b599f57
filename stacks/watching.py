"""Which numbers ring, subject by subject. Thresholds are where a person can still prevent harm."""

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_sqs as sqs

from constructs_lib.alarms import Pager, Severity
from constructs_lib.firewall import Firewall
from constructs_lib.service import Service
from stacks.api import Api
from stacks.backup import Backup
from stacks.cache import Cache
from stacks.database import Database
from stacks.events import Events
from stacks.mail import Mail
from stacks.measurements import EXHAUSTED, Measurements
from stacks.queues import Queues
from stacks.rotation import MasterRotation

Ringing = cloudwatch.Alarm | cloudwatch.CompositeAlarm
GIB = 1024**3
RECONCILED_SECONDS_MAX = 2 * 24 * 3600
"""A walk through the whole log takes a minute for every 20,000 entries, and begins anew each hour."""
LEDGER_AGE_SECONDS_MAX = 60
"""Six times what a healthy publisher takes: it signs at most every ten seconds."""
BOUNCED_SHARE_MAX = 0.05
COMPLAINED_SHARE_MAX = 0.001
"""Where AWS begins to review an account: https://docs.aws.amazon.com/ses/latest/dg/reputationdashboard-bounce-rate.html."""
FEEDBACK_AGE_SECONDS_MAX = 24 * 3600
FEEDBACK_DEPTH_MAX = 100
DAY = 24 * 60
"""Of minutes, as alarms count."""
REFUSED_MAX = 50
"""A minute: fewer are the scanners that always come."""
NOT_TAKEN = ("NumberOfBackupJobsFailed", "NumberOfBackupJobsAborted", "NumberOfBackupJobsExpired")
"""https://docs.aws.amazon.com/aws-backup/latest/devguide/cloudwatch.html."""


def watch_database(pager: Pager, database: Database, measured: Measurements) -> cloudwatch.CompositeAlarm:
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


def watch_bookings(pager: Pager, measured: Measurements) -> cloudwatch.Alarm:
    """The ledger's age does not ring then: what is not booked waits for no checkpoint."""
    return pager.above(
        "bookings-paused",
        # The lowest: after a restart of the database the publisher opens the books within seconds.
        measured.bookings_paused.with_(statistic="Minimum"),
        0,
        minutes=3,
        meaning="Nothing has been booked for three minutes: this database is not known to extend the public log.",
        severity=Severity.PART,
    )


def watch_books(pager: Pager, measured: Measurements) -> None:
    """Whether rows, log and witnesses say the same."""
    pager.above(
        "books-differ",
        measured.differences,
        0,
        minutes=1,
        meaning="The rows of an entry, its leaf, the tree or a balance are not what they were.",
        severity=Severity.PAGE,
    )
    pager.above(
        "books-unchecked",
        measured.reconciled_seconds,
        RECONCILED_SECONDS_MAX,
        minutes=60,
        period=60,
        meaning="For two days nobody has held all rows and the log together.",
        severity=Severity.NOTICE,
    )
    pager.above(
        "witness-contradicts",
        measured.witness_contradicts,
        0,
        minutes=1,
        meaning="A witness says that it has seen another log than ours, and the others do not.",
        severity=Severity.NOTICE,
    )


def watch_backlog(pager: Pager, measured: Measurements, *, runs: bool) -> cloudwatch.Alarm:
    rings = {key.replace("_", "-"): (measured.exhausted[key], fact) for key, fact in EXHAUSTED.items()}
    warned = "A card issuer warns that a gift may be fraud; refunded in time, it is not disputed."
    rings["fraud-warning"] = (measured.counted["fraud_warning"], warned)
    tested = "Stolen cards are tried on an organisation's form; its donors are asked for a proof of work meanwhile."
    rings["card-testing"] = (measured.attacked_organizations, tested)
    late = (
        "Recurring gifts are due for six hours and untried, or were given up without an answer within a week."
    )
    rings["plans-late"] = (measured.late_plans, late)
    kept = "What was recorded of who did what is not in the archive: only the database could tell of it."
    rings["audit-unarchived"] = (measured.unarchived_seals, kept)
    noted = "Accounts were deleted that the archive's list does not name: a database that is restored would have them again."
    rings["erasures-unnoted"] = (measured.unnoted_erasures, noted)
    waiting = "An organisation that applied has waited for staff for longer than the five working days it is promised."
    rings["applications-late"] = (measured.late_applications, waiting)
    for name, (metric, meaning) in rings.items():
        pager.above(name, metric, 0, minutes=1, meaning=meaning, severity=Severity.NOTICE)
    pager.above(
        "witnesses-missing",
        # The lowest of an hour: a witness that missed one checkpoint and cosigned the next is none that is missing.
        measured.witnesses_missing.with_(statistic="Minimum"),
        0,
        minutes=120,
        period=60,
        meaning="No checkpoint of two hours was cosigned by every witness; without a quorum no receipt leaves.",
        severity=Severity.NOTICE,
    )
    return pager.above(
        "ledger-late",
        measured.ledger_age,
        LEDGER_AGE_SECONDS_MAX,
        minutes=2,
        meaning="An entry has waited more than a minute to be published, or the scheduler does not say.",
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
        depth = queue.metric_approximate_number_of_messages_visible(statistic="Maximum")
        pager.above(name, depth, 0, minutes=1, meaning=meaning, severity=Severity.NOTICE)
    for name, queue in {"high": queues.high, "low": queues.low}.items():
        pager.above(
            f"{name}-deep",
            queue.metric_approximate_number_of_messages_visible(statistic="Minimum"),
            10_000,
            minutes=15,
            meaning=f"More than 10,000 messages have been in the {name} queue for a quarter of an hour.",
            severity=Severity.NOTICE,
        )
    pager.above(
        "low-waiting",
        queues.low.metric_approximate_age_of_oldest_message(statistic="Maximum"),
        3600,
        minutes=5,
        meaning="The oldest message of the low queue has waited more than an hour.",
        severity=Severity.NOTICE,
    )
    return pager.above(
        "high-waiting",
        queues.high.metric_approximate_age_of_oldest_message(statistic="Maximum"),
        300,
        minutes=5,
        meaning="The oldest message of the high queue, where people wait, is older than five minutes.",
        severity=Severity.PART,
    )


def watch_cache(pager: Pager, cache: Cache) -> None:
    """Full, it forgets rate limits before their time."""
    pager.above(
        "cache-full",
        cache.metric("DatabaseMemoryUsagePercentage", statistic="Maximum"),
        80,
        minutes=15,
        meaning="The cache has been more than 80 % full for a quarter of an hour.",
        severity=Severity.NOTICE,
    )


def watch_mail(pager: Pager, mail: Mail) -> None:
    """SES judges the whole account, and measures seldom: in a shorter period there would be no number at all.

    Nobody is woken: gifts go on, and receipts that AWS stops are kept and sent later.
    """
    judged = {
        "mail-bounces": ("BounceRate", BOUNCED_SHARE_MAX, "bounced"),
        "mail-complaints": ("ComplaintRate", COMPLAINED_SHARE_MAX, "were called spam"),
    }
    for name, (rate, highest, fate) in judged.items():
        pager.above(
            name,
            cloudwatch.Metric(namespace="AWS/SES", metric_name=f"Reputation.{rate}", statistic="Maximum"),
            highest,
            minutes=60,
            period=60,
            meaning=f"More than {highest * 1000:.0f} of a thousand letters {fate}.",
            severity=Severity.NOTICE,
        )
    pager.above(
        "mail-feedback-set-aside",
        mail.feedback_dead_letters.metric_approximate_number_of_messages_visible(statistic="Maximum"),
        0,
        minutes=1,
        meaning="What SES says of a letter could not be delivered or read, and waits for a person.",
        severity=Severity.NOTICE,
    )
    pager.above(
        "mail-feedback-waiting",
        mail.feedback.metric_approximate_age_of_oldest_message(statistic="Maximum"),
        FEEDBACK_AGE_SECONDS_MAX,
        minutes=5,
        meaning="What SES says of a letter has waited for more than a day, and the worker has not read it.",
        severity=Severity.NOTICE,
    )
    pager.above(
        "mail-feedback-deep",
        mail.feedback.metric_approximate_number_of_messages_visible(statistic="Minimum"),
        FEEDBACK_DEPTH_MAX,
        minutes=15,
        meaning=f"SES has said something of more than {FEEDBACK_DEPTH_MAX} letters, and the worker does not keep up.",
        severity=Severity.NOTICE,
    )


def watch_backups(pager: Pager, backup: Backup) -> None:
    """Over whole days, because there is one a day: an hour later the alarm would end, and nothing would be mended.

    Nobody is woken: RDS keeps its own backups to the second, and the next job of the plan tries again.
    """
    vault = backup.vault.backup_vault_name
    pager.above(
        "backup-failed",
        _together([_jobs(metric, vault) for metric in NOT_TAKEN]),
        0,
        minutes=DAY,
        period=DAY,
        meaning="A backup failed, was broken off, or outlived the day it should have been deleted.",
        severity=Severity.NOTICE,
    )
    pager.below(
        "backup-missing",
        _jobs("NumberOfBackupJobsCompleted", vault),
        1,
        minutes=2 * DAY,
        period=DAY,
        meaning="No backup was completed for two days, whether or not one failed.",
        severity=Severity.NOTICE,
    )
    if backup.copies:
        # AWS does not say whether a copy counts under the vault it leaves or the one it goes to.
        either = (vault, backup.copies.backup_vault_name)
        pager.above(
            "backup-copy-failed",
            _together([_jobs("NumberOfCopyJobsFailed", name) for name in either]),
            0,
            minutes=DAY,
            period=DAY,
            meaning="A backup could not be copied into the second region.",
            severity=Severity.NOTICE,
        )


def watch_rotation(pager: Pager, rotation: MasterRotation) -> None:
    """One failed step is a repeated one, most often; a day that saw several is a rotation that does not end."""
    pager.above(
        "master-rotation",
        rotation.errors,
        2,
        minutes=DAY,
        period=DAY,
        meaning="The master password of the database was to be changed, and several steps of that failed in a day.",
        severity=Severity.NOTICE,
    )


def _jobs(metric: str, vault: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="AWS/Backup",
        metric_name=metric,
        dimensions_map={"BackupVaultName": vault},
        statistic="Sum",
    )


def _together(metrics: Sequence[cloudwatch.Metric]) -> cloudwatch.MathExpression:
    """Added up; one that AWS never wrote counts as none."""
    named = {f"m{place}": metric for place, metric in enumerate(metrics)}
    return cloudwatch.MathExpression(
        expression=" + ".join(f"FILL({name}, 0)" for name in named), using_metrics=named
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
