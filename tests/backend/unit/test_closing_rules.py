"""When a form is closed, for how long, and what donors and its organisation read then."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amply.modules.defence import FormClosed
from amply.modules.defence.domain import (
    CLOSED_A_DAY,
    CLOSED_AT_MOST,
    CLOSED_FOR,
    PassedChallenges,
    closed_until,
    is_challenge_beaten,
)
from amply.modules.onboarding.closing_letters import ClosingLetter, closing_mail
from amply.modules.receipts import Language

NOW = datetime(2026, 11, 21, 14, 5, tzinfo=UTC)
BEATEN = PassedChallenges(declines=60, cards=30, networks=20, declined=30, opened=60)
HOUR = timedelta(hours=1)


def test_a_challenge_is_beaten_by_many_cards_from_many_networks_where_few_gifts_succeed() -> None:
    assert is_challenge_beaten(BEATEN)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"declines": 59}, "few declines"),
        ({"cards": 29}, "donors who try the same cards again"),
        ({"networks": 19}, "limits of networks hold"),
        ({"declined": 29}, "more than half of those who come are donors"),
    ],
)
def test_each_number_alone_keeps_a_form_open(change: dict[str, int], why: str) -> None:
    assert not is_challenge_beaten(replace(BEATEN, **change)), why


def test_a_form_is_closed_for_an_hour_from_the_last_evidence_and_three_at_a_stretch() -> None:
    def until(*, after: timedelta) -> datetime | None:
        return closed_until(began_at=NOW, closed_before=timedelta(), now=NOW + after)

    assert until(after=timedelta()) == NOW + CLOSED_FOR
    assert until(after=timedelta(minutes=30)) == NOW + 1.5 * HOUR
    assert until(after=timedelta(hours=2, minutes=30)) == NOW + CLOSED_AT_MOST
    assert until(after=CLOSED_AT_MOST) is None


def test_a_form_that_was_closed_for_six_hours_today_stays_open() -> None:
    assert closed_until(began_at=NOW, closed_before=5.5 * HOUR, now=NOW) == NOW + HOUR / 2
    assert closed_until(began_at=NOW, closed_before=CLOSED_A_DAY, now=NOW) is None


@given(
    closed_before=st.timedeltas(min_value=timedelta(), max_value=timedelta(days=1)),
    after=st.timedeltas(min_value=timedelta(), max_value=timedelta(days=2)),
)
def test_no_evidence_closes_a_form_for_longer_than_that(closed_before: timedelta, after: timedelta) -> None:
    until = closed_until(began_at=NOW, closed_before=closed_before, now=NOW + after)

    if until is not None:
        assert NOW + after < until <= NOW + CLOSED_AT_MOST
        assert until - NOW + closed_before <= CLOSED_A_DAY


def test_donors_read_whose_form_it_is_when_to_come_back_and_what_still_works() -> None:
    closed = FormClosed(["org_1"], opens_at=NOW, is_alone=True)
    assert closed.naming(["River Trust"]).detail == (
        "Somebody tries stolen cards on the form of River Trust, which takes no new gifts until 14:05 UTC: come back then. "
        "Recurring gifts go on, and a payment that was begun can be finished."
    )
    several = FormClosed(["org_2", "org_1"], opens_at=NOW, is_alone=False).naming(["River", "Hill"])
    assert "the forms of River and Hill, which take no new gifts" in several.detail
    assert "or give to the others now" in several.detail
    assert several.members == {
        "closed": {"organization_ids": ["org_1", "org_2"], "opens_at": "2026-11-21T14:05:00.000Z"}
    }


@pytest.mark.parametrize("language", Language)
def test_the_letter_is_written_in_every_language(language: Language) -> None:
    written = closing_mail(
        ClosingLetter(
            to="office@river.example",
            language=language,
            organization="<b>River</b>\r\nTrust",
            country="DE",
            time_zone="Europe/Berlin",
            began_at=NOW,
            until=NOW + HOUR,
            latest=NOW + 3 * HOUR,
            declines=61,
            cards=60,
        )
    )
    for body in (written.text, written.html):
        words = " ".join(body.split())
        assert "{" not in words
        for said in ("61", "60", "15:05 (Europe/Berlin)", "16:05 (Europe/Berlin)", "18:05 (Europe/Berlin)"):
            assert said in words
    assert "<b>" not in written.html
    assert "\n" not in written.subject
    assert f'<html lang="{language}">' in written.html
