"""Errors of an estimate. Each says what to do; a missing number is never guessed.

CostError
├── UnknownTypeError    a resource type that has neither a rule nor a place among what is free
├── UnpricedError       a property that changes the price in a way its rule does not know
├── NoPriceError        a rule asks for a price the table does not hold for this region
└── NoAssumptionError   a rule asks for a usage nobody has assumed for this environment
"""


class CostError(Exception):
    """No estimate rather than a wrong one."""


class UnknownTypeError(CostError):
    def __init__(self, resource_type: str, where: str) -> None:
        super().__init__(
            f"{resource_type} ({where}) has no price rule: write one in operations/cost/rules, "
            f"or name it in operations/cost/free.py with the reason it costs nothing."
        )


class UnpricedError(CostError):
    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where}: {why}; teach its rule in operations/cost/rules what that costs.")


class NoPriceError(CostError):
    def __init__(self, name: str, region: str) -> None:
        super().__init__(
            f"prices.toml holds no price {name!r} for {region}; look it up and add it with its source."
        )


class NoAssumptionError(CostError):
    def __init__(self, name: str, environment: str) -> None:
        super().__init__(
            f"usage.toml assumes no {name!r} for {environment}; add the number you expect, and why."
        )
