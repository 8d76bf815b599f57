"""The price table: AWS's unit prices by region, each with its source."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files

from operations.cost.errors import NoPriceError

EVERYWHERE = "*"
"""Stands for every region: AWS asks the same in all that we use."""


@dataclass(frozen=True, kw_only=True)
class Price:
    """USD for one `unit` in one region. `assumed`: the number was not seen at its source, only expected there."""

    name: str
    unit: str
    usd: Decimal
    source: str
    assumed: bool


@dataclass(frozen=True, kw_only=True)
class PriceTable:
    checked: date
    entries: Mapping[str, Mapping[str, object]]

    def price(self, name: str, region: str) -> Price:
        """Raises NoPriceError rather than take another region's price."""
        entry = self.entries.get(name)
        if entry is None:
            raise NoPriceError(name, region)
        by_region = entry["usd"]
        assert isinstance(by_region, dict)  # noqa: S101 -- a test holds the file to this shape
        known = region if region in by_region else EVERYWHERE
        if known not in by_region:
            raise NoPriceError(name, region)
        assumed = entry.get("assumed", [])
        assert isinstance(assumed, list)  # noqa: S101 -- as above
        return Price(
            name=name,
            unit=str(entry["unit"]),
            usd=Decimal(str(by_region[known])),
            source=str(entry["source"]),
            assumed=known in assumed,
        )


@cache
def price_table() -> PriceTable:
    document = tomllib.loads((files("operations.cost") / "prices.toml").read_text())
    return PriceTable(checked=document["checked"], entries=document["price"])
