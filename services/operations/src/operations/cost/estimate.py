"""Computes an environment's monthly cost from its templates."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from operations.assembly import Deployed, Resource
from operations.cost.charge import Priced
from operations.cost.errors import UnknownTypeError
from operations.cost.free import reason_it_is_free
from operations.cost.prices import Price, PriceTable, price_table
from operations.cost.rules import RULES
from operations.cost.usage import Usage, usage_of

EMULATED_ACCOUNT = "000000000000"
"""Where the laptop's stage is deployed: its cloud sends no bill."""
CENT = Decimal("0.01")


@dataclass(frozen=True, kw_only=True)
class Line:
    """One charge of one resource: `quantity` units of a price a month."""

    where: str
    """`environment/stack/LogicalId`."""
    type: str
    what: str
    quantity: Decimal
    price: Price

    @property
    def stack(self) -> str:
        return self.where.split("/")[1]

    @property
    def usd(self) -> Decimal:
        """Not rounded: a thousand lines of a third of a cent are three dollars."""
        return self.quantity * self.price.usd


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """An environment's month, at list prices: no free tier, no credit, no commitment, no tax."""

    environment: str
    lines: tuple[Line, ...]

    @property
    def total_usd(self) -> Decimal:
        """USD, rounded to cents."""
        return sum((line.usd for line in self.lines), Decimal(0)).quantize(CENT)

    @property
    def assumed_prices(self) -> frozenset[str]:
        return frozenset(line.price.name for line in self.lines if line.price.assumed)


def estimate(deployed: Deployed) -> Estimate:
    """Every charge of every resource.

    Raises:
        CostError: A resource is unknown, or a price or an assumption is missing. There is no partial estimate.
    """
    usage, prices = usage_of(deployed.name), price_table()
    lines = [line for resource in deployed.resources() for line in _lines(resource, deployed, usage, prices)]
    return Estimate(environment=deployed.name, lines=tuple(lines))


def _lines(resource: Resource, deployed: Deployed, usage: Usage, prices: PriceTable) -> Iterator[Line]:
    rule = RULES.get(resource.type)
    if rule is None:
        if reason_it_is_free(resource.type) is None:
            raise UnknownTypeError(resource.type, resource.where)
        return
    account, region = _place(resource, deployed)
    if account == EMULATED_ACCOUNT:
        return
    for charge in rule(Priced(resource=resource, deployed=deployed, usage=usage)):
        if charge.quantity:
            yield Line(
                where=resource.where,
                type=resource.type,
                what=charge.what,
                quantity=charge.quantity,
                price=prices.price(charge.price, region),
            )


def _place(resource: Resource, deployed: Deployed) -> tuple[str, str]:
    """Account and region of its stack; the manifest writes `aws://ACCOUNT/REGION`."""
    stack = resource.stack.partition("/")[2]
    account, _, region = str(deployed.manifests[stack]["environment"]).removeprefix("aws://").partition("/")
    return account, region
