"""Organisations that grow out of the tier they were verified for: who is told, when, and that gifts go on."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from amply.infra.vault.organization_keys import hold_key_of
from amply.kernel.money import Money
from amply.modules import applications
from amply.modules.applications import ReviewAction, Tier
from amply.modules.applications.domain import ApplicationIncomplete
from amply.modules.applications.tier_growth import Growth, growth_of
from tests.backend.application_world import Applicant, applying_work
from tests.backend.conftest import Databases
from tests.backend.member_world import House


@pytest.fixture
def ada(house: House, databases: Databases) -> Applicant:
    """Verified, for the lowest tier."""
    made = Applicant(house)
    organization_id = made.apply()
    operator = databases.as_role("amply_operator")
    hold_key_of(operator, organization_id)
    with operator.transaction() as session:
        applications.by_staff(
            session, organization_id=organization_id, move=ReviewAction.REVIEW, reason=None, now=house.clock()
        )
        applications.verify(session, organization_id=organization_id, slug=None, now=house.clock())
    operator.close()
    applications.write_letters(applying_work(house.database), now=house.clock())
    return made


def received(
    house: House, organization_id: str, minor_units: int, *, days_ago: int = 1, currency: str = "EUR"
) -> None:
    """As if gifts of a day had been published and folded."""
    house.run(
        """
        INSERT INTO ledger_day (org, day, kind, currency, entries, amount_minor, first_seq, last_seq)
        VALUES (:org, :day, 'donation.succeeded', :currency, 1, :amount, 0, 0)
        """,
        org=organization_id,
        day=(house.clock() - timedelta(days=days_ago)).date(),
        currency=currency,
        amount=minor_units,
    )


def letters(house: House) -> list[str]:
    work = applying_work(house.database, mailer=house.mailer)
    applications.watch(work, now=house.clock())
    applications.tell(work, now=house.clock())
    sent, house.mailer.sent = house.mailer.sent, []
    return [letter.text for letter in sent]


@pytest.mark.parametrize(
    ("minor_units", "currency", "tier", "growth"),
    [
        (3_999_999, "EUR", Tier.STANDARD, None),
        (4_000_000, "EUR", Tier.STANDARD, Growth.NEARING),
        (5_000_000, "EUR", Tier.STANDARD, Growth.NEARING),
        (5_000_001, "EUR", Tier.STANDARD, Growth.PASSED),
        (50_001, "JPY", Tier.STANDARD, Growth.PASSED),
        (5_000_001, "EUR", Tier.ENHANCED, None),
        (900_000_000_000, "EUR", Tier.COMPREHENSIVE, None),
    ],
)
def test_a_tier_ends_where_the_table_says(
    minor_units: int, currency: str, tier: Tier, growth: Growth | None
) -> None:
    assert growth_of(Money(minor_units=minor_units, currency=currency), tier=tier) is growth


def test_whoever_grows_is_told_well_before_and_once(ada: Applicant, house: House) -> None:
    received(house, ada.organization_id, 3_900_000)
    received(house, ada.organization_id, 9_000_000, days_ago=400)
    assert letters(house) == [], "neither enough, nor of this year"
    received(house, ada.organization_id, 200_000, days_ago=2)
    [letter] = letters(house)
    assert "applications.letter_owed" in house.rows("SELECT topic FROM outbox ORDER BY id DESC LIMIT 1")[0]
    assert "41,000.00 EUR" in letter
    assert "50,000.00 EUR" in letter
    assert letters(house) == [], "once"
    received(house, ada.organization_id, 1_000_000, days_ago=3)
    [letter] = letters(house)
    assert "two months" in letter


def test_currencies_are_not_added_up(ada: Applicant, house: House) -> None:
    received(house, ada.organization_id, 3_000_000)
    received(house, ada.organization_id, 3_000_000, currency="USD")
    assert letters(house) == []


def test_those_whom_staff_made_have_no_tier_to_grow_out_of(house: House) -> None:
    received(house, house.organization_id, 900_000_000)
    assert letters(house) == []


def test_nothing_stops_and_staff_are_rung_for_after_two_months(
    ada: Applicant, house: House, databases: Databases
) -> None:
    received(house, ada.organization_id, 6_000_000)
    letters(house)
    operator = databases.as_role("amply_operator")

    def seen() -> tuple[list[bool], int]:
        with operator.transaction() as session:
            listed = applications.outgrowing(session, now=house.clock())
            return [each.is_overdue for each in listed], applications.count_overdue(
                session, now=house.clock()
            )

    assert seen() == ([False], 0)
    house.clock.advance(seconds=61 * 86_400)
    assert seen() == ([True], 1)
    state = house.client.get(f"/v1/public/organisations/{ada.organization_id}").json()["state"]
    assert state == "verified"

    with pytest.raises(ApplicationIncomplete, match="'statutes'"), operator.transaction() as session:
        applications.verify_for(session, organization_id=ada.organization_id, tier=Tier.ENHANCED)
    for kind in ("statutes", "representative"):
        assert ada.upload(kind).is_success, "a verified one adds documents"
    with operator.transaction() as session:
        applications.verify_for(session, organization_id=ada.organization_id, tier=Tier.ENHANCED)
    assert seen() == ([], 0)
    assert ada.ask("GET", "/application").json()["tier"] == "enhanced"
    operator.close()


def test_what_was_noticed_stays_if_the_sums_are_read_again(ada: Applicant, house: House) -> None:
    received(house, ada.organization_id, 6_000_000)
    assert len(letters(house)) == 1
    with house.master.transaction() as session:
        session.execute(text("UPDATE ledger_day SET amount_minor = 7000000"))
    assert letters(house) == []
