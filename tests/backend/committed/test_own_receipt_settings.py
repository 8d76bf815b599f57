"""How an organisation issues receipts, said by its own people and programs; what staff verified stays as it is."""
# ruff: noqa: S608 -- statements are put together from this file's own words

from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from amply.entrypoints.admin import main as admin
from amply.infra.database import Database
from amply.infra.vault.organization_keys import hold_key_of
from amply.modules import applications, receipts
from tests.backend.application_world import BEGUN, COMPLETE, Applicant
from tests.backend.conftest import Databases
from tests.backend.member_world import House

PATH = "/receipt-settings"


def change(house: House, body: Any, *, by: str = "usr_owner", of: str | None = None) -> Any:
    tag = house.ask("GET", PATH, by=by, of=of).headers["ETag"]
    return house.ask("PATCH", PATH, by=by, of=of, json=body, headers={"If-Match": tag})


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_what_staff_verify_stands_on_receipts_and_the_rest_is_the_organisations(
    house: House, ada: Applicant, operator: Database
) -> None:
    of = ada.apply()
    hold_key_of(operator, of)
    with operator.transaction() as session:
        applications.by_staff(
            session, organization_id=of, move=applications.ReviewAction.REVIEW, reason=None, now=house.clock()
        )
        applications.verify(session, organization_id=of, slug=None, now=house.clock())

    seen = house.ask("GET", PATH, by="usr_new", of=of).json()
    verified = {"legal_name": BEGUN["legal_name"], "registration_number": COMPLETE["tax_id"]}
    assert {name: seen[name] for name in verified} == verified
    assert (seen["jurisdiction"], seen["jurisdictions"]) == ("GB", ["GB", "none"])
    assert (seen["is_official"], seen["missing"]) == (False, ["address"])

    said = {
        "address": ["1 Mill Lane", "Vale AB1 2CD"],
        "signatory": "Grace Hopper, Treasurer",
        "language": "fr",
        "time_zone": "Europe/London",
        "fiscal_year_starts": 4,
        "brand_colour": "#05668D",
    }
    changed = change(house, said, by="usr_new", of=of).json()
    assert (changed["is_official"], changed["missing"], changed["brand_colour"]) == (True, [], "#05668d")
    again = house.ask("GET", PATH, by="usr_new", of=of)
    assert again.json() == changed
    with house.database.transaction() as session:
        kept = receipts.settings_of(session, organization_id=of)
    assert kept is not None
    assert (kept.legal_name, kept.registration_number) == tuple(verified.values())
    assert kept.address == ("1 Mill Lane", "Vale AB1 2CD")

    for verified_already in ({"legal_name": "Another"}, {"registration_number": "1234567"}):
        refused = change(house, verified_already, by="usr_new", of=of)
        assert refused.status_code == 422
    for statement in (
        "UPDATE receipt_settings SET registration_number = '1234567'",
        "UPDATE receipt_settings SET legal_name = 'Another'",
    ):
        with house.own.connection() as connection, pytest.raises(ProgrammingError, match="permission denied"):
            connection.exec_driver_sql(statement)


def test_who_was_never_verified_begins_without_a_number_and_issues_nothing_official(house: House) -> None:
    before = house.ask("GET", PATH, by="usr_finance").json()
    assert (before["jurisdiction"], before["registration_number"]) == ("none", "")
    said = change(house, {"signatory": "Grace Hopper"}, by="usr_finance").json()
    assert (said["signatory"], said["legal_name"], said["is_official"]) == (
        *("Grace Hopper", before["legal_name"]),
        False,
    )
    assert change(house, {"place": "Toronto ON"}, by="usr_admin").json()["signatory"] == "Grace Hopper"
    assert house.ask("GET", PATH, by="usr_stranger", of=house.other_id).json()["signatory"] == ""


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"jurisdiction": "US"}, "jurisdiction"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"brand_colour": "#f98152"}, "brand_colour"),
    ],
)
def test_what_cannot_be_so_is_refused_with_its_field(house: House, body: Any, param: str) -> None:
    refused = change(house, body)
    assert code(refused) == (422, "receipt_settings_not_acceptable")
    assert refused.json()["param"] == param


