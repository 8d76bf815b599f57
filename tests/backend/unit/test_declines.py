"""When a refused gift is tried again, when its donor is asked, and when trying ends."""

from datetime import UTC, datetime, timedelta

import pytest

from amply.modules.payments import Decline
from amply.modules.recurring.declines import DeclineResponse, Following, following, notice_before

OPENED = datetime(2026, 2, 1, 8, tzinfo=UTC)


def after(
    code: str, *, declines: int = 1, kind: str = "card", days: float = 0, advice: str | None = None
) -> Following:
    return following(
        Decline(code=code, advice=advice),
        declines=declines,
        method_kind=kind,
        opened_at=OPENED,
        now=OPENED + timedelta(days=days),
    )


def test_a_card_is_tried_on_the_first_third_fifth_and_seventh_day_and_no_more() -> None:
    steps = [after("insufficient_funds", declines=n, days=day) for n, day in ((1, 0), (2, 1), (3, 3), (4, 5))]
    assert [step.at for step in steps] == [OPENED + timedelta(days=day) for day in (1, 3, 5, 7)]
    assert after("insufficient_funds", declines=5, days=7) == Following(step=DeclineResponse.STOP, at=None)


@pytest.mark.parametrize("code", ["stolen_card", "lost_card", "expired_card", "revocation_of_authorization"])
def test_what_can_never_work_is_not_tried_again(code: str) -> None:
    assert after(code).step is DeclineResponse.STOP


def test_the_card_issuers_advice_is_followed() -> None:
    assert after("generic_decline", advice="do_not_try_again").step is DeclineResponse.STOP
    assert after("generic_decline", advice="try_again_later").step is DeclineResponse.TRY_AGAIN


def test_a_bank_that_wants_its_customer_gets_them_within_the_week() -> None:
    asked = after("authentication_required")
    assert (asked.step, asked.at) == (DeclineResponse.ASK_DONOR, OPENED + timedelta(days=7))
    assert after("authentication_required", declines=2, days=7).step is DeclineResponse.STOP


def test_a_bank_account_is_tried_once_more() -> None:
    assert after("insufficient_funds", kind="sepa_debit").at == OPENED + timedelta(days=5)
    assert after("insufficient_funds", kind="sepa_debit", declines=2, days=6).step is DeclineResponse.STOP
    assert after("debit_not_authorized", kind="sepa_debit").step is DeclineResponse.STOP


def test_after_an_outage_nothing_is_tried_twice_in_a_day() -> None:
    assert after("insufficient_funds", declines=1, days=4).at == OPENED + timedelta(days=5)


@pytest.mark.parametrize(
    ("kind", "months", "days", "days_min"),
    [("sepa_debit", 1, 5, 2), ("bacs_debit", 1, 7, 3), ("card", 12, 7, 0)],
)
def test_donors_are_told_before(kind: str, months: int, days: int, days_min: int) -> None:
    notice = notice_before(method_kind=kind, months=months)
    assert notice is not None
    assert (notice.days, notice.days_min, notice.is_required) == (days, days_min, days_min > 0)


def test_a_monthly_card_needs_no_notice() -> None:
    assert notice_before(method_kind="card", months=1) is None
