from itertools import product

import pytest

from amply.modules.donations.domain import status_of_payment
from amply.modules.payments.domain import PaymentStatus, may_become

S = PaymentStatus


@pytest.mark.parametrize("following", list(S))
def test_success_is_final(following: PaymentStatus) -> None:
    assert not may_become(S.SUCCEEDED, following)


@pytest.mark.parametrize("following", list(S))
def test_cancellation_is_final(following: PaymentStatus) -> None:
    assert not may_become(S.CANCELED, following)


def test_a_declined_card_may_be_followed_by_one_that_works() -> None:
    assert may_become(S.FAILED, S.SUCCEEDED)


@pytest.mark.parametrize("status", list(S))
def test_a_repeated_event_changes_nothing(status: PaymentStatus) -> None:
    assert not may_become(status, status)


@pytest.mark.parametrize(("current", "following"), list(product(S, [S.CREATED, S.PENDING])))
def test_nothing_goes_back_to_before_the_processor_knew(
    current: PaymentStatus, following: PaymentStatus
) -> None:
    assert not may_become(current, following) or current == S.CREATED


def test_every_payment_status_is_a_donation_status() -> None:
    assert {status_of_payment(status) for status in S}
