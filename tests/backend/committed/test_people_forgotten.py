"""Somebody's account is deleted by an operator: with the worker's rights, recorded, and never an organisation's last owner."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

import pytest
from click.testing import CliRunner, Result

from amply.entrypoints import admin_recorded
from amply.entrypoints.admin import main as admin
from amply.infra import erasures
from amply.infra.database import Database
from amply.kernel.ids import id_of
from amply.modules import people
from amply.modules.access import Role
from tests.backend.audit_shelf import AuditShelf
from tests.backend.conftest import Databases
from tests.backend.member_world import House
from tests.backend.people_world import KEY
from tests.backend.world import NOW

PERSON, ADDRESS = id_of("usr", 7), "zoe.lindqvist@example.org"
HELD: Final = (
    "person_totp",
    "person_recovery_code",
    "person_passkey",
    "person_device",
    "person_identity",
    "sign_in_grant",
    "scim_resource",
    "address_claim",
    "member",
)

COME_BY_A_PROVIDER: Final = """
    WITH identity AS (
        INSERT INTO person_identity (id, person_id, provider, digest, created_at, last_used_at)
        VALUES ('pid_1', :id, :organization_id, sha256('x'), :now, :now)
    ), sign_in AS (
        INSERT INTO sign_in_grant (organization_id, person_id, digest, sealed_refresh, tried_at)
        VALUES (:organization_id, :id, sha256('x'), 'x', :now)
    )
    INSERT INTO scim_resource (id, organization_id, kind, person_id, sealed)
    VALUES ('scu_1', :organization_id, 'User', :id, 'x')
"""


@pytest.fixture
def house(database: Database, databases: Databases, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    databases.sign_commands_in(monkeypatch, user="amply_app")
    monkeypatch.setenv("AMPLY_PEOPLE_KEY", "p" * 43)
    monkeypatch.delenv("ECS_CONTAINER_METADATA_URI_V4", raising=False)
    admin_recorded._task_id.cache_clear()
    made = House(database, databases)
    address = people.address_of(ADDRESS)
    made.run(
        """
        INSERT INTO person (id, address_index, sealed_address, language, created_at, password_changed_at)
        VALUES (:id, :index, :sealed, 'en', :now, :now)
        """,
        id=PERSON,
        index=KEY.index_of(address),
        sealed=KEY.seal_address(address, of=PERSON),
        now=NOW,
    )
    yield made
    made.close()


def forget(person_id: str) -> Result:
    return CliRunner().invoke(admin, ["people", "forget", "--id", person_id])


def told(house: House) -> list[dict[str, Any]]:
    found = house.rows("SELECT CAST(content AS jsonb) AS said FROM audit_record ORDER BY id")
    return [row.said for row in found]


def test_an_account_is_forgotten_with_all_that_it_holds_and_recorded(house: House) -> None:
    house.put(PERSON, Role.VIEWER)
    house.run(COME_BY_A_PROVIDER, id=PERSON, organization_id=house.organization_id, now=NOW)
    done = forget(PERSON)
    assert (done.exit_code, json.loads(done.output)) == (0, {"id": PERSON, "forgotten": True}), done.output
    (person,) = house.rows("SELECT * FROM person WHERE id = :id", id=PERSON)
    assert (person.address_index, person.sealed_address, person.password_hash) == (None, None, None)
    assert person.erased_at is not None
    assert person.stamp > 0, "whoever is signed in as them is not any more"
    for table in HELD:
        held = house.rows(f"SELECT person_id FROM {table} WHERE person_id = :id", id=PERSON)  # noqa: S608 -- the words above
        assert held == [], table
    assert [row.kind for row in house.rows("SELECT kind FROM person_letter")] == ["goodbye"]
    records = told(house)
    assert [(each["action"], each["actor"]["kind"]) for each in records] == [
        ("member.left", "person"),
        ("person.erased", "operator"),
    ]
    assert records[-1]["targets"] == [PERSON]
    assert ADDRESS not in json.dumps(records)

    assert json.loads(forget(PERSON).output) == {"id": PERSON, "forgotten": False}


class AwayShelf(AuditShelf):
    """An archive that does not answer."""

    def keep(self, path: str, body: bytes) -> None:
        raise OSError(path)


def test_who_is_forgotten_is_noted_where_no_restored_database_reaches(house: House) -> None:
    listed = AuditShelf()
    assert people.note_erased(house.database, listed, now=NOW) == 0
    forget(PERSON)
    assert ("people.erased", {}) in house.rows("SELECT topic, payload FROM outbox")
    with pytest.raises(OSError, match="erased/"):
        people.note_erased(house.database, AwayShelf(), now=NOW)
    assert [people.note_erased(house.database, listed, now=NOW) for _ in range(2)] == [1, 0]
    digests = erasures.noted(listed)
    assert len(digests) == 1
    assert PERSON not in str(listed.files)
    with house.database.transaction() as session:
        assert people.still_there(session, digests) == []
    address = people.address_of(ADDRESS)
    house.run(
        "UPDATE person SET erased_at = NULL, address_index = :index, sealed_address = :sealed",
        index=KEY.index_of(address),
        sealed=KEY.seal_address(address, of=PERSON),
    )
    with house.database.transaction() as session:
        assert people.still_there(session, digests) == [PERSON], "as a restored database has it"
        assert people.still_there(session, {erasures.digest_of("gift", PERSON)}) == []


def test_whom_the_list_lacks_after_a_quarter_of_an_hour_is_counted(house: House) -> None:
    def counted(**later: float) -> int:
        with house.database.transaction() as session:
            return people.count_unnoted(session, now=NOW + timedelta(**later))

    assert counted(days=1) == 0, "whoever is there is missing on no list"
    forget(PERSON)
    house.run("UPDATE person SET erased_at = :now WHERE id = :id", id=PERSON, now=NOW)
    assert [counted(minutes=14), counted(minutes=15)] == [0, 1]
    people.note_erased(house.database, AuditShelf(), now=NOW)
    assert counted(days=1) == 0


def test_the_last_owner_is_not_forgotten(house: House) -> None:
    house.put(PERSON, Role.OWNER, organization_id=house.other_id)
    house.run("DELETE FROM member WHERE person_id = 'usr_stranger'")
    refused = forget(PERSON)
    assert refused.exit_code == 1
    (person,) = house.rows("SELECT erased_at FROM person WHERE id = :id", id=PERSON)
    assert person.erased_at is None
    assert [(each["action"], each["outcome"], each["error"]) for each in told(house)] == [
        ("person.erased", "refused", "last_owner")
    ]
