"""What a gift may say: companies, anonymity and dedications, and what each of them changes."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from amply.infra.database import Database
from amply.kernel.money import Money
from amply.modules import organizations, receipts
from amply.modules.donations import as_csv, evidence, gifts_of
from amply.modules.donations.domain import OfflineMethod
from amply.modules.donations.models import DonationRow
from amply.modules.donations.offline import OfflineGift, record_offline
from amply.modules.donations.options import Anonymity, Dedication, DedicationKind, GiftOptions
from amply.modules.receipts import Company, Jurisdiction
from ledger_format.receipts import decode_receipt, verify_receipt
from tests.backend.api_world import Api, assert_problem
from tests.backend.committed.money_back import DISPUTE, INTENT, Returns
from tests.backend.committed.test_donor_facts import DECLARATION
from tests.backend.committed.test_donor_years import typed  # noqa: F401 -- a fixture
from tests.backend.committed.test_provider_events import SECRETS
from tests.backend.ledger_world import LedgerWorld
from tests.backend.receipt_office import ReceiptOffice
from tests.backend.sealed_rows import rows_in
from tests.backend.unit.receipt_samples import HOME
from tests.backend.world import NOW

COMPANY = Company(name="Ångström & Söhne GmbH", tax_id="DE 123/456")


@pytest.fixture
def office(books: LedgerWorld) -> ReceiptOffice:
    return ReceiptOffice(books)


def takes_anonymous_gifts(database: Database, organization_id: str) -> None:
    with database.transaction() as session:
        organizations.take_anonymous_gifts(session, organization_id=organization_id, takes=True)


def rows_of(office: ReceiptOffice) -> dict[str, str]:
    (issued,) = office.issued()
    return dict(issued.document["rows"])


# ---- a company ---------------------------------------------------------------------------------------------------


def test_a_companys_receipt_is_made_out_to_the_company_and_proves_its_name(office: ReceiptOffice) -> None:
    office.issues_in(Jurisdiction.US)
    office.gives(30_000, "USD", company=COMPANY)
    office.publish_and_send()

    rows = rows_of(office)
    assert (rows["Donor"], rows["Donor's tax number"]) == (COMPANY.name, COMPANY.tax_id)
    (mail,) = office.mailer.sent
    assert "Ångström &amp; Söhne GmbH" in mail.html
    opened = verify_receipt(decode_receipt(mail.attachments[0].content), [office.world.verifier]).opened
    assert (opened["company_name"], opened["donor_name"]) == (COMPANY.name, "Ada")


def test_a_company_claims_no_gift_aid(office: ReceiptOffice) -> None:
    office.issues_in(Jurisdiction.GB)
    office.gives(30_000, "GBP", company=COMPANY)
    office.publish_and_send()

    (issued,) = office.issued()
    assert (issued.kind, issued.reasons) == ("acknowledgement", ["company_gift"])


def test_a_company_that_declares_gift_aid_is_refused(api: Api) -> None:
    refused = api.give(company={"name": "Angstrom Ltd"}, gift_aid=DECLARATION)

    assert_problem(refused, status=422, code="gift_options_not_acceptable", param="gift_aid")


# ---- who is not told ---------------------------------------------------------------------------------------------


def test_whether_an_organisation_takes_anonymous_gifts_is_its_own_rule(
    api: Api,
    database: Database,
) -> None:
    refused = api.give(anonymity="organization")
    assert_problem(refused, status=422, code="gift_options_not_acceptable", param="anonymity")

    takes_anonymous_gifts(database, api.organization_id)
    assert api.client.get(f"/v1/public/organisations/{api.organization_id}").json()["takes_anonymous_gifts"]
    assert api.give(anonymity="organization").status_code == 201
    declared = api.give(key="another", anonymity="organization", gift_aid=DECLARATION)
    assert_problem(declared, status=422, code="gift_options_not_acceptable", param="gift_aid")


def test_nobody_is_named_in_public_unless_the_donor_says_so(api: Api, database: Database) -> None:
    api.give()
    api.give(key="another", anonymity="none")

    with database.transaction() as session:
        said = session.scalars(text("SELECT anonymity FROM donation ORDER BY id")).all()
    assert said == ["public", "none"]


def test_an_anonymous_gift_gets_thanks_and_no_official_receipt(office: ReceiptOffice) -> None:
    office.issues_in(Jurisdiction.CA)
    takes_anonymous_gifts(office.database, office.organization_id)
    options = GiftOptions(anonymity=Anonymity.ORGANIZATION)
    office.gives(30_000, "CAD", options=options, address=HOME)
    office.publish_and_send()

    (issued,) = office.issued()
    assert (issued.kind, issued.reasons) == ("acknowledgement", ["anonymous"])


class Unnamed(Returns):
    """Books whose donor the organisation is not told."""

    def give(self, **_: object) -> Any:
        takes_anonymous_gifts(self.database, self.organization_id)
        return super().give(options=GiftOptions(anonymity=Anonymity.ORGANIZATION))


def test_the_files_against_a_dispute_do_not_tell_the_organisation(books: LedgerWorld) -> None:
    returns = Unnamed(books.app)
    books.sequence()
    books.publish()
    returns.processor.tell_dispute(INTENT, DISPUTE, (-2500, 1500), status="needs_response")
    returns.news("charge.dispute.created")
    (dispute,) = returns.rows("dispute")

    files = evidence(returns.database, SECRETS, dispute_id=dispute.id, ledger_page="https://edge.example/")
    gift = json.loads(files["facts.json"])["gift"]
    assert (gift["donor_name"], gift["donor_email"]) == (None, None)
    (proof,) = (content for name, content in files.items() if name.endswith(".tlog-proof"))
    assert verify_receipt(decode_receipt(proof), [books.verifier]).opened == {}
    assert b"ada@example.org" not in b"".join(files.values())


# ---- for whom ----------------------------------------------------------------------------------------------------


def test_the_receipt_says_for_whom_and_for_what_a_gift_is(office: ReceiptOffice) -> None:
    with office.database.transaction() as session:
        fund = organizations.create_fund(
            session,
            organization_id=office.organization_id,
            name="Wells",
            kind=organizations.FundKind.FUND,
            now=NOW,
        )
    dedication = Dedication(kind=DedicationKind.IN_MEMORY_OF, honouree="Grace <b>Hopper</b>")
    office.gives(options=GiftOptions(fund_id=fund.id, dedication=dedication))
    office.publish_and_send()

    rows = rows_of(office)
    assert (rows["Given for"], rows["In memory of"]) == ("Wells", "Grace <b>Hopper</b>")
    assert "Grace &lt;b&gt;Hopper" in office.mailer.sent[0].html


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"kind": "in_spite_of"}, "dedication.kind"),
        ({"honouree": ""}, "dedication.honouree"),
        ({"honouree": "x" * 101}, "dedication.honouree"),
        ({"honouree": "see https://evil.example"}, "dedication.honouree"),
        ({"honouree": "cheap at evil.example"}, "dedication.honouree"),
        ({"honouree": "Grace\r\nBcc: all@example.org"}, "dedication.honouree"),
        ({"notify": {"name": "Ann", "email": "nonsense"}}, "dedication.notify.email"),
        ({"notify": {"name": "www.evil.example/x", "email": "ann@example.org"}}, "dedication.notify.name"),
        (
            {"notify": {"name": "Ann", "email": "ann@example.org", "message": "x"}},
            "dedication.notify.message",
        ),
    ],
)
def test_a_dedication_that_could_carry_something_else_is_refused(
    changes: dict[str, Any],
    param: str,
    api: Api,
    database: Database,
) -> None:
    refused = api.give(dedication={"kind": "in_honour_of", "honouree": "Grace", **changes})

    assert_problem(refused, status=422, code="invalid_request", param=param)
    with database.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM donation")) == 0


def test_everything_at_once_is_taken_with_no_more_rights_than_the_api_has(
    api: Api,
    database: Database,
) -> None:
    created = api.give(
        company={"name": COMPANY.name, "tax_id": COMPANY.tax_id},
        dedication={
            "kind": "in_honour_of",
            "honouree": "Grace",
            "notify": {"name": "Ann", "email": "ann@example.org"},
        },
        message="<script>for the river</script>\nthank you",
    )

    assert created.status_code == 201, created.text
    with database.transaction() as session:
        told, _ = receipts.told_of(session, donation_id=created.json()["id"])
        (kept,) = rows_in(session, "dedication")
    assert told.company == COMPANY
    assert (kept.honouree, kept.recipient_email, kept.attempts) == ("Grace", "ann@example.org", 0)
    shown = api.client.get(f"/v1/donations/{created.json()['id']}").text
    assert [leak for leak in ("Grace", "river", "ann@", "ngstr") if leak in shown] == []


# ---- what the organisation reads ---------------------------------------------------------------------------------


def test_the_organisation_reads_what_donors_said_and_no_formula(office: ReceiptOffice) -> None:
    takes_anonymous_gifts(office.database, office.organization_id)
    dedication = Dedication(kind=DedicationKind.IN_HONOUR_OF, honouree='=HYPERLINK("x")')
    office.gives(options=GiftOptions(dedication=dedication, anonymity=Anonymity.NONE), company=COMPANY)
    office.gives(options=GiftOptions(anonymity=Anonymity.ORGANIZATION), company=COMPANY)
    with office.database.transaction() as session:
        for row in session.scalars(select(DonationRow)):
            row.message = '+1\nfor the "river"'

    day = NOW.date()
    listed = gifts_of(office.database, organization_id=office.organization_id, first=day, last=day)
    header, *rows = csv.reader(io.StringIO(as_csv(listed), newline=""))
    named, unnamed = (dict(zip(header, row, strict=True)) for row in rows)
    assert (named["donor_name"], named["company"], named["may_be_named"]) == ("Ada", COMPANY.name, "yes")
    assert (named["amount"], named["currency"], named["received_on"]) == ("25.00", "EUR", "2026-11-21")
    assert (named["fee_cover"], named["given_back"]) == ("0.00", "0.00")
    assert (named["standing"], named["method"]) == ("succeeded", "online")
    assert (named["honouree"], named["message"]) == ('\'=HYPERLINK("x")', '\'+1\nfor the "river"')
    assert (unnamed["donor_name"], unnamed["donor_email"], unnamed["company"]) == ("", "", "")
    assert unnamed["may_be_named"] == "no"
    before = day.replace(day=1)
    assert gifts_of(office.database, organization_id=office.organization_id, first=before, last=before) == []


def test_the_file_tells_what_went_back_and_which_way(database: Database) -> None:
    """Whoever adds the amounts up without it has money that is gone."""
    returns = Returns(database)
    day = NOW.date()

    def listed() -> tuple[str, str, str]:
        (gift,) = gifts_of(database, organization_id=returns.organization_id, first=day, last=day)
        return gift.amount, gift.given_back, gift.standing

    returns.refund("10.00")
    returns.news("refund.created")
    assert listed() == ("25.00", "10.00", "partially_refunded")
    returns.processor.tell_dispute(INTENT, DISPUTE, (-1500, 1500), status="lost", minor_units=1500)
    returns.news("charge.dispute.closed")
    assert listed() == ("25.00", "25.00", "charged_back")


def test_the_file_tells_things_from_money(office: ReceiptOffice) -> None:
    gift = OfflineGift(
        organization_id=office.organization_id,
        method=OfflineMethod.IN_KIND,
        amount=Money(minor_units=90_000, currency="EUR"),
        received_on=NOW.date(),
        reference="S-1",
        donor_name="Ada",
        description="A piano, upright",
    )
    record_offline(office.database, SECRETS, gift=gift, now=NOW)

    (listed,) = gifts_of(
        office.database, organization_id=office.organization_id, first=NOW.date(), last=NOW.date()
    )
    assert (listed.amount, listed.method) == ("900.00", "in_kind")


def test_an_operator_writes_the_file(office: ReceiptOffice, typed: Any, tmp_path: Path) -> None:  # noqa: F811 -- the fixture
    office.gives()
    out = tmp_path / "gifts.csv"
    period = ("--from", "2026-11-21", "--until", "2026-11-21", "--out", str(out))

    done = typed("organization", "gifts", "--id", office.organization_id, *period)
    assert (done.exit_code, json.loads(done.output)["gifts"]) == (0, 1), done.output
    assert "ada@example.org" in out.read_text()
    refused = typed("organization", "gifts", "--id", office.organization_id, *period, user="amply_operator")
    assert refused.exit_code != 0, "operators see no donors"
