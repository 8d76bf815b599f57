"""A donor's yearly statement with one organisation, by currency."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import jinja2

from amply.kernel.errors import InvalidRequest
from amply.kernel.money import Money
from amply.modules.mail import Language
from amply.modules.receipts.domain import ReceiptSettings, harmless
from amply.modules.receipts.paper import statement_pdf
from amply.modules.receipts.wording import Wording

_YEARS: Final = range(2000, 2200)
_TEMPLATES: Final = jinja2.Environment(
    loader=jinja2.PackageLoader("amply.modules.receipts"), autoescape=True, undefined=jinja2.StrictUndefined
)


class YearNotAcceptable(InvalidRequest):
    """A year that no organisation has books of."""

    code = "year_not_acceptable"


@dataclass(frozen=True, kw_only=True)
class FiscalYear:
    """The days of a fiscal year in the organisation's time zone; named by the calendar year it begins in."""

    first: date
    last: date
    zone: ZoneInfo

    @classmethod
    def of(cls, settings: ReceiptSettings | None, *, year: int) -> "FiscalYear":
        """The organisation's fiscal year beginning in `year`; by default the calendar year in UTC.

        Raises:
            YearNotAcceptable: Before 2000 or after 2199.
        """
        if year not in _YEARS:
            raise YearNotAcceptable(
                "Give the year in which the fiscal year begins, such as 2026.", param="year"
            )
        month = settings.fiscal_year_starts if settings is not None else 1
        first = date(year, month, 1)
        return cls.of_days(settings, first=first, last=first.replace(year=year + 1) - timedelta(days=1))

    @classmethod
    def of_days(cls, settings: ReceiptSettings | None, *, first: date, last: date) -> "FiscalYear":
        """Any range of days, inclusive, in the organisation's time zone."""
        return cls(
            first=first,
            last=last,
            zone=ZoneInfo(settings.time_zone if settings is not None else "UTC"),
        )

    @property
    def begins_at(self) -> datetime:
        """Its start, in UTC."""
        return self._midnight(self.first)

    @property
    def ends_before(self) -> datetime:
        """Its end (exclusive), in UTC."""
        return self._midnight(self.last + timedelta(days=1))

    def _midnight(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=self.zone).astimezone(UTC)


@dataclass(frozen=True, kw_only=True)
class GiftInYear:
    """One line. `number` is None without a valid receipt; `eligible` is that of the receipt, zero without one."""

    given_at: datetime
    number: str | None
    amount: Money
    eligible: Money


@dataclass(frozen=True, kw_only=True)
class ThingInYear:
    """A gift in kind: described, without an amount."""

    given_at: datetime
    number: str | None
    description: str


@dataclass(frozen=True, kw_only=True)
class GiverInYear:
    """A donor (person or company) and their gifts."""

    name: str
    gifts: Sequence[GiftInYear]
    things: Sequence[ThingInYear] = ()


@dataclass(frozen=True, kw_only=True)
class Statement:
    """Contents of a statement. `givers`: the person, and each company they gave for."""

    organization: str
    country: str
    language: Language
    year: FiscalYear
    givers: Sequence[GiverInYear]
    settings: ReceiptSettings | None

    @property
    def gifts(self) -> list[GiftInYear]:
        """All gifts of money."""
        return [gift for giver in self.givers for gift in giver.gifts]


def as_pdf(statement: Statement, *, now: datetime) -> bytes:
    """The statement as a tagged PDF, dated now."""
    return statement_pdf(_facts(statement), language=statement.language, at=now)


def as_html(statement: Statement) -> str:
    """The statement as an HTML page."""
    return _TEMPLATES.get_template("statement.html").render(_facts(statement), language=statement.language)


def totals(gifts: Sequence[GiftInYear]) -> dict[str, tuple[Money, Money]]:
    """Given and eligible totals by currency."""
    sums: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for gift in gifts:
        given, eligible = sums[gift.amount.currency]
        sums[gift.amount.currency] = (given + gift.amount.minor_units, eligible + gift.eligible.minor_units)
    return {
        currency: (
            Money(minor_units=given, currency=currency),
            Money(minor_units=eligible, currency=currency),
        )
        for currency, (given, eligible) in sorted(sums.items())
    }


def _facts(statement: Statement) -> dict[str, Any]:
    wording = Wording.of(statement.language, country=statement.country, time_zone=str(statement.year.zone))
    settings, organization = statement.settings, harmless(statement.organization)
    return {
        "title": wording.say("annual", "title"),
        "issuer": [settings.legal_name, *settings.address] if settings else [organization],
        "subject": wording.say(
            "annual",
            "subject_line",
            organization=settings.legal_name if settings else organization,
            first=wording.day(statement.year.first),
            last=wording.day(statement.year.last),
        ),
        "head": [wording.say("annual", name) for name in ("day", "number", "amount", "eligible")],
        "things_title": wording.say("annual", "things"),
        "things_note": wording.say("annual", "things_note"),
        "things_head": [wording.say("annual", name) for name in ("day", "number", "thing")],
        "givers": [_giver(giver, wording) for giver in statement.givers],
        "note": f"{wording.say('annual', 'note')} {wording.say('paper', 'days', zone=str(wording.zone))}",
        "colour": settings.brand_colour if settings else "",
    }


def _giver(giver: GiverInYear, wording: Wording) -> dict[str, Any]:
    return {
        "donor": wording.say("annual", "donor", donor=harmless(giver.name)),
        "gifts": [list(_line(gift, wording)) for gift in sorted(giver.gifts, key=lambda gift: gift.given_at)],
        "totals": [
            [
                f"{wording.say('annual', 'total')} {currency}",
                "",
                wording.amount(given),
                wording.amount(eligible),
            ]
            for currency, (given, eligible) in totals(giver.gifts).items()
        ],
        "things": [
            [
                wording.day(thing.given_at),
                thing.number or wording.say("annual", "none"),
                harmless(thing.description),
            ]
            for thing in sorted(giver.things, key=lambda thing: thing.given_at)
        ],
    }


def _line(gift: GiftInYear, wording: Wording) -> Iterator[str]:
    yield wording.day(gift.given_at)
    yield gift.number or wording.say("annual", "none")
    yield wording.amount(gift.amount)
    yield wording.amount(gift.eligible)
