"""Input and output types of price rules."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from operations.assembly import Deployed, Resource
from operations.cost.errors import UnpricedError
from operations.cost.usage import Usage

HOURS = Decimal(730)
"""Hours of a month, as AWS counts them in its own examples."""


@dataclass(frozen=True, kw_only=True)
class Charge:
    """So many units of a price, in words a reader of the bill understands."""

    price: str
    quantity: Decimal
    what: str


@dataclass(frozen=True, kw_only=True)
class Priced:
    """A resource in its surroundings: everything a rule may look at."""

    resource: Resource
    deployed: Deployed
    usage: Usage

    @property
    def properties(self) -> Mapping[str, Any]:
        return self.resource.properties

    @property
    def part(self) -> str:
        """Its construct path below the environment, such as `api/Api/Log`."""
        path = self.resource.path or self.resource.where
        return path.partition("/")[2].removesuffix("/Resource").removesuffix("/Service")

    @property
    def name(self) -> str:
        """Its construct path below its stack."""
        return self.part.partition("/")[2] or self.part

    def assumed(self, name: str) -> Decimal:
        return self.usage.of(name, self.part)

    def number(self, name: str) -> Decimal:
        """A property as a number.

        Raises:
            UnpricedError: It is not one, but a reference or something missing.
        """
        value = self.properties.get(name)
        try:
            return Decimal(str(value))
        except InvalidOperation:
            raise UnpricedError(self.resource.where, f"{name} is {value!r}, not a number") from None

    def refuse(self, *names: str) -> None:
        """These properties cost money that the rule does not count."""
        for name in names:
            if name in self.properties:
                raise UnpricedError(self.resource.where, f"{name} is set")

    def neighbour(self, reference: object, kind: str) -> "Priced":
        """What a property refers to, in the same stack."""
        for other in self.deployed.resources(kind):
            if other.stack == self.resource.stack and reference == {"Ref": other.logical_id}:
                return Priced(resource=other, deployed=self.deployed, usage=self.usage)
        raise UnpricedError(self.resource.where, f"{reference!r} names no {kind} of its stack")


Rule = Callable[[Priced], Iterator[Charge]]
