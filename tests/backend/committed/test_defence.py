"""The gate before gifts, over a real database and HTTP: challenges, refusals, declines, attacks, and what is kept."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis
from click.testing import CliRunner

from amply.entrypoints import backlog
from amply.entrypoints.admin import main
from amply.infra.counters import FallingBack, Hit, HitCount
from amply.infra.database import Database
from amply.modules import defence
from tests.backend.api_world import assert_problem
from tests.backend.conftest import Databases
from tests.backend.defended_form import STRANGER, Form
from tests.backend.world import ready_organization


@pytest.fixture
def form(database: Database, databases: Databases) -> Iterator[Form]:
    own = databases.as_role("amply_api")
    made = Form(own, operator=database)
    with made.client:
        yield made
    own.close()


def test_the_eleventh_gift_of_a_minute_from_one_address_is_challenged_and_then_taken(form: Form) -> None:
    assert {form.open().status_code for _ in range(10)} == {201}

    challenged = form.open()
    assert_problem(challenged, status=403, code="challenge_required")
    posed = challenged.json()["challenge"]
    assert (posed["kind"], posed["puzzles"]) == ("proof-of-work-1", 16)

    form.keys -= 1  # the same gift again
    solution = defence.solve(posed)
    solved = form.open(solution=solution)
    assert solved.status_code == 201
    form.keys -= 1
    again = form.open(solution=solution)
    assert again.json()["id"] == solved.json()["id"], "the answer that was lost on its way"
    another = form.open(solution=solution)
    assert_problem(another, status=403, code="challenge_required")
    assert another.json()["challenge"]["token"] != posed["token"]


def test_the_sixty_first_gift_of_a_minute_from_one_address_is_refused_whatever_it_has_solved(
    form: Form,
) -> None:
    for _ in range(59):
        form.open()
    last = form.open()
    form.keys -= 1

    refused = form.open(solution=defence.solve(last.json()["challenge"]))
    assert_problem(refused, status=429, code="rate_limit_exceeded")
    assert refused.headers["retry-after"] == "60"
    assert form.open(address="198.51.101.7").status_code == 201, "another network"
    form.clock.advance(minutes=2)
    assert_problem(form.open(), status=403, code="challenge_required")


def test_the_address_is_the_one_our_gateway_saw(form: Form) -> None:
    for number in range(10):
        form.open(headers={"X-Forwarded-For": f"6.6.6.{number}"})

    assert_problem(form.open(headers={"X-Forwarded-For": "6.6.6.66"}), status=403, code="challenge_required")


def test_whose_cards_are_declined_is_challenged_and_in_the_end_refused_in_the_same_words(
    form: Form,
) -> None:
    opened = [form.open().json()["id"] for _ in range(9)]
    for number in range(3):
        form.decline(opened[number], card=f"card-{number}")
    by_declines = form.open()
    assert_problem(by_declines, status=403, code="challenge_required")

    for number in range(8):
        form.decline(opened[number], card=f"card-{number}b")
    refused = form.open()
    assert_problem(refused, status=429, code="rate_limit_exceeded")

    for _ in range(70):
        form.open(address="198.51.120.1")
    often = form.open(address="198.51.120.1")
    told = [{**each.json(), "request_id": ""} for each in (refused, often)]
    assert told[0] == told[1], "nobody learns which rule it was"


def test_many_declines_behind_one_mail_domain_challenge_whoever_gives_from_there(form: Form) -> None:
    """Addresses are made up, places and browsers changed; the domain is what a tester has one of."""

    def give(number: int, domain: str) -> Any:
        headers = {"User-Agent": f"browser {number}"}
        return form.open(address=f"203.{number}.113.7", domain=domain, headers=headers)

    for number in range(21):
        assert give(number, "Made-up.example").status_code == 201
        opened = max(form.rows("opened_gift"), key=lambda row: row.opened_at).donation_id
        form.decline(opened, card=f"card-{number % 5}")
        form.clock.advance(seconds=1)

    assert_problem(give(30, "made-up.example"), status=403, code="challenge_required")
    assert give(31, "example.org").status_code == 201
    form.clock.advance(minutes=10)
    assert give(32, "made-up.example").status_code == 201


def test_a_decline_is_counted_once_however_often_it_is_told(form: Form) -> None:
    opened = form.open().json()["id"]
    for _ in range(3):
        form.decline(opened, card="card-1", charge="ch_1")

    assert len(form.rows("decline")) == 1


def test_an_organisation_under_attack_challenges_everybody_and_is_told_of_until_it_is_over(
    form: Form,
) -> None:
    form.attack()
    measured = backlog.measure(form.operator, now=form.clock())
    assert measured.attacked_organizations == 1

    donor = form.open(address="81.2.69.142")
    assert_problem(donor, status=403, code="challenge_required")
    form.keys -= 1
    solution = defence.solve(donor.json()["challenge"])
    taken = form.open(address="81.2.69.142", solution=solution)
    assert taken.status_code == 201

    form.clock.advance(minutes=31)
    assert backlog.measure(form.operator, now=form.clock()).attacked_organizations == 0
    assert form.open(address="81.2.69.142").status_code == 201


def shared(
    form: Form,
    first: str,
    second: str,
    headers: dict[str, str] | None = None,
    *,
    amounts: tuple[int, int] = (600, 600),
    email: str = "ada@example.org",
) -> Any:
    """A gift to two organisations, always in the same words."""
    return form.client.post(
        "/v1/split-gifts",
        json={
            "total": {"minor_units": str(sum(amounts)), "currency": "EUR"},
            "parts": [
                {"organization_id": each, "minor_units": str(amount)}
                for each, amount in zip((first, second), amounts, strict=True)
            ],
            "donor": {"name": "Ada", "email": email},
        },
        headers={"Idempotency-Key": "shared", "X-Amply-Client": "81.2.69.142", **(headers or {})},
    )


def test_a_gift_to_several_passes_the_gate_once_and_each_part_is_remembered(form: Form) -> None:
    other = ready_organization(form.operator, form.processor, slug="other-trust")
    gift = shared(form, other, form.organization_id).json()

    assert {row.donation_id for row in form.rows("opened_gift")} == {
        part["donation_id"] for part in gift["parts"]
    }
    for number, part in enumerate((*gift["parts"], gift["parts"][0])):
        form.decline(part["donation_id"], card=f"card-{number}")
    assert_problem(form.open(address="81.2.69.142"), status=403, code="challenge_required")


def test_another_card_for_a_gift_to_several_passes_the_gate_as_a_gift_does(form: Form) -> None:
    other = ready_organization(form.operator, form.processor, slug="other-trust")
    gift = shared(form, other, form.organization_id).json()
    where = {"X-Amply-Client": "81.2.69.142"}
    form.attack()

    url = f"/v1/split-gifts/{gift['id']}/setups"
    challenged = form.client.post(url, headers=where)
    assert_problem(challenged, status=403, code="challenge_required")
    solution = defence.solve(challenged.json()["challenge"])
    told = {**where, "Amply-Challenge": solution}
    assert form.client.post(url, headers=told).status_code == 201
    assert_problem(form.client.post(url, headers=told), status=403, code="challenge_required")


def test_cards_that_setups_do_not_take_bring_attack_mode_and_are_told_of_whoever_entered_them(
    form: Form,
) -> None:
    other = ready_organization(form.operator, form.processor, slug="other-trust")
    setups = []
    for number in range(7):
        told = {"Idempotency-Key": f"shared-{number}", "X-Amply-Client": f"203.{number}.113.7"}
        gift = shared(form, other, form.organization_id, told, email=f"ada-{number}@example.org").json()
        setups.append(gift["setup"]["client_secret"].partition("_secret_")[0])
        for card in "abc":
            form.decline_setup(setups[number], f"{number}{card}")

    assert backlog.measure(form.operator, now=form.clock()).attacked_organizations == 2
    refused = form.open(address="203.0.113.7")
    assert_problem(refused, status=403, code="challenge_required")
    form.decline_setup(setups[6], "last")
    assert_problem(form.open(address="203.6.113.7"), status=429, code="rate_limit_exceeded")


def test_an_attacked_organisation_is_not_reached_behind_another_one(form: Form) -> None:
    other = ready_organization(form.operator, form.processor, slug="other-trust")
    form.attack()
    gifts = len(form.rows("donation"))

    challenged = shared(form, other, form.organization_id)
    assert_problem(challenged, status=403, code="challenge_required")
    assert len(form.rows("donation")) == gifts
    solution = defence.solve(challenged.json()["challenge"])
    taken = shared(form, other, form.organization_id, {"Amply-Challenge": solution})
    assert taken.status_code == 201, taken.text


def test_a_small_part_is_small_whatever_the_whole_comes_to(form: Form) -> None:
    other = ready_organization(form.operator, form.processor, slug="other-trust")
    for number in range(9):
        opened = form.open(address=f"198.{number}.1.1", minor_units=500).json()["id"]
        form.decline(opened, card=f"card-{number}")

    large = shared(form, other, form.organization_id, amounts=(500, 501))
    assert large.status_code == 201, "small where nothing small was declined"
    hidden = shared(form, other, form.organization_id, {"Idempotency-Key": "hidden"}, amounts=(5000, 500))
    assert_problem(hidden, status=403, code="challenge_required")
    kept = {row.donation_id: row.is_small for row in form.rows("opened_gift")}
    assert [kept[part["donation_id"]] for part in large.json()["parts"]] == [True, False]


def test_under_attack_the_second_card_ends_a_payment(form: Form) -> None:
    form.attack()
    form.close()
    ended = len(form.processor.canceled)
    donor = form.open(address="81.2.69.142")
    form.keys -= 1
    solution = defence.solve(donor.json()["challenge"])
    opened = form.open(address="81.2.69.142", solution=solution).json()["id"]

    form.decline(opened, card="mine")
    assert form.close() == 0
    form.decline(opened, card="mine-too")
    assert form.close() == 1
    assert len(form.processor.canceled) == ended + 1


def test_small_gifts_are_challenged_where_small_gifts_were_declined(form: Form) -> None:
    for number in range(9):
        small = form.open(address=f"198.51.{number}.1", minor_units=100).json()["id"]
        form.decline(small, card=f"card-{number}")

    assert_problem(form.open(address="81.2.69.142", minor_units=500), status=403, code="challenge_required")
    assert form.open(address="81.2.69.142", minor_units=2500).status_code == 201


class Away:
    """A cache that does not answer."""

    def count(self, hits: list[Hit], *, now: Any) -> HitCount:
        raise redis.ConnectionError


def test_without_the_cache_gifts_are_taken_and_limits_are_stricter(form: Form) -> None:
    form.app.state.gate = defence.gate(form.operator, FallingBack(Away()))  # type: ignore[arg-type] # a list is a sequence

    assert [form.open().status_code for _ in range(3)] == [201, 201, 403]


def test_no_address_browser_or_card_is_kept_and_after_two_days_not_even_marks(form: Form) -> None:
    agent = "Mozilla/5.0 (Remarkable)"
    opened = form.open(headers={"User-Agent": agent}).json()["id"]
    form.decline(opened, card="fingerprint-1", charge="ch_told")

    kept = json.dumps(
        [[str(value) for value in row] for table in ("opened_gift", "decline") for row in form.rows(table)]
    )
    for said in (STRANGER, agent, "fingerprint-1", "ch_told", "ada-1@example.org"):
        assert said not in kept

    form.clock.advance(days=3)
    with form.operator.transaction() as session:
        defence.forget(session, now=form.clock())
    assert [form.rows(table) for table in ("opened_gift", "decline", "daily_key")] == [[], [], []]


def test_marks_cannot_be_made_again_once_the_key_is_gone(form: Form) -> None:
    keys = defence.DailyKeys(form.operator)
    day = form.clock().date()
    before = keys.of(day)
    assert keys.of(day) == before == defence.DailyKeys(form.operator).of(day), "one for all processes"

    with form.operator.transaction() as session:
        defence.forget(session, now=form.clock() + timedelta(days=3))
    assert defence.DailyKeys(form.operator).of(day) != before


def test_operators_see_who_is_under_attack(
    form: Form, databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    databases.sign_commands_in(monkeypatch, user="amply_operator")
    monkeypatch.setattr("amply.entrypoints.admin_commands.system_clock", form.clock)
    form.attack()

    (line,) = CliRunner().invoke(main, ["organization", "attacks"]).output.splitlines()
    told = json.loads(line)
    assert (told["organization_id"], told["declines"]) == (form.organization_id, 20)
