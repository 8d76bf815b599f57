"""Alarms on KMS failing to unwrap keys for personal data, and on missing key trees."""

from constructs_lib.alarms import Pager, Severity
from stacks.log_metrics import LogMetrics


def watch_personal_keys(pager: Pager, measured: LogMetrics) -> None:
    """Running processes survive hours without KMS; a starting one can read or write no personal data."""
    pager.above(
        "personal-keys",
        measured.counted["personal_keys_away"],
        0,
        minutes=3,
        meaning="KMS has not opened the keys of personal data for three minutes.",
        severity=Severity.PAGE,
    )
    pager.above(
        "key-trees",
        measured.counted["key_tree_away"],
        0,
        minutes=3,
        meaning="A tree of donors' keys has not been there, or has not opened, for three minutes.",
        severity=Severity.PAGE,
    )
