"""Waivers: opting out of a rule requires a reason and an expiry date."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import jsii
from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct, IValidation

WITHOUT_WAIVERS = "amply:without-waivers"
RECORDED = "amply:waiver"
"""Metadata that says a waiver stands here, where none is acknowledged."""
SHORTEST_REASON = 25
"""Characters; shorter than this nobody has ever explained anything."""


@dataclass(frozen=True, kw_only=True)
class Waiver:
    """Why a rule does not apply here, and until when that was considered.

    An expired waiver does not break synthesis, which knows no clock; `make waivers` reports it.
    """

    reason: str
    until: date

    def __post_init__(self) -> None:
        if len(self.reason.strip()) < SHORTEST_REASON:
            raise ValueError(f"A waiver needs a reason a reviewer can judge, not {self.reason!r}.")


def waive(construct: IConstruct, rule: str, waiver: Waiver) -> None:
    """Suppress one finding of one rule on this construct and below.

    With the context `amply:without-waivers` waivers are recorded and nothing is acknowledged, so that one validation
    shows both what is waived and every finding.
    `rule` is a rule id such as `AwsSolutions-S1`, or one finding of it: `AwsSolutions-IAM5[Action::s3:List*]`.
    """
    reason = f"{waiver.reason} (until {waiver.until.isoformat()})"
    if construct.node.try_get_context(WITHOUT_WAIVERS):
        construct.node.add_metadata(RECORDED, {rule: reason})
        return
    Validations.of(construct).acknowledge(Acknowledgment(id=rule, reason=reason))


def waive_once_resolved(construct: IConstruct, rule: Callable[[], str], waiver: Waiver) -> None:
    """Like `waive`, for findings that quote a reference to another stack.

    How the template will write such a reference is known only after references are resolved, shortly before
    templates are written; constructs are asked for their own validation just then.
    """
    construct.node.add_validation(_LateWaiver(construct, rule, waiver))


@jsii.implements(IValidation)
class _LateWaiver:
    def __init__(self, construct: IConstruct, rule: Callable[[], str], waiver: Waiver) -> None:
        self._construct, self._rule, self._waiver = construct, rule, waiver

    def validate(self) -> list[str]:
        waive(self._construct, self._rule(), self._waiver)
        return []
