"""Sample organisations, gifts and receipts without a database."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from amply.kernel.money import Money
from amply.modules import receipts
from amply.modules.receipts.composing import compose, numbered
from amply.modules.receipts.rules import assess

GIVEN_AT: Final = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
ISSUED_AT: Final = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
DONATION: Final = "don_01k9z3v8x4e5t6y7m8n9p0q1r2"
ENTRY: Final = "ent_01k9z3v8x4e5t6y7m8n9p0q1r2"
HOME: Final = receipts.PostalAddress(
    lines=("5 King Street",), city="Toronto", region="ON", postal_code="M5V 2T6", country="CA"
)
DECLARED: Final = receipts.GiftAidDeclaration(
    title="Mrs", first_name="Ada", last_name="Lovelace", house="12", postcode="AB1 2CD"
)
_OF: Final[dict[receipts.Jurisdiction, dict[str, Any]]] = {
    receipts.Jurisdiction.US: {
        "registration_number": "12-3456789",
        "address": ("1 Main Street", "Boston MA 02101"),
    },
    receipts.Jurisdiction.CA: {
        "registration_number": "123456789RR0001",
        "address": ("1 Water Street", "Toronto ON M5V 2T6"),
        "place": "Toronto ON",
        "signatory": "Grace Hopper, Treasurer",
        "time_zone": "America/Toronto",
    },
    receipts.Jurisdiction.GB: {"registration_number": "1234567", "address": ("1 High Street", "London")},
    receipts.Jurisdiction.AU: {
        "registration_number": "51824753556",
        "address": ("1 George Street", "Sydney NSW"),
    },
    receipts.Jurisdiction.NONE: {},
}
CURRENCY: Final = {
    receipts.Jurisdiction.US: "USD",
    receipts.Jurisdiction.CA: "CAD",
    receipts.Jurisdiction.GB: "GBP",
    receipts.Jurisdiction.AU: "AUD",
    receipts.Jurisdiction.NONE: "EUR",
}


def settings(jurisdiction: receipts.Jurisdiction, **changes: Any) -> receipts.ReceiptSettings:
    said = {"organization_id": "org_1", "legal_name": "River Trust", **_OF[jurisdiction], **changes}
    return receipts.ReceiptSettings(jurisdiction=jurisdiction, **said)


def gift(minor_units: int = 2500, currency: str = "EUR", **changes: Any) -> receipts.GiftFacts:
    said = {
        "donation_id": DONATION,
        "organization_id": "org_1",
        "organization": "River Trust",
        "country": "DE",
        "asked_at": GIVEN_AT,
        "given_at": GIVEN_AT,
        "entry_id": ENTRY,
        "donor_name": "Ada Lovelace",
        **changes,
    }
    return receipts.GiftFacts(amount=Money(minor_units=minor_units, currency=currency), **said)


def gift_in(
    jurisdiction: receipts.Jurisdiction, minor_units: int = 30_000, **changes: Any
) -> receipts.GiftFacts:
    """A gift that tells all that any jurisdiction asks."""
    country = "DE" if jurisdiction is receipts.Jurisdiction.NONE else jurisdiction.value
    donor = changes.pop("donor", receipts.DonorFacts(address=HOME, gift_aid=DECLARED))
    return gift(minor_units, CURRENCY[jurisdiction], country=country, donor=donor, **changes)


def dinner(minor_units: int, currency: str) -> receipts.Advantage:
    return receipts.Advantage(
        kind=receipts.AdvantageKind.GOODS_OR_SERVICES,
        description="A dinner",
        value=Money(minor_units=minor_units, currency=currency),
    )


def receipt(
    chosen: receipts.ReceiptSettings | None, given: receipts.GiftFacts, *, replaced: str | None = None
) -> receipts.IssuedReceipt:
    """What would be issued, with number 7."""
    assessment = assess(chosen, given)
    jurisdiction = chosen.jurisdiction if chosen else receipts.Jurisdiction.NONE
    document = compose(chosen, given, assessment, replaces=replaced, now=ISSUED_AT)
    return receipts.IssuedReceipt(
        id="rct_1",
        organization_id=given.organization_id,
        jurisdiction=jurisdiction,
        serial=7,
        donation_id=given.donation_id,
        kind=assessment.kind,
        reasons=assessment.reasons,
        amount=given.amount,
        eligible=assessment.eligible,
        language=receipts.Language(document.language),
        document=numbered(document, receipts.number_of(jurisdiction, 7)),
        replaces="rct_0" if replaced else None,
        issued_at=ISSUED_AT,
        voided_at=None,
    )


def letter(
    chosen: receipts.ReceiptSettings | None,
    given: receipts.GiftFacts,
    *,
    issued: receipts.IssuedReceipt | None = None,
    **changes: Any,
) -> receipts.Letter:
    made = issued or receipt(chosen, given)
    assert made.document is not None
    written = receipts.Letter(
        receipt=made,
        document=made.document,
        donor_name=given.donor_name,
        donor_email="ada@example.org",
        organization=given.organization,
        country=given.country,
        entry_id=given.entry_id,
        proof="c2sp.org/tlog-proof@v1\n— ",
        ledger_page="https://edge.example/ledger/",
    )
    return replace(written, **changes)
