"""What donors tell for their receipts: taken over HTTP, kept beside the gift, and forgotten with it."""

from typing import Any

import pytest

from amply.modules import receipts
from amply.modules.donations import erase_donor, resend_receipt
from amply.modules.mail import address_digest
from amply.modules.receipts import Jurisdiction, Language
from tests.backend.api_world import Api
from tests.backend.committed.test_mail_feedback import BOUNCE, heard
from tests.backend.committed.test_provider_events import SECRETS
from tests.backend.ledger_world import LedgerWorld
from tests.backend.receipt_office import ReceiptOffice
from tests.backend.unit.receipt_samples import DECLARED, HOME
from tests.backend.world import NOW

ADDRESS = {
    "lines": ["5 King Street"],
    "city": "Toronto",
    "region": "ON",
    "postal_code": "M5V 2T6",
    "country": "CA",
}
DECLARATION = {
    "title": "Mrs",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "house": "12",
    "postcode": "ab12cd",
    "declares": True,
}


@pytest.fixture
def office(books: LedgerWorld) -> ReceiptOffice:
    return ReceiptOffice(books)


def told(office: ReceiptOffice, donation_id: str) -> receipts.DonorFacts:
    with office.database.transaction() as session:
        return receipts.told_of(session, donation_id=donation_id)[0]


def test_language_address_and_declaration_are_kept_with_the_gift(
    api: Api,
    office: ReceiptOffice,
) -> None:
    donor = {"name": "Ada", "email": "ada@example.org", "address": ADDRESS}
    created = api.give(donor=donor, language="fr", gift_aid=DECLARATION)

    assert created.status_code == 201, created.text
    assert told(office, created.json()["id"]) == receipts.DonorFacts(
        language=Language.FR, address=HOME, gift_aid=DECLARED
    )


def test_a_gift_that_tells_nothing_keeps_nothing(api: Api, office: ReceiptOffice) -> None:
    assert api.give().status_code == 201

    assert office.rows("receipt_facts") == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"language": "es"}, "invalid_request"),
        ({"gift_aid": {**DECLARATION, "declares": False}}, "invalid_request"),
        (
            {"gift_aid": {key: value for key, value in DECLARATION.items() if key != "declares"}},
            "invalid_request",
        ),
        ({"gift_aid": {**DECLARATION, "postcode": "nonsense"}}, "donor_facts_not_acceptable"),
        (
            {"donor": {"name": "Ada", "email": "a@example.org", "address": {**ADDRESS, "country": "Canada"}}},
            "invalid_request",
        ),
        (
            {"donor": {"name": "Ada", "email": "a@example.org", "address": {**ADDRESS, "lines": []}}},
            "invalid_request",
        ),
    ],
)
def test_what_is_unusable_is_refused_before_anything_is_kept(
    changes: dict[str, Any],
    code: str,
    api: Api,
    office: ReceiptOffice,
) -> None:
    refused = api.give(**changes)

    assert (refused.status_code, refused.json()["code"]) == (422, code), refused.text
    assert office.rows("donation") == []


def test_an_erased_donor_leaves_a_number_and_no_word(office: ReceiptOffice) -> None:
    office.issues_in(Jurisdiction.CA)
    donation_id = office.gives(30_000, "CAD", address=HOME)
    office.publish_and_send()
    heard(office, BOUNCE)
    digest = address_digest("ada@example.org")
    erase_donor(office.database, SECRETS, email_sha256=digest, donation_id=None, now=NOW)

    (row,) = office.issued()
    assert (row.serial, row.minor_units, row.document) == (1, 30_000, None)
    assert row.donation_id != donation_id, "the gift's name was the donor's"
    assert office.rows("receipt_facts") == office.rows("mail_feedback") == office.rows("receipt") == []
    assert len(office.rows("mail_suppression")) == 1, "who wants no letters still gets none"
    with pytest.raises(receipts.ReceiptNotFound), office.database.transaction() as session:
        resend_receipt(session, donation_id=row.donation_id, now=NOW)

    office.gives(30_000, "CAD", address=HOME)
    office.publish_and_send()
    assert [issued.serial for issued in office.issued()] == [1, 2]
