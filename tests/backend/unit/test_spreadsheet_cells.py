"""No text that people wrote runs as a formula in a spreadsheet."""

import pytest

from amply.infra.spreadsheet_cells import as_cell


@pytest.mark.parametrize(
    "begins",
    ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20", "-1+", "--", "-1-"],
)
def test_what_begins_a_formula_is_marked_as_text(begins: str) -> None:
    text = f"{begins}HYPERLINK(A1)"
    assert as_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "Ada", "a=b", "12.00", "-12.00", "-7", "2026-01-05"])
def test_words_and_numbers_stay_as_they_are(text: str) -> None:
    assert as_cell(text) == text
