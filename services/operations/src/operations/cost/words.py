"""Formats an estimate: a table for a terminal, an object for programs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from rich.table import Table

from operations.cost.estimate import CENT, Estimate, Line
from operations.cost.prices import price_table

_SHOWN_DIGITS = Decimal("0.0001")


@dataclass(frozen=True, kw_only=True)
class Row:
    """Lines of one stack that say the same, as one: fifteen alarms are fifteen times one price."""

    stack: str
    what: str
    quantity: Decimal
    unit: str
    usd_each: Decimal
    assumed: bool
    usd: Decimal


def rows(estimate: Estimate) -> Iterator[Row]:
    """In the order of the templates."""
    together: dict[tuple[str, str, str], list[Line]] = {}
    for line in estimate.lines:
        together.setdefault((line.stack, line.what, line.price.name), []).append(line)
    for (stack, what, _), lines in together.items():
        price = lines[0].price
        yield Row(
            stack=stack,
            what=what,
            quantity=sum((line.quantity for line in lines), Decimal(0)),
            unit=price.unit,
            usd_each=price.usd,
            assumed=price.assumed,
            usd=sum((line.usd for line in lines), Decimal(0)),
        )


def by_stack(estimate: Estimate) -> dict[str, Decimal]:
    """USD a month of each stack that costs something, unrounded, in the order of the templates."""
    stacks: dict[str, Decimal] = {}
    for line in estimate.lines:
        stacks[line.stack] = stacks.get(line.stack, Decimal(0)) + line.usd
    return stacks


def amount(usd: Decimal) -> str:
    return f"{usd.quantize(CENT):,}"


def quantity(number: Decimal) -> str:
    """No more digits than matter."""
    return f"{number.quantize(_SHOWN_DIGITS).normalize():,f}"


def each(row: Row) -> str:
    return f"{row.usd_each.normalize():f}" + (" *" if row.assumed else "")


def table(estimate: Estimate) -> Table:
    drawn = Table(
        title=f"{estimate.environment}: {amount(estimate.total_usd)} USD a month",
        title_justify="left",
        caption="* a price nobody has seen at its source yet; see prices.toml",
        caption_justify="left",
    )
    for heading in ("stack", "what", "quantity", "unit", "USD each", "USD a month"):
        drawn.add_column(
            heading, justify="right" if heading in {"quantity", "USD each", "USD a month"} else "left"
        )
    for row in rows(estimate):
        drawn.add_row(row.stack, row.what, quantity(row.quantity), row.unit, each(row), amount(row.usd))
    return drawn


def as_object(estimates: Sequence[Estimate], *, lines: bool) -> dict[str, object]:
    """Amounts as text, so that no reader turns them into floats."""
    return {
        "prices_checked": price_table().checked.isoformat(),
        "environments": {
            estimate.environment: {
                "total_usd": str(estimate.total_usd),
                **({"lines": [_line(line) for line in estimate.lines]} if lines else {}),
            }
            for estimate in estimates
        },
    }


def _line(line: Line) -> dict[str, object]:
    return {
        "where": line.where,
        "type": line.type,
        "what": line.what,
        "quantity": str(line.quantity),
        "unit": line.price.unit,
        "usd_each": str(line.price.usd),
        "usd": str(line.usd),
        "price_is_assumed": line.price.assumed,
    }
