"""Alarms on bounces, complaints, and unprocessed delivery feedback."""

from aws_cdk import aws_cloudwatch as cloudwatch

from constructs_lib.alarms import Pager, Severity
from constructs_lib.queue_alarms import ring_when_set_aside, ring_when_waiting
from stacks.mail import Mail

BOUNCED_SHARE_MAX = 0.05
COMPLAINED_SHARE_MAX = 0.001
"""Where AWS begins to review an account: https://docs.aws.amazon.com/ses/latest/dg/reputationdashboard-bounce-rate.html."""
FEEDBACK_AGE_SECONDS_MAX = 24 * 3600
FEEDBACK_DEPTH_MAX = 100


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
    ring_when_set_aside(
        pager,
        "mail-feedback-set-aside",
        mail.feedback_dead_letters,
        meaning="What SES says of a letter could not be delivered or read, and waits for a person.",
    )
    ring_when_waiting(
        pager,
        "mail-feedback-waiting",
        mail.feedback,
        FEEDBACK_AGE_SECONDS_MAX,
        meaning="What SES says of a letter has waited for more than a day, and the worker has not read it.",
    )
    pager.above(
        "mail-feedback-deep",
        mail.feedback.metric_approximate_number_of_messages_visible(statistic="Minimum"),
        FEEDBACK_DEPTH_MAX,
        minutes=15,
        meaning=f"SES has said something of more than {FEEDBACK_DEPTH_MAX} letters, and the worker does not keep up.",
        severity=Severity.NOTICE,
    )
