"""Localised texts, amounts and dates."""

import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Final

from babel import Locale
from babel.dates import format_date
from babel.languages import get_official_languages
from babel.lists import format_list
from babel.numbers import format_decimal, get_decimal_symbol, get_group_symbol

from amply.infra.letter_templates import letter_texts
from amply.kernel.money import Money, exponent_of
from amply.modules.mail import Language

Texts = Mapping[str, Mapping[str, str]]

_STRAIGHT: Final = "'"
_CURLY: Final = "\u2019"


@dataclass(frozen=True, kw_only=True)
class Wording:
    """Texts in one language, with number and date formats of one locale."""

    language: Language
    texts: Texts
    locale: Locale
    zone: zoneinfo.ZoneInfo

    @classmethod
    def of(cls, language: Language, *, country: str, time_zone: str = "UTC") -> "Wording":
        """The wording for a language and country (ISO 3166-1 alpha-2); the language's default if it is not spoken there."""
        return cls(
            language=language,
            texts=texts_in(language),
            locale=_locale(language, country),
            zone=zoneinfo.ZoneInfo(time_zone),
        )

    def say(self, section: str, name: str, **said: str) -> str:
        """One text with its placeholders filled in; braces in values have no meaning."""
        return self.texts[section][name].format_map(said)

    def listing(self, names: Sequence[str]) -> str:
        """Join as `A, B and C`."""
        return format_list(names, locale=self.locale)

    def amount(self, money: Money) -> str:
        """`1,234.50 CAD`, `1.234,50 CAD`: with the code, since dollars are of many kinds."""
        digits = exponent_of(money.currency)
        number = Decimal(money.minor_units).scaleb(-digits)
        return f"{self._number(number, digits=digits)} {money.currency}"

    def _number(self, number: Decimal, *, digits: int) -> str:
        if get_group_symbol(self.locale) == _STRAIGHT:
            # Babel takes the apostrophe of Swiss numbers for a quote, and leaves it out.
            swapped = str.maketrans(",.", f"{_CURLY}{get_decimal_symbol(self.locale)}")
            return f"{number:,.{digits}f}".translate(swapped)
        pattern = f"#,##0.{'0' * digits}" if digits else "#,##0"
        return format_decimal(number, format=pattern, locale=self.locale)

    def day_of(self, moment: datetime) -> date:
        """The local date of a time."""
        return moment.astimezone(self.zone).date()

    def day(self, moment: datetime | date) -> str:
        """`21 November 2026`, `November 21, 2026`, `21. November 2026`, `1er novembre 2026`."""
        day = self.day_of(moment) if isinstance(moment, datetime) else moment
        written: str = format_date(day, format="long", locale=self.locale)
        # French counts the first of a month, and the locale's pattern does not know that.
        return written.replace("1 ", "1er ", 1) if self.language is Language.FR and day.day == 1 else written

    def country(self, code: str) -> str:
        """A country's name (ISO 3166-1 alpha-2) in this language; the code itself where it has none."""
        return str(self.locale.territories.get(code, code))


def texts_in(language: Language) -> Texts:
    """All texts of a language, by section and name."""
    return letter_texts("amply.modules.receipts", language)


@cache
def _locale(language: Language, country: str) -> Locale:
    """As the country writes it where it speaks the language; English elsewhere is written as in Britain."""
    if language.value in get_official_languages(country, de_facto=True):
        return Locale(language.value, territory=country)
    return Locale("en", territory="GB") if language is Language.EN else Locale(language.value)
