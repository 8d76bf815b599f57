"""Alarms on certificates that are about to expire, in the region of each, since metrics are regional."""

from aws_cdk import aws_certificatemanager as acm

from constructs_lib.alarms import Pager, Severity

DAYS_LEFT_MIN = 21
"""ACM begins to renew weeks earlier than this, so fewer days mean that it tries in vain; and three weeks are enough to
find out why: https://docs.aws.amazon.com/acm/latest/userguide/managed-renewal.html."""
_DAY = 24 * 60


def watch_certificate(pager: Pager, name: str, certificate: acm.ICertificate, *, whose: str) -> None:
    """Missing data counts as alarm: ACM reports twice a day, and not for expired certificates."""
    pager.below(
        name,
        certificate.metric_days_to_expiry(statistic="Minimum"),
        DAYS_LEFT_MIN,
        minutes=2 * _DAY,
        period=_DAY,
        meaning=f"{whose} certificate ends in less than {DAYS_LEFT_MIN} days and was not renewed.",
        severity=Severity.NOTICE,
    )
