"""Alarms on differences between the ledger and the processor."""

from constructs_lib.alarms import Pager, Severity
from stacks.log_metrics import LogMetrics


def watch_payouts(pager: Pager, measured: LogMetrics) -> None:
    """Whether books and processor say the same. Nobody is woken: the money is where the processor says it is."""
    pager.above(
        "payouts-differ",
        measured.payout_differences,
        0,
        minutes=1,
        meaning="For a day a balance in the books has not been the processor's, or a payout is not what its items come to.",
        severity=Severity.NOTICE,
    )
    pager.above(
        "movements-unmatched",
        measured.unmatched_movements,
        0,
        minutes=1,
        meaning="What moved a balance at the processor has been in no books for a day.",
        severity=Severity.NOTICE,
    )
