"""Expected usage of an environment: the numbers that no template holds."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files

from operations.cost.errors import NoAssumptionError

_AT = " at "
_NAMED = "sandbox-"


@dataclass(frozen=True, kw_only=True)
class Assumption:
    """A number for each environment, and why. `name` reads `log_gb`, or `log_gb at api/Api` for one part alone."""

    name: str
    why: str
    values: Mapping[str, Decimal]


@dataclass(frozen=True, kw_only=True)
class Usage:
    """The assumptions of one environment. A named sandbox is used as the shared one is."""

    environment: str
    assumptions: Mapping[str, Assumption]

    def of(self, name: str, part: str = "") -> Decimal:
        """A month's `name`, for the part at this construct path if there is a closer one than the general number."""
        places = [key.partition(_AT)[2] for key in self.assumptions if key.startswith(name + _AT)]
        closest = max((place for place in places if f"{part}/".startswith(f"{place}/")), key=len, default="")
        return self._value(f"{name}{_AT}{closest}" if closest else name)

    def _value(self, name: str) -> Decimal:
        kind = "sandbox" if self.environment.startswith(_NAMED) else self.environment
        found = self.assumptions.get(name)
        if found is None or kind not in found.values:
            raise NoAssumptionError(name, self.environment)
        return found.values[kind]


@cache
def assumptions() -> Mapping[str, Assumption]:
    document = tomllib.loads((files("operations.cost") / "usage.toml").read_text())
    return {
        name: Assumption(
            name=name,
            why=str(entry["why"]),
            values={key: Decimal(str(value)) for key, value in entry.items() if key != "why"},
        )
        for name, entry in document.items()
    }


def usage_of(environment: str) -> Usage:
    return Usage(environment=environment, assumptions=assumptions())
