"""Generates docs/cost.md: the estimates as a page, with their assumptions and prices."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from operations.cost.estimate import Estimate
from operations.cost.prices import price_table
from operations.cost.usage import assumptions
from operations.cost.words import amount, by_stack, each, quantity, rows

_KINDS = ("production", "staging", "sandbox")
_OPENING = """\
# What an environment costs

Computed from the synthesised templates by `make cost`; this page is what `python -m operations.cost --markdown` prints,
and a test compares them. A resource type without a price rule stops the program, so nothing here was forgotten: it is
either a line below or named in `operations/cost/free.py` with the reason it is free.

List prices in USD before tax, a month of 730 hours. Not counted: free tiers, credits, savings plans, support, what
Stripe takes, attachments of e-mails, what a deployment moves, and the laptop (an emulated cloud sends no bill).
The data platform's flags are off in all of these; what it costs where they are on is in
[ADR 0135](adr/0135-the-lake-and-its-tags.md).
"""


def document(estimates: Sequence[Estimate]) -> str:
    """The whole page."""
    billed = [estimate for estimate in estimates if estimate.lines]
    parts = [_OPENING, *_totals(billed)]
    for estimate in billed:
        parts.extend(_one(estimate))
    parts.extend(_assumed_usage())
    parts.extend(_assumed_prices(billed))
    return "\n".join(parts) + "\n"


def _totals(estimates: Sequence[Estimate]) -> Iterator[str]:
    yield "## In short\n"
    yield "| stack | " + " | ".join(estimate.environment for estimate in estimates) + " |"
    yield "|---|" + "---:|" * len(estimates)
    each_stack = [by_stack(estimate) for estimate in estimates]
    for stack in dict.fromkeys(stack for stacks in each_stack for stack in stacks):
        found = (amount(stacks.get(stack, Decimal(0))) for stacks in each_stack)
        yield f"| {stack} | " + " | ".join(found) + " |"
    totals = (f"**{amount(estimate.total_usd)}**" for estimate in estimates)
    yield "| **USD a month** | " + " | ".join(totals) + " |\n"


def _one(estimate: Estimate) -> Iterator[str]:
    yield f"## {estimate.environment.capitalize()}, line by line\n"
    yield "| stack | what | quantity | unit | USD each | USD a month |"
    yield "|---|---|---:|---|---:|---:|"
    for row in rows(estimate):
        price = each(row).replace("*", "\\*")
        yield (
            f"| {row.stack} | {row.what} | {quantity(row.quantity)} | {row.unit} | {price} | {amount(row.usd)} |"
        )
    yield ""


def _assumed_usage() -> Iterator[str]:
    yield "## What is assumed about use\n"
    yield "A month's numbers, from `operations/cost/usage.toml`. A named sandbox counts as the shared one.\n"
    yield "| number | " + " | ".join(_KINDS) + " | why |"
    yield "|---|---:|---:|---:|---|"
    for assumption in assumptions().values():
        numbers = (quantity(assumption.values[kind]) for kind in _KINDS)
        yield f"| `{assumption.name}` | " + " | ".join(numbers) + f" | {assumption.why} |"
    yield ""


def _assumed_prices(estimates: Sequence[Estimate]) -> Iterator[str]:
    names = sorted({name for estimate in estimates for name in estimate.assumed_prices})
    share = sum(line.usd for estimate in estimates for line in estimate.lines if line.price.assumed)
    everything = sum(line.usd for estimate in estimates for line in estimate.lines)
    percent = (share / everything * 100).quantize(Decimal(1)) if everything else Decimal(0)
    yield "## How sure the prices are\n"
    yield (
        f"Checked on {price_table().checked.isoformat()}; each with its source in `operations/cost/prices.toml`. "
        f"Those marked \\* ({percent} % of the sum above) were not read at a source for this region, only expected:\n"
    )
    yield ", ".join(f"`{name}`" for name in names) + "."