def test_of_two_who_change_them_the_second_is_told(house: House) -> None:
    seen = {"If-Match": house.ask("GET", PATH, by="usr_owner").headers["ETag"]}
    first = house.ask("PATCH", PATH, by="usr_owner", json={"signatory": "Grace"}, headers=seen)
    assert first.headers["ETag"] == house.ask("GET", PATH, by="usr_finance").headers["ETag"]
    second = house.ask("PATCH", PATH, by="usr_finance", json={"signatory": "Ada"}, headers=seen)
    assert code(second) == (412, "changed_meanwhile")
    assert code(house.ask("PATCH", PATH, by="usr_owner", json={"place": "x"})) == (428, "if_match_missing")


def test_the_law_that_staff_said_may_stay_and_be_given_up(house: House) -> None:
    with house.database.transaction() as session:
        receipts.save_settings(
            session,
            settings=receipts.ReceiptSettings(
                organization_id=house.organization_id,
                jurisdiction=receipts.Jurisdiction.US,
                legal_name="River Trust Inc.",
                registration_number="91-1144442",
                address=("1 Water Street",),
            ),
            now=house.clock(),
        )
    assert change(house, {"jurisdiction": "US", "signatory": "Grace"}).json()["is_official"]
    given_up = change(house, {"jurisdiction": "none"}).json()
    assert (given_up["jurisdictions"], given_up["is_official"]) == (["none"], False)
    assert given_up["registration_number"] == "91-1144442"


def test_a_law_that_staff_took_away_is_theirs_to_give_back(
    house: House, databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    databases.sign_commands_in(monkeypatch, user="amply_operator")
    of = house.organization_id
    house.run("UPDATE organization SET country = 'US' WHERE id = :of", of=of)

    def staff(*words: str) -> None:
        done = CliRunner().invoke(admin, ["organization", "receipts", "--id", of, *words])
        assert done.exit_code == 0, done.output

    staff("--legal-name", "River Trust Inc.", "--registration-number", "91-1144442", "--jurisdiction", "US")
    assert house.ask("GET", PATH, by="usr_owner").json()["jurisdictions"] == ["US", "none"]
    staff("--jurisdiction", "none")
    refused = change(house, {"jurisdiction": "US"})
    assert code(refused) == (422, "receipt_settings_not_acceptable")
    assert "staff" in refused.json()["detail"]
    assert change(house, {"signatory": "Grace"}).json()["jurisdictions"] == ["none"]
    bound = "SELECT set_config('amply.organization_id', :of, true), set_config('amply.person_id', 'usr_owner', true)"
    with house.own.transaction() as session:
        session.execute(text(bound), {"of": of})
        with pytest.raises(ProgrammingError, match="row-level security"):
            session.execute(text("UPDATE receipt_settings SET jurisdiction = 'US'"))
    staff("--jurisdiction", "US")
    assert change(house, {"jurisdiction": "US"}).status_code == 200


def test_the_database_lets_nobody_change_anothers_and_nobody_begin_with_a_number(house: House) -> None:
    change(house, {"signatory": "Grace"})
    late = "ledger_visibility (organization_id, policy, changed_at) VALUES (:of, 'internal', now())"
    begun = """
        receipt_settings (organization_id, jurisdiction, legal_name, registration_number, address, place, signatory,
            language, time_zone, fiscal_year_starts, brand_colour, updated_at)
        VALUES (:of, 'GB', 'Mine', :number, '{}', '', '', 'en', 'UTC', 1, '', now())
    """
    house.run(f"INSERT INTO {late}", of=house.organization_id)
    stranger: Any = {"organization_id": house.other_id, "person_id": "usr_stranger"}
    with house.own.transaction(**stranger) as session:
        for table, to in (
            ("receipt_settings", "signatory = 'Mine'"),
            ("ledger_visibility", "policy = 'full'"),
        ):
            changed = session.execute(text(f"UPDATE {table} SET {to}"))
            assert changed.rowcount == 0, table  # type: ignore[attr-defined] # of a cursor
    for insert, values in (
        (late, {"of": house.organization_id}),
        (begun, {"of": house.organization_id, "number": ""}),
        (begun, {"of": house.other_id, "number": "1234567"}),
    ):
        with (
            pytest.raises(ProgrammingError, match="row-level security"),
            house.own.transaction(**stranger) as session,
        ):
            session.execute(text(f"INSERT INTO {insert}"), values)
    with house.own.transaction(**stranger) as session:
        session.execute(text(f"INSERT INTO {begun}"), {"of": house.other_id, "number": ""})
