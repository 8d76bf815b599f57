"""Whether KMS opens the keys that personal data is sealed with."""

from aws_cdk import aws_cloudwatch as cloudwatch

from constructs_lib.alarms import Pager, Severity
from stacks.measurements import Measurements


def watch_personal_keys(pager: Pager, measured: Measurements) -> None:
    """A process that runs goes on for hours without KMS; one that starts keeps and shows nothing personal."""
    either = cloudwatch.MathExpression(
        expression="FILL(api, 0) + FILL(worker, 0)",
        using_metrics={
            "api": measured.counted["api_keys_away"],
            "worker": measured.counted["worker_keys_away"],
        },
    )
    pager.above(
        "personal-keys",
        either,
        0,
        minutes=3,
        meaning="KMS has not opened the keys of personal data for three minutes.",
        severity=Severity.PAGE,
    )
