"""Opting out of a rule costs a sentence and a date."""

from dataclasses import dataclass
from datetime import date

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct

SHORTEST_REASON = 25
"""Characters; shorter than this nobody has ever explained anything."""


@dataclass(frozen=True, kw_only=True)
class Waiver:
    """Why a rule does not hold here, and until when that was thought through.

    An expired waiver does not break synthesis (which knows no clock); the nightly run reports it.
    """

    reason: str
    until: date

    def __post_init__(self) -> None:
        if len(self.reason.strip()) < SHORTEST_REASON:
            raise ValueError(f"A waiver needs a reason a reviewer can judge, not {self.reason!r}.")


def waive(construct: IConstruct, rule: str, waiver: Waiver) -> None:
    """Acknowledge one finding of one rule on this construct and below.

    `rule` is a rule id such as `AwsSolutions-S1`, or one finding of it: `AwsSolutions-IAM5[Action::s3:List*]`.
    """
    reason = f"{waiver.reason} (until {waiver.until.isoformat()})"
    Validations.of(construct).acknowledge(Acknowledgment(id=rule, reason=reason))
