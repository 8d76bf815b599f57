"""Test organisations that people make by themselves: what they get, how many, and where alone."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from amply.entrypoints import application
from amply.infra.database import Database
from amply.modules import onboarding
from amply.modules.trials import domain
from tests.backend.conftest import Databases
from tests.backend.member_world import House
from tests.backend.onboarding_world import KEY, PAGE
from tests.backend.world import NOW, FakeMailer

ADA, BOB = "usr_ada", "usr_bob"


@pytest.fixture
def house(database: Database, databases: Databases) -> Iterator[House]:
    made = House(database, databases)
    made.people.addresses |= {ADA: "ada@example.org", BOB: "bob@example.org"}
    with made.client:
        yield made
    made.close()


def tries(house: House, by: str = ADA, **said: Any) -> Any:
    return house.ask("POST", "/v1/me/test-organisations", by=by, json={"name": "Relief of Ada", **said})


def test_somebody_alone_gets_an_organisation_a_key_and_takes_a_gift(house: House) -> None:
    made = tries(house)
    assert made.status_code == 201, made.text
    organization_id, key = made.json()["organization_id"], made.json()["key"]
    assert (key["is_live"], set(key["scopes"])) == (False, {str(scope) for scope in domain.SCOPES})
    own = house.ask("GET", "/v1/me/organisations", by=ADA).json()["data"]
    assert [(each["organization_id"], each["role"]) for each in own] == [(organization_id, "owner")]

    gift = {
        "organization_id": organization_id,
        "amount": {"minor_units": "1500", "currency": "EUR"},
        "donor": {"name": "Grace", "email": "grace@example.org"},
    }
    sent = {"key": key["secret"], "json": gift, "headers": {"Idempotency-Key": "first-gift"}}
    early = house.ask("POST", "/v1/donations", **sent)
    assert early.json()["code"] == "organization_not_ready"
    mailer = FakeMailer()
    work = onboarding.OnboardingTaskDependencies(
        database=house.database, processor=house.processor, mailer=mailer, key=KEY, page=PAGE
    )
    assert onboarding.send_invitations(work, now=house.clock()) == 1
    assert mailer.sent[0].to == "ada@example.org", "whatever Stripe still asks, its owner answers"
    assert house.ask("POST", "/v1/donations", **sent).status_code == 201
    assert house.ask("GET", "/gifts", key=key["secret"], of=organization_id).json()["data"]


def test_what_is_no_name_or_country_is_refused(house: House) -> None:
    assert tries(house, name=" ").status_code == 422
    assert tries(house, country="Germany").status_code == 422
    assert tries(house, country="CU").json()["code"] == "country_not_admitted"
    assert house.rows("SELECT * FROM test_organization") == []


def test_a_person_makes_three_within_a_day(house: House) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: tries(house), range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 201, 201, 409, 409]
    refused = next(answer.json() for answer in answers if answer.status_code == 409)
    assert refused["code"] == "too_many_test_organisations"
    assert str(domain.OF_A_PERSON_A_DAY) in refused["detail"]
    assert tries(house, by=BOB).status_code == 201
    house.clock.advance(days=1)
    assert tries(house).status_code == 201


def test_all_together_make_a_hundred_within_a_day(house: House) -> None:
    house.run(
        """
        INSERT INTO organization (id, slug, name, country, created_at)
        SELECT 'org_' || lpad(n::text, 26, '0'), 'test-' || n, 'Test', 'DE', :now
        FROM generate_series(1, :most) AS n;
        """,
        most=domain.OF_ALL_A_DAY,
        now=NOW,
    )
    house.run(
        """
        INSERT INTO test_organization (organization_id, person_id, created_at)
        SELECT id, 'usr_' || id, created_at FROM organization WHERE slug LIKE 'test-%'
        """
    )
    refused = tries(house)
    assert refused.json()["code"] == "too_many_test_organisations"
    assert str(domain.OF_ALL_A_DAY) in refused.json()["detail"]


def test_nobody_has_to_hand_a_test_organisation_on(house: House) -> None:
    organization_id = tries(house).json()["organization_id"]
    assert house.ask("DELETE", "/membership", by=ADA, of=organization_id).status_code == 204
    assert house.ask("DELETE", "/membership", by="usr_owner").status_code == 409, "any other keeps its owner"


def test_where_it_is_not_offered_nobody_makes_one(house: House) -> None:
    closed = TestClient(application.create(replace(house.parts, test_organizations=None)))
    refused = closed.post(
        "/v1/me/test-organisations", json={"name": "Relief"}, headers={"x-test-person": ADA}
    )
    assert (refused.status_code, refused.json()["code"]) == (503, "test_organisations_not_offered")
    assert house.rows("SELECT * FROM test_organization") == []


def test_the_database_founds_one_for_whoever_is_bound_alone(house: House) -> None:
    asked = text(
        "SELECT found_test_organization('org_1', 's', 'n', 'DE', 'inv_1', 'a@b.example', 'en', now())"
    )
    with house.own.transaction() as session:
        assert session.scalar(asked) == "nobody"
