"""What a plan's gifts say: each of them says what the first one said, until the donor says otherwise."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from amply.infra.database import Database
from amply.kernel.money import Money
from amply.modules import organizations, receipts, recurring
from amply.modules.donations import (
    Anonymity,
    Dedication,
    DedicationDependencies,
    DedicationKind,
    GiftOptions,
    GiftOptionsNotAcceptable,
    ReceiptDependencies,
    Recipient,
    gift_aid_claim,
    gifts_of,
    send_due_dedications,
    send_due_receipts,
)
from amply.modules.receipts import Company, DonorFacts
from amply.modules.recurring.changes import OptionsChange, change_options
from amply.modules.recurring.domain import PlanNotChangeable
from tests.backend.ledger_world import LedgerWorld
from tests.backend.plan_world import ACCOUNT, ADA, SECRETS, Plans
from tests.backend.unit.receipt_samples import DECLARED, HOME, settings
from tests.backend.world import FakeMailer

COMPANY = Company(name="Ångström & Söhne GmbH", tax_id="DE 123/456")
GRACE = Dedication(
    kind=DedicationKind.IN_MEMORY_OF,
    honouree="Grace Hopper",
    notify=Recipient(name="Ann", email="ann@example.org"),
)


@pytest.fixture
def plans(database: Database) -> Plans:
    return Plans(database, now=datetime(2026, 1, 15, 12, tzinfo=UTC))


def a_fund(plans: Plans, name: str = "Wells") -> str:
    with plans.database.transaction() as session:
        return organizations.create_fund(
            session,
            organization_id=plans.organization_id,
            name=name,
            kind=organizations.FundKind.FUND,
            now=plans.clock(),
        ).id


def closes(plans: Plans, fund_id: str) -> None:
    with plans.database.transaction() as session:
        organizations.close_fund(
            session, organization_id=plans.organization_id, fund_id=fund_id, now=plans.clock()
        )


def takes_anonymous_gifts(plans: Plans, *, takes: bool) -> None:
    with plans.database.transaction() as session:
        organizations.take_anonymous_gifts(session, organization_id=plans.organization_id, takes=takes)


def says(plans: Plans, **change: Any) -> recurring.Plan:
    plan_id = plans.plan.id
    with plans.database.transaction() as session:
        return change_options(
            session,
            plan_id=plan_id,
            email_sha256=ADA,
            change=OptionsChange(changes=frozenset(change), **change),
            now=plans.clock(),
        )


def cancels_gift_aid(plans: Plans) -> recurring.Plan:
    plan_id = plans.plan.id
    with plans.database.transaction() as session:
        return recurring.cancel_gift_aid(session, plan_id=plan_id, email_sha256=ADA, now=plans.clock())


def told(plans: Plans) -> list[DonorFacts]:
    """What was told of each gift, the oldest first."""
    charges = plans.rows("plan_charge")
    with plans.database.transaction() as session:
        return [receipts.told_of(session, donation_id=charge.donation_id)[0] for charge in charges]


# ---- every gift says it ------------------------------------------------------------------------------------------


def test_every_gift_of_a_plan_says_what_the_first_one_said(plans: Plans) -> None:
    fund_id = a_fund(plans)
    plans.begin(
        for_receipt=DonorFacts(address=HOME, company=COMPANY, language=receipts.Language.DE),
        options=GiftOptions(fund_id=fund_id, anonymity=Anonymity.NONE, dedication=GRACE),
    )
    plans.on(2026, 2, 15)
    plans.on(2026, 3, 15)

    gifts = plans.rows("donation")
    assert {(gift.fund_id, gift.anonymity, gift.message) for gift in gifts} == {
        (fund_id, "none", "for the river")
    }
    assert told(plans) == [DonorFacts(address=HOME, company=COMPANY, language=receipts.Language.DE)] * 3
    accounts = {row.code for row in plans.rows("account")}
    assert f"gifts/{fund_id}" in accounts
    assert "gifts" not in accounts, "nothing was booked without its fund"
    listed = gifts_of(
        plans.database,
        organization_id=plans.organization_id,
        first=date(2026, 1, 1),
        last=date(2026, 12, 31),
    )
    assert {(gift.fund, gift.company, gift.may_be_named, gift.honouree) for gift in listed} == {
        ("Wells", COMPANY.name, "yes", "Grace Hopper")
    }
    assert len(listed) == 3


def test_somebody_is_told_of_a_dedicated_plan_once(plans: Plans) -> None:
    plans.begin(options=GiftOptions(dedication=GRACE))
    plans.on(2026, 2, 15)
    mailer = FakeMailer()
    for _ in range(3):
        send_due_dedications(
            DedicationDependencies(database=plans.database, mailer=mailer), now=plans.clock()
        )
    assert [letter.to for letter in mailer.sent] == ["ann@example.org"]
    assert [(row.honouree, row.recipient_sha256 is not None) for row in plans.rows("dedication")] == [
        ("Grace Hopper", True),
        ("Grace Hopper", False),
    ], "each receipt says for whom, and one letter does"


def test_what_the_organisation_does_not_take_begins_no_plan(plans: Plans) -> None:
    with pytest.raises(GiftOptionsNotAcceptable):
        plans.start(options=GiftOptions(anonymity=Anonymity.ORGANIZATION))
    fund_id = a_fund(plans)
    closes(plans, fund_id)
    with pytest.raises(organizations.FundNotAcceptable):
        plans.start(options=GiftOptions(fund_id=fund_id))
    assert plans.rows("plan") == []


# ---- what changes ------------------------------------------------------------------------------------------------


def test_a_donor_says_something_else_of_gifts_to_come(plans: Plans) -> None:
    plans.begin()
    fund_id = a_fund(plans)
    says(plans, fund_id=fund_id, message=None)
    says(plans, anonymity=Anonymity.NONE)
    plans.on(2026, 2, 15)
    first, second = plans.rows("donation")
    assert (first.fund_id, first.anonymity, first.message) == (None, "public", "for the river")
    assert (second.fund_id, second.anonymity, second.message) == (fund_id, "none", None)


def test_a_fund_that_was_closed_pauses_the_plan_until_its_donor_chooses(plans: Plans) -> None:
    fund_id = a_fund(plans)
    plan_id = plans.begin(options=GiftOptions(fund_id=fund_id))
    closes(plans, fund_id)
    plans.on(2026, 2, 15)
    assert (plans.plan.status, plans.plan.reason) == ("paused", "conditions")
    assert plans.subjects() == ["Your gifts to River Trust need a word from you"]
    assert plans.states() == [(0, "paid")], "nothing is collected for anything else than it was given for"

    with pytest.raises(organizations.FundNotAcceptable), plans.database.transaction() as session:
        recurring.resume(session, plan_id=plan_id, email_sha256=ADA, now=plans.clock())
    assert says(plans, fund_id=None).status == "active"
    plans.on(2026, 3, 15)
    assert plans.rows("donation")[-1].fund_id is None
    assert plans.states() == [(0, "paid"), (2, "paid")]


def test_an_account_is_not_announced_to_be_debited_for_a_fund_that_was_closed(plans: Plans) -> None:
    fund_id = a_fund(plans)
    plans.saved.method = ACCOUNT
    plans.begin(options=GiftOptions(fund_id=fund_id))
    closes(plans, fund_id)
    plans.on(2026, 2, 11)
    assert plans.subjects() == ["Your gifts to River Trust need a word from you"]


def test_an_organisation_that_has_to_know_its_donors_now_is_not_told_of_one(plans: Plans) -> None:
    takes_anonymous_gifts(plans, takes=True)
    plans.begin(options=GiftOptions(anonymity=Anonymity.ORGANIZATION))
    plans.on(2026, 2, 15)
    takes_anonymous_gifts(plans, takes=False)
    plans.on(2026, 3, 15)
    assert (plans.plan.status, plans.plan.reason) == ("paused", "conditions")
    assert [gift.anonymity for gift in plans.rows("donation")] == ["organization"] * 2
    assert says(plans, anonymity=Anonymity.PUBLIC).status == "active"


def test_a_plan_that_its_donor_paused_stays_paused_whatever_it_says(plans: Plans) -> None:
    plan_id = plans.begin()
    with plans.database.transaction() as session:
        recurring.pause(session, plan_id=plan_id, email_sha256=ADA, until=None, now=plans.clock())
    assert says(plans, anonymity=Anonymity.NONE).status == "paused"


# ---- Gift Aid ----------------------------------------------------------------------------------------------------


def test_a_declaration_covers_every_gift_of_the_plan_from_its_day(plans: Plans) -> None:
    plans.begin(for_receipt=DonorFacts(gift_aid=DECLARED))
    plans.on(2026, 2, 15)
    declared = [facts.gift_aid for facts in told(plans)]
    assert [each and each.declared_at for each in declared] == [datetime(2026, 1, 15, 12, tzinfo=UTC)] * 2
    assert {each.last_name for each in declared if each} == {DECLARED.last_name}


def test_a_canceled_declaration_covers_no_gift_that_arrives_afterwards(plans: Plans) -> None:
    plans.begin(for_receipt=DonorFacts(gift_aid=DECLARED, address=HOME))
    assert cancels_gift_aid(plans).gift_aid == "canceled"
    assert cancels_gift_aid(plans).gift_aid == "canceled", "again, nothing changes"
    plans.on(2026, 2, 15)
    first, second = told(plans)
    assert first.gift_aid is not None, "what arrived before stays claimed"
    assert second == DonorFacts(address=HOME)


def test_a_gift_that_was_on_its_way_when_the_declaration_was_canceled_is_not_claimed(plans: Plans) -> None:
    plans.begin(for_receipt=DonorFacts(gift_aid=DECLARED))
    plans.clock.now = datetime(2026, 2, 15, 9, tzinfo=UTC)
    plans.work()
    assert plans.states()[-1] == (1, "waiting")
    cancels_gift_aid(plans)
    plans.hear_of_all()
    first, second = told(plans)
    assert (first.gift_aid is None, second.gift_aid is None) == (False, True)


def test_a_plan_without_a_declaration_has_none_to_cancel(plans: Plans) -> None:
    plans.begin()
    with pytest.raises(PlanNotChangeable, match="No Gift Aid declaration"):
        cancels_gift_aid(plans)


def test_whoever_declares_gift_aid_cannot_stay_unknown(plans: Plans) -> None:
    takes_anonymous_gifts(plans, takes=True)
    plans.begin(for_receipt=DonorFacts(gift_aid=DECLARED))
    with pytest.raises(GiftOptionsNotAcceptable):
        says(plans, anonymity=Anonymity.ORGANIZATION)
    assert plans.plan.anonymity == "public"
    cancels_gift_aid(plans)
    assert says(plans, anonymity=Anonymity.ORGANIZATION).anonymity == "organization"


def test_what_is_claimed_is_what_arrived_while_the_declaration_stood(books: LedgerWorld) -> None:
    plans = Plans(books.app, now=datetime(2026, 10, 15, 12, tzinfo=UTC))
    given = settings(receipts.Jurisdiction.GB, organization_id=plans.organization_id)
    with plans.database.transaction() as session:
        receipts.save_settings(session, settings=given, now=plans.clock())
    plans.begin(amount=Money(minor_units=2500, currency="GBP"), for_receipt=DonorFacts(gift_aid=DECLARED))
    plans.on(2026, 11, 15)
    cancels_gift_aid(plans)
    plans.on(2026, 12, 15)
    books.sequence()
    assert books.publish() is not None
    sending = ReceiptDependencies(
        database=plans.database, mailer=plans.mailer, secrets=SECRETS, ledger_page="https://edge.example/"
    )
    send_due_receipts(sending, now=plans.clock())

    issued = [row.document["statements"] for row in plans.rows("issued_receipt") if row.kind == "official"]
    assert ["on 15 October 2026 that you want this gift, like every" in said[0] for said in issued] == [
        True
    ] * 2
    claimed = gift_aid_claim(
        plans.database,
        organization_id=plans.organization_id,
        first=date(2026, 10, 1),
        last=date(2026, 12, 31),
    )
    assert [(gift.given_on, gift.declaration.last_name) for gift in claimed] == [
        (date(2026, 10, 15), "Lovelace"),
        (date(2026, 11, 15), "Lovelace"),
    ]
