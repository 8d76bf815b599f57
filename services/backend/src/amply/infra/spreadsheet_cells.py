"""Escapes text for CSV and spreadsheet files, so that it is not run as a formula (CSV injection).

https://owasp.org/www-community/attacks/CSV_Injection
"""

import re
from typing import Final

_BEGINS_A_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 -- the full-width ones count too
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def as_cell(text: str) -> str:
    """The text, prefixed by an apostrophe where a spreadsheet would read a formula. Numbers stay as they are."""
    if text.startswith(_BEGINS_A_FORMULA) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text
