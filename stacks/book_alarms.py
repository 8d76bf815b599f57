"""Alarms on the ledger: stalled sequencing or publishing, inconsistency with the log or its witnesses, and overdue rows."""

from aws_cdk import aws_cloudwatch as cloudwatch

from constructs_lib.alarms import Pager, Severity
from stacks.log_metrics import EXHAUSTED, LogMetrics

RECONCILED_SECONDS_MAX = 2 * 24 * 3600
"""A walk through the whole log takes a minute for every 20,000 entries, and begins anew each hour."""
LEDGER_AGE_SECONDS_MAX = 60
"""Six times what a healthy publisher takes: it signs at most every ten seconds."""


def watch_bookings(pager: Pager, measured: LogMetrics) -> cloudwatch.Alarm:
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


def watch_books(pager: Pager, measured: LogMetrics) -> None:
    """Alarms on inconsistency between rows, log and witnesses."""
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


def watch_backlog(pager: Pager, measured: LogMetrics, *, runs: bool) -> cloudwatch.Alarm:
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
    unheard = "Public events are not on the event bus a quarter of an hour after they happened: whoever listens there does not know."
    rings["events-unpublished"] = (measured.unpublished_events, unheard)
    unsent = "What organisations' webhook endpoints are to be told has waited for a quarter of an hour, and not for them."
    rings["events-undelivered"] = (measured.undelivered_events, unsent)
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
