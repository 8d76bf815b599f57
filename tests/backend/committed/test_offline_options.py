"""What staff say of a gift beside its amount: for which fund, for whom, from whom, and who may know; and taken back with it."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from amply.entrypoints.admin import main
from amply.kernel.clock import system_clock
from amply.kernel.money import Money
from amply.modules import donations, ledger, organizations, receipts
from amply.modules.donations import (
    Anonymity,
    Dedication,
    DedicationKind,
    GiftOptions,
    GiftOptionsNotAcceptable,
    OfflineGiftNotAcceptable,
    OfflineMethod,
    Recipient,
    ReversalReason,
)
from amply.modules.organizations import FundNotAcceptable
from amply.modules.receipts import Company
from ledger_format.entries import decode
from ledger_format.receipts import decode_receipt, verify_receipt
from tests.backend.committed.test_funds import closed, made
from tests.backend.committed.test_offline_gifts import Office, command  # noqa: F401 -- a fixture
from tests.backend.ledger_world import NOW, LedgerWorld

DAY = date(2026, 11, 20)
COMPANY = Company(name="Ångström & Söhne GmbH", tax_id="DE 123/456")
GRACE = Dedication(
    kind=DedicationKind.IN_MEMORY_OF,
    honouree="Grace Hopper",
    notify=Recipient(name="Ann", email="ann@example.org"),
)


@pytest.fixture
def office(books: LedgerWorld) -> Office:
    return Office(books)


def holds(office: Office, code: str) -> int:
    return office.books.standing(f"{office.organization_id}/{code}", "USD").minor_units


def tell(office: Office) -> int:
    parts = donations.DedicationDependencies(database=office.database, mailer=office.mailer)
    return donations.send_due_dedications(parts, now=NOW)


# ---- a fund ------------------------------------------------------------------------------------------------------


def test_a_cheque_for_a_fund_is_in_the_fund_until_it_turns_out_to_be_for_another(office: Office) -> None:
    wells, roof = (made(office.database, office.organization_id, name) for name in ("Wells", "Roof"))
    wrong = office.record(options=GiftOptions(fund_id=wells.id))
    assert office.entries() == [("donation.offline", "offline_received", f"gifts/{wells.id}", 5000)]

    office.reverse(wrong, ReversalReason.WRONG_FUND)
    office.record(options=GiftOptions(fund_id=roof.id))
    assert office.entries()[1] == ("donation.reversed", f"gifts/{wells.id}", "offline_received", 5000)
    assert (holds(office, f"gifts/{wells.id}"), holds(office, f"gifts/{roof.id}")) == (0, 5000)
    assert (holds(office, "gifts"), holds(office, "offline_received")) == (0, 5000)

    office.books.sequence()
    taken_back = decode(office.books.leaves()[1])
    assert (taken_back.reason, [line.debit for line in taken_back.transfers]) == (
        "wrong_fund",
        [f"{office.organization_id}/gifts/{wells.id}"],
    )


def test_a_thing_for_a_fund_is_in_no_sum_of_money(office: Office) -> None:
    fund = made(office.database, office.organization_id)
    thing = office.record(
        method=OfflineMethod.IN_KIND, description="A pump", options=GiftOptions(fund_id=fund.id)
    )
    assert (holds(office, f"gifts_in_kind/{fund.id}"), holds(office, f"gifts/{fund.id}")) == (5000, 0)

    office.reverse(thing, ReversalReason.GIVEN_BACK)
    assert (holds(office, f"gifts_in_kind/{fund.id}"), holds(office, "in_kind")) == (0, 0)


@pytest.mark.parametrize("which", ["unknown", "anothers", "closed_before"])
def test_what_is_no_fund_for_it_is_refused_and_nothing_is_booked(which: str, office: Office) -> None:
    with office.database.transaction() as session:
        other = organizations.create(session, name="Other", slug="other", country="US", now=NOW)
    chosen = {
        "unknown": "fund_" + "0" * 26,
        "anothers": made(office.database, other.id).id,
        "closed_before": (fund := made(office.database, office.organization_id)).id,
    }
    with office.database.transaction() as session:
        organizations.close_fund(
            session, organization_id=office.organization_id, fund_id=fund.id, now=NOW - timedelta(days=2)
        )

    with pytest.raises(FundNotAcceptable) as refused:
        office.record(options=GiftOptions(fund_id=chosen[which]), received_on=DAY)
    assert refused.value.param == "fund_id"
    assert office.entries() == []


def test_a_fund_takes_what_came_while_it_was_open_however_late_that_is_recorded(office: Office) -> None:
    fund = made(office.database, office.organization_id)
    closed(office.database, fund)

    office.record(options=GiftOptions(fund_id=fund.id), received_on=DAY)
    assert holds(office, f"gifts/{fund.id}") == 5000


# ---- what else a gift says ---------------------------------------------------------------------------------------


def everything(office: Office, **changes: Any) -> dict[str, Any]:
    fund = made(office.database, office.organization_id)
    options = GiftOptions(fund_id=fund.id, anonymity=Anonymity.NONE, dedication=GRACE)
    return {
        "options": options,
        "message": "for the river\nwith thanks",
        "for_receipt": receipts.DonorFacts(company=COMPANY),
        **changes,
    }


def test_receipt_list_and_proof_say_what_was_said(office: Office) -> None:
    office.settle_in(receipts.Jurisdiction.US)
    office.record(**everything(office))
    office.publish_and_send()

    (sent,) = office.mailer.sent
    for said in ("Wells", "Grace Hopper", COMPANY.name, COMPANY.tax_id):
        assert said in sent.text
    opened = verify_receipt(decode_receipt(sent.attachments[0].content), [office.books.verifier]).opened
    assert (opened["company_name"], opened["donor_name"]) == (COMPANY.name, "Ada Lovelace")
    listed = donations.gifts_of(office.database, organization_id=office.organization_id, first=DAY, last=DAY)
    (row,) = csv.DictReader(io.StringIO(donations.as_csv(listed), newline=""))
    assert (row["fund"], row["method"], row["company"]) == ("Wells", "cheque", COMPANY.name)
    assert (row["dedication"], row["honouree"]) == ("in_memory_of", "Grace Hopper")
    assert (row["message"], row["may_be_named"]) == ("for the river\nwith thanks", "yes")


def test_the_log_names_the_fund_and_nobody(office: Office) -> None:
    office.record(**everything(office))
    office.books.sequence()

    (leaf,) = office.books.leaves()
    for name in (b"Grace", b"Ann", b"Ada", b"ngstr", b"river", b"ada@", b"ann@"):
        assert name not in leaf
    assert b"/gifts/fund_" in leaf


def test_somebody_is_told_once_and_never_how_much(office: Office) -> None:
    office.record(options=GiftOptions(dedication=GRACE))

    assert (tell(office), tell(office)) == (1, 0)
    (letter,) = office.mailer.sent
    assert (letter.to, letter.subject) == ("ann@example.org", "A gift in memory of Grace Hopper")
    assert "50" not in letter.text


def test_nobody_is_told_of_what_was_taken_back(office: Office) -> None:
    office.reverse(office.record(options=GiftOptions(dedication=GRACE)))

    assert tell(office) == 0
    assert office.mailer.sent == []


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"message": "x" * 2001}, "message"),
        ({"message": "a\x1b[2Jb"}, "message"),
        ({"options": GiftOptions(dedication=replace(GRACE, honouree=" "))}, "honouree"),
        (
            {"options": GiftOptions(dedication=replace(GRACE, honouree="see https://evil.example"))},
            "honouree",
        ),
        (
            {
                "options": GiftOptions(
                    dedication=replace(
                        GRACE, notify=Recipient(name="www.evil.example", email="a@example.org")
                    )
                )
            },
            "notify",
        ),
        ({"for_receipt": receipts.DonorFacts(company=Company(name=""))}, "company"),
        ({"for_receipt": receipts.DonorFacts(company=Company(name="A", tax_id="x" * 41))}, "company_tax_id"),
    ],
)
def test_what_donors_cannot_say_staff_cannot_either(
    office: Office, changes: dict[str, Any], param: str
) -> None:
    with pytest.raises(OfflineGiftNotAcceptable) as refused:
        office.record(**changes)
    assert refused.value.param == param
    assert office.entries() == []


def test_who_received_a_gift_knows_who_gave(office: Office) -> None:
    with pytest.raises(GiftOptionsNotAcceptable, match="record it as 'public'"):
        office.record(options=GiftOptions(anonymity=Anonymity.ORGANIZATION))


def test_a_company_claims_no_gift_aid_on_paper_either(office: Office) -> None:
    declared = receipts.GiftAidDeclaration(
        title="Ms",
        first_name="Ada",
        last_name="Lovelace",
        house="1",
        postcode="SW1A 1AA",
        declared_at=datetime(2026, 11, 1, tzinfo=UTC),
    )
    with pytest.raises(GiftOptionsNotAcceptable, match="Gift Aid is for people"):
        office.record(for_receipt=receipts.DonorFacts(company=COMPANY, gift_aid=declared))


def test_an_erased_donors_gift_still_comes_out_of_its_fund(office: Office) -> None:
    said = everything(office)
    donation_id = office.record(**said)
    office.books.sequence()
    donations.erase_donor(
        office.database, office.books.secrets, email_sha256=None, donation_id=donation_id, now=NOW
    )
    with office.database.transaction() as session:
        renamed = session.connection().exec_driver_sql("SELECT id FROM donation").scalar_one()
        dedications = session.connection().exec_driver_sql("SELECT count(*) FROM dedication").scalar_one()

    assert office.reverse(renamed)
    assert (holds(office, f"gifts/{said['options'].fund_id}"), dedications) == (0, 0)


# ---- typed -------------------------------------------------------------------------------------------------------


def test_the_command_takes_all_of_it(command: tuple[Office, CliRunner]) -> None:  # noqa: F811 -- the fixture
    office, runner = command
    fund = made(office.database, office.organization_id)
    received = system_clock().date() - timedelta(days=30)
    words = (
        f"donation offline record --organization {office.organization_id} --method cash --amount 20.00 --currency EUR "
        f"--received {received} --fund {fund.id} --anonymity none --from -"
    ).split()
    plain = {"reference": "slip-9", "donor": {"name": "Ada", "email": "ada@example.org"}}
    grace = {"kind": "in_honour_of", "honouree": "Grace"}
    said = {
        **plain,
        "company": {"name": "Acme", "tax_id": "12"},
        "dedication": {**grace, "notify": {"name": "Ann", "email": "ann@example.org"}},
        "message": "thanks",
    }

    def refused(content: str, *more: str) -> str:
        done = runner.invoke(main, [*words, *more], input=content)
        assert done.exit_code == 2, done.output
        assert "Ada" not in done.output, "what is printed stands in a log"
        return " ".join(done.output.split())

    done = runner.invoke(main, words, input=json.dumps(said), catch_exceptions=False)
    donation_id = json.loads(done.stdout.splitlines()[-1])["id"]
    assert office.entries() == [("donation.offline", "offline_received", f"gifts/{fund.id}", 2000)]
    with office.database.transaction() as session:
        told, _ = receipts.told_of(session, donation_id=donation_id)
        dedication = donations.dedication_of(session, donation_id=donation_id)
    assert told.company == Company(name="Acme", tax_id="12")
    assert dedication == Dedication(kind=DedicationKind.IN_HONOUR_OF, honouree="Grace")

    changes: dict[str, tuple[str, object]] = {
        "donor.email": ("donor", {"name": "Ada", "email": "Ada"}),
        "donor.address.city": ("donor", {"name": "Ada", "address": {"lines": ["Ada"], "country": "GB"}}),
        "dedication.notify.email": ("dedication", {**grace, "notify": {"name": "Ada"}}),
        "company.name": ("company", {"tax_id": "Ada"}),
        "honoree": ("honoree", "Ada"),
    }
    for where, (name, value) in changes.items():
        assert f"Correct `{where}` in the file" in refused(json.dumps({**plain, name: value}))
    assert "no JSON object" in refused("Ada")
    assert "more than 65536 bytes" in refused("Ada" * 30_000)
    assert "one of them" in refused("", "--uploaded", "gift-1.json")
    assert "'organization' is not one of" in refused("", "--anonymity", "organization")


def test_a_statement_of_the_funds_account_is_the_funds_history(office: Office) -> None:
    """As for gifts by card: who adds the account up from the log has the fund's balance."""
    fund = made(office.database, office.organization_id)
    options = GiftOptions(fund_id=fund.id)
    first = office.record(options=options)
    office.record(options=options, reference="2", amount=Money(minor_units=700, currency="USD"))
    office.reverse(first, ReversalReason.BOUNCED)
    office.books.sequence()

    account = f"{office.organization_id}/gifts/{fund.id}"
    added_up = sum(
        (line.credit == account) * line.amount_minor - (line.debit == account) * line.amount_minor
        for leaf in office.books.leaves()
        for line in decode(leaf).transfers
    )
    with office.database.transaction() as session:
        kept = ledger.balance_after(session, account=account, currency="USD", size=3)
    assert added_up == kept.minor_units == 700
