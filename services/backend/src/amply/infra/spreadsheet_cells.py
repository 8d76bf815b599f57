"""Escapes text for CSV and spreadsheet files, so that it is not run as a formula (CSV injection).

https://owasp.org/www-community/attacks/CSV_Injection
"""

import re
from typing import Final

_BEGINS_A_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 -- the full-width ones count too
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def as_cell(text: str) -> str:
    """The text, with an apostrophe before it where a spreadsheet would take it for a formula. A number is a number."""
    if text.startswith(_BEGINS_A_FORMULA) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text
