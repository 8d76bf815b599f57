"""What organisations say when they apply is sealed by a key of their own, which is at hand before a transaction begins."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest
from sqlalchemy import select, text

from amply.entrypoints.personal_data import sealed_rows
from amply.infra.database import Database
from amply.infra.vault import OF_ORGANIZATION, KeyNotAtHand, Keyring, KeyWrappingAway, SealedBytesUnreadable
from amply.infra.vault.keyring import COMING
from amply.infra.vault.organization_keys import hold_key_of
from amply.infra.vault.reencryption import reencrypt, versions
from amply.kernel.clock import system_clock
from amply.modules import applications
from amply.modules.applications import ReviewAction
from amply.modules.applications.models import ApplicationRow, LookupRow, StepRow
from tests.backend.application_world import BEGUN, Applicant, applying_work
from tests.backend.key_service import Wrapping, new_keyring
from tests.backend.member_world import House
from tests.backend.people_world import KEY
from tests.backend.personal_data import found_in

KINDS: Final = (ApplicationRow, LookupRow, StepRow)
TABLES: Final = tuple(each.__tablename__ for each in KINDS)
SECRETS: Final = {
    "name": BEGUN["legal_name"],
    "tax id": "9990001",
    "street": "1 Mill Lane",
    "website": "https://river.example",
    "purpose": "We keep the river clean.",
    "asked": "Which river do you mean?",
}


def at_rest(house: House) -> bytes:
    found = [house.rows(f"SELECT {each}::text FROM {each}") for each in TABLES]  # noqa: S608 -- this file's words
    return json.dumps(found, default=str).encode()


def said(database: Database, organization_id: str) -> list[list[dict[str, Any]]]:
    hold_key_of(database, organization_id)
    with database.transaction() as session:
        return [
            [row.opened() for row in session.scalars(select(kind).order_by(getattr(kind, kind.fields.key)))]
            for kind in KINDS
        ]


def turn(house: House, *, later: timedelta = timedelta()) -> int:
    key = replace(KEY, keyring=house.database.keyring)
    return reencrypt(house.database, sealed_rows(key), now=system_clock() + later)


def values_of(house: House, organization_id: str) -> list[tuple[str, int]]:
    with house.database.transaction() as session:
        found = versions(session, sealed_rows(KEY), now=system_clock())
    return [
        (each.state, each.values) for each in found if each.scope == f"{OF_ORGANIZATION}{organization_id}"
    ]


def handed_in(ada: Applicant, house: House, operator: Database) -> str:
    """An application that a register answered, and staff asked something about."""
    organization_id = ada.apply()
    applications.ask_registers(applying_work(house.database), now=house.clock())
    with operator.transaction() as session:
        given: dict[str, Any] = {"organization_id": organization_id, "now": house.clock()}
        applications.by_staff(session, move=ReviewAction.REVIEW, reason=None, **given)
        applications.by_staff(session, move=ReviewAction.ASK, reason=SECRETS["asked"], **given)
    return organization_id


def test_what_is_said_of_an_application_stands_nowhere_in_the_clear(
    ada: Applicant, house: House, operator: Database
) -> None:
    organization_id = handed_in(ada, house, operator)
    assert found_in(at_rest(house), SECRETS) == ["asked"], "staff have no key that seals"
    assert turn(house) == 1
    assert found_in(at_rest(house), SECRETS) == []
    shown = ada.ask("GET", "/application").text
    assert set(found_in(shown.encode(), SECRETS)) == set(SECRETS), "and its own people read it"
    [[row], [lookup], steps] = said(house.database, organization_id)
    assert (row["city"], lookup["tax_id"], lookup["name"] is not None) == ("Vale", SECRETS["tax id"], True)
    assert [step["said"] for step in steps] == [None, None, SECRETS["asked"]]


def test_what_only_began_is_sealed_by_the_worker(ada: Applicant, house: House) -> None:
    """A key for everybody who begins would let anybody make keys."""
    assert ada.begin().status_code == 201
    assert ada.ask("GET", "/application").json()["legal_name"] == BEGUN["legal_name"]
    assert house.rows("SELECT FROM data_key WHERE scope LIKE 'organization:%'") == []
    assert found_in(at_rest(house), SECRETS) == ["name"]
    assert turn(house) == 1
    assert found_in(at_rest(house), SECRETS) == []
    assert ada.ask("GET", "/application").json()["legal_name"] == BEGUN["legal_name"]


def test_staff_open_what_organisations_say_and_seal_and_make_nothing(
    ada: Applicant, house: House, operator: Database
) -> None:
    organization_id = handed_in(ada, house, operator)
    turn(house)
    before = said(house.database, organization_id)
    assert said(operator, organization_id) == before
    with operator.transaction() as session:
        waiting = applications.waiting(session, states=list(_STATES), now=house.clock())
    assert [each.legal_name for each in waiting] == [BEGUN["legal_name"]]
    keys = house.rows("SELECT scope FROM data_key WHERE scope LIKE 'organization:%'")
    hold_key_of(operator, house.organization_id)
    assert house.rows("SELECT scope FROM data_key WHERE scope LIKE 'organization:%'") == keys


def test_without_the_key_service_nothing_is_said_and_nothing_is_lost(ada: Applicant, house: House) -> None:
    organization_id = ada.apply()
    had, house.own.keyring = house.own.keyring, Refusing.keyring(house.own)
    refused = ada.ask("GET", "/application")
    assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
    house.own.keyring = had
    assert ada.ask("GET", "/application").json()["tax_id"] == SECRETS["tax id"]
    assert values_of(house, organization_id)[0][1] > 0


def test_a_rotation_of_one_organisations_key_seals_its_rows_anew_and_nobody_elses(
    ada: Applicant, house: House, operator: Database
) -> None:
    organization_id = handed_in(ada, house, operator)
    turn(house)
    before = said(house.database, organization_id)
    assert house.database.keyring is not None
    (_, values) = values_of(house, organization_id)[0]
    house.database.keyring.rotate(f"{OF_ORGANIZATION}{organization_id}", now=system_clock() - COMING)
    assert turn(house, later=timedelta(hours=3)) == values
    assert turn(house, later=timedelta(hours=3)) == 0
    assert values_of(house, organization_id) == [("destroyed", 0), ("sealing", values)]
    house.database.keyring = new_keyring(house.database, like=house.database.keyring)
    assert said(house.database, organization_id) == before


def test_the_key_of_another_organisation_opens_nothing(ada: Applicant, house: House) -> None:
    organization_id = ada.apply()
    hold_key_of(house.database, organization_id)
    hold_key_of(house.database, house.organization_id, to_seal=True)
    with house.database.transaction() as session:
        row = session.get_one(ApplicationRow, organization_id)
        opened = ApplicationRow.fields.open(
            house.database.keyring,
            row_id=organization_id,
            sealed=row.sealed,
            plain=None,
            organization_id=organization_id,
        )
        assert opened["tax_id"] == SECRETS["tax id"]
        with pytest.raises(SealedBytesUnreadable):
            ApplicationRow.fields.open(
                house.database.keyring,
                row_id=organization_id,
                sealed=row.sealed,
                plain=None,
                organization_id=house.organization_id,
            )


def test_a_key_that_is_not_held_is_not_fetched_inside_a_transaction(ada: Applicant, house: House) -> None:
    organization_id = ada.apply()
    house.database.keyring = new_keyring(house.database, like=house.database.keyring)
    with house.database.transaction() as session:
        row = session.get_one(ApplicationRow, organization_id)
        with pytest.raises(KeyNotAtHand):
            _ = row.tax_id


def test_what_staff_decide_upon_is_not_changed_by_what_is_sealed_either(
    ada: Applicant, house: House, operator: Database
) -> None:
    organization_id = ada.apply()
    with operator.transaction() as session:
        applications.by_staff(
            session, organization_id=organization_id, move=ReviewAction.REVIEW, reason=None, now=house.clock()
        )
    with (
        pytest.raises(Exception, match="nothing is changed about it"),
        house.own.transaction(organization_id=organization_id, person_id="usr_new") as session,
    ):
        session.execute(text("UPDATE organization_application SET sealed = NULL"))


_STATES: Final = applications.REVIEW_ACTIONS[ReviewAction.ASK].of | {
    applications.REVIEW_ACTIONS[ReviewAction.ASK].to
}


class Refusing(Wrapping):
    """A key service that opens the keys of everybody but organisations."""

    def unwrap(self, wrapped: bytes, *, scope: str, version: int) -> bytes:
        if scope.startswith(OF_ORGANIZATION):
            raise KeyWrappingAway(scope)
        return super().unwrap(wrapped, scope=scope, version=version)

    @classmethod
    def keyring(cls, database: Database) -> Keyring:
        made = Keyring(database.engine, cls())
        made.freshen()
        return made
