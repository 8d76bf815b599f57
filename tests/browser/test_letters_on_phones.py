"""No letter is wider than a telephone, whatever people are called and whichever language it is in."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest

from amply.kernel.money import Money
from amply.modules import receipts
from amply.modules.receipts import Jurisdiction, Language, receipt_mail
from amply.modules.recurring.letters import plan_mail
from amply.modules.recurring.plan_transitions import LetterKind
from tests.backend.unit.receipt_samples import GIVEN_AT, HOME, gift_in, settings
from tests.backend.unit.receipt_samples import letter as receipt_letter
from tests.backend.unit.test_plan_letters import letter as plan_letter
from tests.browser.conftest import Pages

pytestmark = pytest.mark.enable_socket

_DONOR = "Prof. Dr. Maximiliane-Henriette von und zu Hohenlohe-Waldenburg-Schillingsfürst"
_ORGANIZATION = "Donaudampfschifffahrtsgesellschaftskapitänswitwenunterstützungsverein e. V."
_SUM = Money(minor_units=99_999_999, currency="CAD")
_TOKEN = "v1.1764230400." + "5f1e2d3c" * 8 + "." + "Zm9vYmFy" * 6


def letters(language: Language) -> Iterator[str]:
    """Every kind of letter, with the longest of everything."""
    said = settings(Jurisdiction.CA, legal_name=_ORGANIZATION, language=language)
    told = receipts.DonorFacts(language=language, address=HOME)
    given = gift_in(Jurisdiction.CA, 99_999_999, donor=told, donor_name=_DONOR, organization=_ORGANIZATION)
    yield receipt_mail(receipt_letter(said, given)).html
    yield receipts.not_paid_mail(
        receipts.NotPaid(
            language=language,
            country="CA",
            organization=_ORGANIZATION,
            donor_name=_DONOR,
            donor_email="ada@example.org",
            amount=_SUM,
        )
    ).html
    yield receipts.dedication_mail(
        receipts.DedicationLetter(
            recipient_name=_DONOR,
            recipient_email="ann@example.org",
            dedicated=receipts.Dedicated(kind="in_memory_of", honouree=_DONOR),
            donor_name=_DONOR,
            organization=_ORGANIZATION,
            country="CA",
            language=language,
        )
    ).html
    yield receipts.as_html(
        receipts.Statement(
            organization=_ORGANIZATION,
            country="CA",
            language=language,
            year=receipts.FiscalYear.of_days(said, first=date(2026, 1, 1), last=date(2026, 12, 31)),
            givers=[
                receipts.GiverInYear(
                    name=_DONOR,
                    gifts=[
                        receipts.GiftInYear(given_at=GIVEN_AT, number="CA-000007", amount=_SUM, eligible=_SUM)
                    ],
                    things=[receipts.ThingInYear(given_at=GIVEN_AT, number="CA-000008", description=_DONOR)],
                )
            ],
            settings=said,
        )
    )
    for kind in LetterKind:
        letter = plan_letter(kind, language=language, donor_name=_DONOR, organization=_ORGANIZATION)
        link = f"https://donations.example/giving/#{_TOKEN}"
        yield plan_mail(replace(letter, link=link, amount=_SUM)).html


@pytest.mark.parametrize("language", list(Language))
def test_no_letter_is_wider_than_a_telephone(language: Language, pages: Pages) -> None:
    page = pages.open()
    page.set_viewport_size({"width": 360, "height": 640})
    for content in letters(language):
        page.set_content(content)
        heading = page.inner_text("body").strip().splitlines()[0]
        wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wider <= 0, f"{heading} is {wider} pixels too wide"
