"""Splits a payment into gift and fee cover. A refund takes the gift first, then the fee cover."""

from dataclasses import dataclass

from amply.kernel.money import Money
from amply.modules.payments import TakenSoFar


@dataclass(frozen=True, kw_only=True)
class TakenBack:
    """One refund step in minor units: the total, and the part taken from the fee cover."""

    minor_units: int
    cover: int
    currency: str

    @property
    def amount(self) -> Money | None:
        """The refunded part of the gift, or None."""
        return self._part(self.minor_units - self.cover)

    @property
    def fee_cover(self) -> Money | None:
        """The refunded part of the fee cover, or None."""
        return self._part(self.cover)

    def _part(self, minor_units: int) -> Money | None:
        return Money(minor_units=minor_units, currency=self.currency) if minor_units > 0 else None


@dataclass(frozen=True, kw_only=True)
class GiftParts:
    """A gift and its fee cover, in minor units."""

    gift: int
    cover: int
    currency: str

    def take(self, minor_units: int, *, taken: TakenSoFar) -> TakenBack:
        """Split a refund into its parts, given what was taken before: the rest of the gift first.

        Neither account gives more than it got (docs/ledger-format.md §8, rule 6), as long as the whole payment does not;
        what goes back beyond that is the gift's.
        """
        left_of_gift = max(0, self.gift - (taken.minor_units - taken.cover))
        left_of_cover = max(0, self.cover - taken.cover)
        cover = min(max(0, minor_units - left_of_gift), left_of_cover)
        return TakenBack(minor_units=minor_units, cover=cover, currency=self.currency)
