"""What a payment consists of, and which part goes back first: the gift, then what the donor added for the fee."""

from dataclasses import dataclass

from amply.kernel.errors import invariant
from amply.kernel.money import Money


@dataclass(frozen=True, kw_only=True)
class GiftParts:
    """Minor units: the gift itself, and the donor's fee cover on top of it.

    Whatever goes back or is lost, in whatever order it becomes known, the two accounts end the same: each step takes the
    difference between how they stand before and after it. What goes back beyond the payment is the gift's.
    """

    gift: int
    cover: int
    currency: str

    def between(self, before: int, after: int) -> "TakenBack":
        """The parts of the step that raises what has gone back in all from `before` to `after`."""
        invariant(before < after, "something goes back")
        cover = self._of_cover(after) - self._of_cover(before)
        return TakenBack.of(after - before, cover=cover, currency=self.currency)

    def _of_cover(self, gone: int) -> int:
        return min(max(gone - self.gift, 0), self.cover)


@dataclass(frozen=True, kw_only=True)
class TakenBack:
    """What goes back in one step, by the account that it is taken from; None where nothing is."""

    amount: Money | None
    fee_cover: Money | None

    @classmethod
    def of(cls, minor_units: int, *, cover: int, currency: str) -> "TakenBack":
        """So much in all, so much of it from the fee cover."""
        parts = (minor_units - cover, cover)
        amount, fee_cover = (
            Money(minor_units=part, currency=currency) if part > 0 else None for part in parts
        )
        return cls(amount=amount, fee_cover=fee_cover)
