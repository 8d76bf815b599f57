"""Interprets the numbers. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum

CENT = Decimal("0.01")


class Exit(IntEnum):
    WITHIN = 0
    ABOVE = 2
    COULD_NOT_CHECK = 3


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """Per cent of the budget. The month is above when it has spent more than one, or will have spent more than the other."""

    spent_percent: int = 80
    foreseen_percent: int = 100


@dataclass(frozen=True, kw_only=True)
class FreeTier:
    """One offer of the free tier: what is used, what will be, and where it ends, in `unit`."""

    service: str
    usage: str
    unit: str
    used: Decimal
    foreseen: Decimal
    limit: Decimal

    @property
    def is_outgrown(self) -> bool:
        return self.foreseen > self.limit


@dataclass(frozen=True, kw_only=True)
class Month:
    """USD. `rest` is what the remaining days will cost; `rest_is_a_guess` where AWS had no forecast to give."""

    environment: str
    limit: Decimal
    spent_by_service: Mapping[str, Decimal]
    rest: Decimal
    rest_is_a_guess: bool
    free_tier: Sequence[FreeTier] | None
    """None where AWS did not tell."""

    @property
    def spent(self) -> Decimal:
        return sum(self.spent_by_service.values(), Decimal(0))

    @property
    def foreseen(self) -> Decimal:
        return self.spent + self.rest


def extrapolate(spent: Decimal, *, days_spent: int, days_left: int) -> Decimal:
    """The rest of the month at the pace so far; nothing, before the first day is over."""
    return spent / days_spent * days_left if days_spent else Decimal(0)


def complaints(month: Month, thresholds: Thresholds) -> Iterator[str]:
    """One sentence for each threshold that is passed."""
    spent_percent = month.spent / month.limit * 100
    if spent_percent > thresholds.spent_percent:
        yield (
            f"{month.environment} has spent {_usd(month.spent)} of {_usd(month.limit)}: "
            f"more than {thresholds.spent_percent} %."
        )
    if month.foreseen / month.limit * 100 > thresholds.foreseen_percent:
        yield (
            f"{month.environment} will have spent {_usd(month.foreseen)} of {_usd(month.limit)} by the month's end: "
            f"more than {thresholds.foreseen_percent} %."
        )


def outgrown(month: Month) -> Iterator[str]:
    """Worth knowing and no reason to fail: the estimate counts on no free tier."""
    for offer in month.free_tier or ():
        if offer.is_outgrown:
            yield f"{offer.service} will leave the free tier of {offer.limit:f} {offer.unit} ({offer.usage})."


def exit_status(month: Month, thresholds: Thresholds) -> Exit:
    return Exit.ABOVE if any(complaints(month, thresholds)) else Exit.WITHIN


def _usd(amount: Decimal) -> str:
    return f"{amount.quantize(CENT):,} USD"
