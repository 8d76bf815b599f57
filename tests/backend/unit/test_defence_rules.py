"""Who is admitted, challenged and refused, and what a challenge costs."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amply.infra.counters import Hit, ProcessCounters
from amply.kernel.money import Money
from amply.modules import defence
from amply.modules.defence.addresses import address_and_network
from amply.modules.defence.domain import (
    BITS,
    BITS_MAX,
    BITS_UNDER_ATTACK,
    DECLINES,
    RULES,
    Evidence,
    Judgement,
    Subject,
    Verdict,
    is_attack,
    is_exhausted,
    judge,
)
from amply.modules.defence.fingerprints import mark, marks_of
from amply.modules.defence.puzzles import LIFETIME, ProofOfWork

NOW = datetime(2026, 11, 21, 23, 55, tzinfo=UTC)
ABOUT = defence.About(organization_id="org_1", idempotency_key="key-1")


def judged(
    *, opened: float = 0, declined: float = 0, alone: bool = False, attack: bool = False, small: bool = False
) -> Judgement:
    evidence = Evidence(
        opened={"address-minute": opened},
        declined={"declined-address": declined, "declined-small": declined},
        is_counted_alone=alone,
        is_under_attack=attack,
    )
    return judge(evidence, is_small=small)


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        ({"opened": 10}, Verdict.ADMIT),
        ({"opened": 11}, Verdict.CHALLENGE),
        ({"opened": 60}, Verdict.CHALLENGE),
        ({"opened": 61}, Verdict.REFUSE),
        ({"declined": 2}, Verdict.ADMIT),
        ({"declined": 3}, Verdict.CHALLENGE),
        ({"declined": 11}, Verdict.REFUSE),
        ({"opened": 2, "alone": True}, Verdict.ADMIT),
        ({"opened": 3, "alone": True}, Verdict.CHALLENGE),
        ({"opened": 16, "alone": True}, Verdict.REFUSE),
        ({"attack": True}, Verdict.CHALLENGE),
        ({"declined": 4, "attack": True}, Verdict.REFUSE),
    ],
)
def test_numbers_decide(given: dict[str, float], verdict: Verdict) -> None:
    assert judged(**given).verdict is verdict  # type: ignore[arg-type] # flags among numbers


def test_small_gifts_are_challenged_where_small_gifts_were_declined() -> None:
    declined = Evidence(
        opened={}, declined={"declined-small": 9}, is_counted_alone=False, is_under_attack=False
    )

    assert judge(declined, is_small=True).verdict is Verdict.CHALLENGE
    assert judge(declined, is_small=False).verdict is Verdict.ADMIT


def test_what_strangers_share_refuses_nobody() -> None:
    shared = {Subject.DEVICE, Subject.ORGANIZATION, Subject.EVERYONE}

    assert all(rule.refuse_above is None for rule in (*RULES, *DECLINES) if rule.subject in shared)


def test_a_challenge_grows_with_what_is_exceeded_up_to_what_a_phone_can_bear() -> None:
    assert judged(opened=11).bits == BITS
    assert judged(opened=41).bits == BITS + 2
    assert judged(attack=True).bits == BITS_UNDER_ATTACK
    many = Evidence(
        opened={"everyone-minute": 1e9}, declined={}, is_counted_alone=False, is_under_attack=False
    )
    assert judge(many, is_small=False).bits == BITS_MAX


def test_an_attack_is_many_cards_declined_where_few_gifts_succeed() -> None:
    assert is_attack(declines=20, cards=10, opened=80)
    assert not is_attack(declines=19, cards=10, opened=20)
    assert not is_attack(declines=20, cards=9, opened=20), "a few donors who try again and again"
    assert not is_attack(declines=20, cards=20, opened=200), "a campaign that everybody gives to"


def test_a_payment_ends_when_many_cards_were_tried() -> None:
    calm = {"declines": 1, "cards": 1, "gifts_of_card": 1, "is_under_attack": False}
    assert not is_exhausted(**{**calm, "declines": 5, "cards": 3})  # type: ignore[arg-type] # a flag among numbers
    assert is_exhausted(**{**calm, "declines": 6})  # type: ignore[arg-type] # the same
    assert is_exhausted(**{**calm, "cards": 4})  # type: ignore[arg-type] # the same
    assert is_exhausted(**{**calm, "gifts_of_card": 4})  # type: ignore[arg-type] # the same
    assert is_exhausted(**{**calm, "declines": 2, "is_under_attack": True})  # type: ignore[arg-type] # the same


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("198.51.100.7", ("198.51.100.7/32", "198.51.100.0/24")),
        ("::ffff:198.51.100.7", ("198.51.100.7/32", "198.51.100.0/24")),
        ("2001:db8:1:2:3::4", ("2001:db8:1:2::/64", "2001:db8:1::/48")),
        ("10.1.2.3", None),
        ("127.0.0.1", None),
        ("::1", None),
        ("testclient", None),
        ("", None),
    ],
)
def test_an_address_stands_for_a_household_and_its_network(text: str, places: tuple[str, str] | None) -> None:
    assert address_and_network(text) == places


def attempt(**changes: str) -> defence.Attempt:
    said = {"address": "198.51.100.7", "device": "Browser", "mail": "ada@example.org", **changes}
    return defence.Attempt(
        client=defence.Client(address=said["address"], device=said["device"]),
        organization_id="org_1",
        mail=said["mail"],
        amount=Money(minor_units=2500, currency="EUR"),
        idempotency_key="key-1",
    )


def test_marks_of_two_days_have_nothing_in_common() -> None:
    one, again, other = (marks_of(key, attempt()) for key in (b"a" * 32, b"a" * 32, b"b" * 32))

    assert one == again
    assert {one.address, one.network, one.device, one.mail}.isdisjoint(
        {other.address, other.network, other.device, other.mail}
    )
    assert mark(b"a" * 32, "mail", "x") != mark(b"a" * 32, "card", "x")


def test_letters_of_an_address_do_not_make_another_donor() -> None:
    key = b"a" * 32
    assert marks_of(key, attempt(mail="ADA@example.org")).mail == marks_of(key, attempt()).mail


def work(key: bytes = b"k" * 32) -> ProofOfWork:
    return ProofOfWork(lambda _day: key)


def test_a_solved_challenge_is_accepted_for_its_gift_alone() -> None:
    solution = defence.solve(work().pose(ABOUT, bits=4, now=NOW))

    assert work().is_solved(ABOUT, solution=solution, now=NOW)
    for other in (
        defence.About(organization_id="org_2", idempotency_key="key-1"),
        defence.About(organization_id="org_1", idempotency_key="key-2"),
    ):
        assert not work().is_solved(other, solution=solution, now=NOW)
    assert not work(b"l" * 32).is_solved(ABOUT, solution=solution, now=NOW), "another day's key"


def test_a_challenge_expires_and_lives_across_midnight() -> None:
    keys = {date(2026, 11, 21): b"1" * 32, date(2026, 11, 22): b"2" * 32}
    nightly = ProofOfWork(keys.__getitem__)
    solution = defence.solve(nightly.pose(ABOUT, bits=1, now=NOW))

    assert nightly.is_solved(ABOUT, solution=solution, now=NOW + timedelta(minutes=6))
    assert not nightly.is_solved(ABOUT, solution=solution, now=NOW + LIFETIME)


def test_a_wrong_answer_is_none() -> None:
    posed = work().pose(ABOUT, bits=12, now=NOW)
    wrong = f"{posed['token']};{','.join(['0'] * 16)}"

    assert not work().is_solved(ABOUT, solution=wrong, now=NOW)


def test_whoever_makes_the_challenge_easier_has_none() -> None:
    posed = dict(work().pose(ABOUT, bits=12, now=NOW))
    version, _, rest = posed["token"].split(".", 2)
    easier = defence.solve({**posed, "token": f"{version}.1.{rest}", "bits": 1})

    assert not work().is_solved(ABOUT, solution=easier, now=NOW)


@given(st.text(max_size=300))
def test_any_text_is_no_solution(text: str) -> None:
    assert not work().is_solved(ABOUT, solution=text, now=NOW)


def test_a_window_slides_and_what_left_it_counts_no_more() -> None:
    counters = ProcessCounters(sees_all=True)
    hit = Hit(name="minute", key="x", window=timedelta(minutes=1))

    def count(seconds: int) -> float:
        return counters.count(
            [hit], now=datetime(2026, 11, 21, 9, tzinfo=UTC) + timedelta(seconds=seconds)
        ).numbers[0]

    assert [count(0), count(30), count(59)] == [1, 2, 3]
    assert count(75) == 1 + 3 * 0.75
    assert count(300) == 1
