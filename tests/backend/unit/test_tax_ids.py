"""Numbers of organisations: real ones from public registers, and what they turn into with a digit changed."""

import pytest

from amply.modules.applications.tax_ids import FORMS, TaxIdNotAcceptable, tax_id_of

REAL = {
    # stdnum's own documentation, and what registers publish.
    "DE": ("DE 136,695 976".replace(",", ""), "136695976"),
    "FR": ("552 008 443", "552008443"),
    "CH": ("CHE-100.155.212", "CHE100155212"),
    "US": ("91-1144442", "911144442"),
    "AU": ("83 914 571 673", "83914571673"),
    "GB": ("1000001", "1000001"),
    "NO": ("988 077 917", "988077917"),
}


@pytest.mark.parametrize("country", REAL)
def test_a_number_is_read_however_it_is_written(country: str) -> None:
    typed, number = REAL[country]
    assert tax_id_of(typed, country=country).number == number


@pytest.mark.parametrize(
    ("country", "typed"), [("DE", "DE136695977"), ("FR", "552008444"), ("CH", "CHE-100.155.213")]
)
def test_a_wrong_check_digit_is_refused(country: str, typed: str) -> None:
    with pytest.raises(TaxIdNotAcceptable, match="check digit"):
        tax_id_of(typed, country=country)


@pytest.mark.parametrize("country", FORMS)
def test_every_form_of_the_table_can_be_asked(country: str) -> None:
    with pytest.raises(TaxIdNotAcceptable):
        tax_id_of("?", country=country)


def test_where_no_form_is_known_any_number_is_taken_and_staff_look() -> None:
    assert tax_id_of(" ab-12 34", country="GI").number == "AB-12 34"
    assert tax_id_of(" ab-12 34", country="GI").form is None
    with pytest.raises(TaxIdNotAcceptable):
        tax_id_of("<b>", country="GI")


def test_what_canadian_charities_have_is_known() -> None:
    assert tax_id_of("11921 9814 rr 0001", country="CA").form == "charity registration number"


def test_what_french_associations_have_is_known() -> None:
    assert tax_id_of("w751 234 567", country="FR").form == "RNA"
