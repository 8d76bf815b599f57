"""What a gift shows of money that went back, and amounts as people write them."""

import pytest

from amply.kernel.money import Money
from amply.modules.donations.domain import Costs, Donation, DonationStatus, Standing
from amply.modules.payments import DisputeState, RefundStatus, dispute_state
from tests.backend.world import NOW


def gift(
    *,
    status: DonationStatus = DonationStatus.SUCCEEDED,
    refunded: int = 0,
    dispute: DisputeState | None = None,
) -> Donation:
    return Donation(
        id="don_1",
        organization_id="org_1",
        amount=Money(minor_units=2500, currency="EUR"),
        status=status,
        entry_id="ent_1",
        created_at=NOW,
        refunded=Money(minor_units=refunded, currency="EUR"),
        dispute=dispute,
        costs=Costs(fee_cover=Money(minor_units=0, currency="EUR"), method=None, processor_fee=None),
    )


@pytest.mark.parametrize(
    ("refunded", "standing"),
    [
        (0, "succeeded"),
        (1, "partially_refunded"),
        (2499, "partially_refunded"),
        (2500, "refunded"),
        (2600, "refunded"),
    ],
)
def test_a_gift_shows_how_much_of_it_went_back(refunded: int, standing: str) -> None:
    assert gift(refunded=refunded).standing == standing


@pytest.mark.parametrize(
    ("dispute", "standing"), [(DisputeState.OPEN, "disputed"), (DisputeState.LOST, "charged_back")]
)
def test_a_dispute_hides_a_refund(dispute: DisputeState, standing: str) -> None:
    assert gift(refunded=1000, dispute=dispute).standing == standing


@pytest.mark.parametrize("status", [each for each in DonationStatus if each != DonationStatus.SUCCEEDED])
def test_a_gift_that_has_not_arrived_stands_as_its_payment_does(status: DonationStatus) -> None:
    assert gift(status=status).standing.value == status.value


def test_every_status_is_a_standing() -> None:
    assert {each.value for each in DonationStatus} <= {each.value for each in Standing}


@pytest.mark.parametrize(
    ("statuses", "shown"),
    [
        ((), None),
        (("warning_needs_response", "warning_under_review", "warning_closed"), None),
        (("won",), None),
        (("prevented",), None),
        (("needs_response",), DisputeState.OPEN),
        (("under_review",), DisputeState.OPEN),
        (("appeal_needs_response",), DisputeState.OPEN),
        (("lost",), DisputeState.LOST),
        (("won", "lost"), DisputeState.LOST),
        (("lost", "needs_response"), DisputeState.OPEN),
        (("a_word_of_next_year",), DisputeState.OPEN),
    ],
)
def test_what_a_gift_shows_of_its_disputes(statuses: tuple[str, ...], shown: DisputeState | None) -> None:
    assert dispute_state(statuses) == shown


def test_the_words_for_a_refunds_status_are_the_processors() -> None:
    assert {each.value for each in RefundStatus} == {"created", "pending", "succeeded", "failed", "canceled"}


@pytest.mark.parametrize(
    ("written", "minor_units"), [("5", 500), ("5.0", 500), ("5.00", 500), ("0.01", 1), ("12345.6", 1_234_560)]
)
def test_an_amount_is_read_as_people_write_it(written: str, minor_units: int) -> None:
    assert Money.from_decimal(written, currency="EUR") == Money(minor_units=minor_units, currency="EUR")


@pytest.mark.parametrize(
    "written", ["", "0", "0.00", "-5", "5,00", "5.001", ".5", "5.", "1e3", "\u0665", " 5", "5 EUR"]
)
def test_an_amount_that_could_mean_something_else_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Money.from_decimal(written, currency="EUR")


@pytest.mark.parametrize(
    ("written", "currency", "minor_units"),
    [("500", "JPY", 500), ("5.12", "KWD", 5_120), ("5.120", "KWD", 5_120)],
)
def test_an_amount_is_read_in_its_currencys_digits(written: str, currency: str, minor_units: int) -> None:
    assert Money.from_decimal(written, currency=currency) == Money(minor_units=minor_units, currency=currency)


@pytest.mark.parametrize(("written", "currency"), [("5.0", "JPY"), ("5.124", "KWD"), ("5.1200", "KWD")])
def test_digits_that_a_currency_does_not_have_are_refused(written: str, currency: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Money.from_decimal(written, currency=currency)
