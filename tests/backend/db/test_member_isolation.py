"""What is an organisation's own is shown to its members and keys: a statement that forgets to ask gets nothing."""
# ruff: noqa: S608 -- statements are put together from this file's own words

from collections.abc import Iterator
from typing import Any, Final

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from amply.infra.database import Database
from amply.modules.access import Access, KeyCaller, Permission, PersonCaller, Role, Scope
from amply.modules.donations.organization_gifts import GiftFilter, received
from amply.modules.keys.service import keys_of
from tests.backend.conftest import Databases
from tests.backend.image_world import ALT
from tests.backend.member_world import House

OWN: Final = (
    *("member", "member_invitation", "ownership_offer", "api_key", "organization_gift"),
    "audit_record",
    *("organization_application", "organization_document", "organization_step", "register_lookup"),
    *("organization_export", "organization_image"),
    *("data_source", "dataset", "dataset_schema", "ingest_job"),
    *("refund_request", "organization_refund"),
    *("public_event", "webhook_attempt", "webhook_delivery", "webhook_endpoint", "webhook_signing_key"),
)
BENEATH: Final = {"organization_gift": "donation", "organization_refund": "refund_request"}
"""What views show."""


@pytest.fixture
def house(database: Database, databases: Databases) -> Iterator[House]:
    """Rows of both organisations in every table, and a gift to each."""
    made = House(database, databases)
    for of, owner in ((made.organization_id, "usr_owner"), (made.other_id, "usr_stranger")):
        made.put("usr_second", Role.VIEWER, organization_id=of)
        for path, body in (
            ("/keys", {"name": "site", "scopes": ["organisation:read"]}),
            ("/invitations", {"email": "new@example.org", "role": "viewer"}),
            ("/funds", {"name": "Wells"}),
            ("/ownership-offer", {"person_id": "usr_second"}),
            ("/exports", {"kind": "gifts"}),
            ("/images", {"kind": "logo", "media_type": "image/png", "alt": ALT}),
            ("/webhook-endpoints", {"url": f"https://{of[4:]}.example/", "event_types": ["payout.paid"]}),
        ):
            answer = made.ask("POST", path, by=owner, of=of, json=body)
            assert answer.is_success, answer.text
        gift = {
            "organization_id": of,
            "amount": {"minor_units": "2500", "currency": "EUR"},
            "donor": {"name": "Ada", "email": "ada@example.org"},
        }
        _applied(made, of)
        _handed_in(made, of)
        _delivered(made, of)
        given = made.client.post("/v1/donations", json=gift, headers={"Idempotency-Key": of})
        assert given.status_code == 201, given.text
    made.arrive()
    for of, owner in ((made.organization_id, "usr_owner"), (made.other_id, "usr_stranger")):
        ((given_id,),) = made.rows("SELECT id FROM donation WHERE organization_id = :of", of=of)
        refund = made.ask(
            "POST",
            f"/gifts/{given_id}/refunds",
            by=owner,
            of=of,
            json={"reason": "duplicate"},
            headers={"Idempotency-Key": of},
        )
        assert refund.status_code == 202, refund.text
    yield made
    made.close()


def _delivered(house: House, of: str) -> None:
    """As if something had happened, and its endpoint had been told."""
    (endpoint,) = house.ask("GET", "/webhook-endpoints", by=_owner(house, of), of=of).json()["data"]
    sent = house.ask("POST", f"/webhook-endpoints/{endpoint['id']}/test", by=_owner(house, of), of=of)
    assert sent.is_success, sent.text
    house.run(
        "INSERT INTO webhook_attempt (delivery_id, organization_id, at, status, milliseconds)"
        " VALUES (:id, :of, now(), 204, 3)",
        id=sent.json()["id"],
        of=of,
    )


def _owner(house: House, of: str) -> str:
    return "usr_owner" if of == house.organization_id else "usr_stranger"


def _applied(house: House, of: str) -> None:
    """As if it had come in by an application."""
    end = of.removeprefix("org_")
    for statement in (
        (
            "INSERT INTO organization_application (organization_id, applicant_id, legal_name, created_at, updated_at)"
            " VALUES (:of, 'usr_x', 'River Trust', now(), now())"
        ),
        (
            "INSERT INTO organization_step (id, organization_id, from_state, to_state, at, next_attempt_at)"
            " VALUES ('step_' || :end, :of, 'in_review', 'verified', now(), now())"
        ),
        (
            "INSERT INTO register_lookup (id, organization_id, country, tax_id, asked_at, next_attempt_at)"
            " VALUES ('look_' || :end, :of, 'GB', '1', now(), now())"
        ),
        (
            "INSERT INTO organization_document"
            " (id, organization_id, kind, object_key, media_type, added_by, created_at, expires_at)"
            " VALUES ('odoc_' || :end, :of, 'bank', :end, 'image/png', 'usr_x', now(), now())"
        ),
    ):
        house.run(statement, **({"of": of, "end": end} if ":end" in statement else {"of": of}))


def _handed_in(house: House, of: str) -> None:
    """As if it had handed a file in."""
    end = of.removeprefix("org_")
    for statement in (
        (
            "INSERT INTO data_source (id, organization_id, title, description, added_by, created_at)"
            " VALUES ('src_' || :end, :of, 'Till', '', 'usr_x', now())"
        ),
        (
            "INSERT INTO dataset (id, organization_id, source_id, title, kind, format, compression, policy_id, retention_days,"
            " release_every_days, schema_version, version, next_attempt_at, added_by, created_at, changed_at)"
            " VALUES ('dset_' || :end, :of, 'src_' || :end, 'Visits', 'pos', 'csv', 'none', 'default-v2', 365, 30, 1, 1,"
            " now(), 'usr_x', now(), now())"
        ),
        (
            "INSERT INTO dataset_schema (dataset_id, version, organization_id, columns, created_at)"
            " VALUES ('dset_' || :end, 1, :of, '[]', now())"
        ),
        (
            "INSERT INTO ingest_job (id, organization_id, dataset_id, schema_version, format, compression, media_type,"
            " object_key, added_by, created_at, expires_at, next_attempt_at) VALUES ('job_' || :end, :of, 'dset_' || :end,"
            " 1, 'csv', 'none', 'text/csv', :end, 'usr_x', now(), now(), now())"
        ),
    ):
        house.run(statement, of=of, end=end)


def seen(house: House, table: str, **bound: Any) -> set[str]:
    """Whose rows a statement without any condition gets."""
    with house.own.transaction(**bound) as session:
        return set(session.scalars(text(f"SELECT organization_id FROM {table}")))


def test_who_forgets_the_filter_gets_the_own_rows_of_whoever_asks_and_nothing_else(house: House) -> None:
    first, second = house.organization_id, house.other_id
    ((key_id,),) = house.rows("SELECT id FROM api_key WHERE organization_id = :of", of=first)
    for table in OWN:
        assert len(house.rows(f"SELECT DISTINCT organization_id FROM {BENEATH.get(table, table)}")) == 2
        assert seen(house, table, organization_id=first, person_id="usr_viewer") == {first}, table
        assert seen(house, table, organization_id=second, person_id="usr_stranger") == {second}, table
        assert seen(house, table, organization_id=first, key_id=key_id) == {first}, table
        for nobody in (
            {},
            {"organization_id": first},
            {"organization_id": second, "key_id": key_id},
            {"organization_id": first, "person_id": "usr_alone"},
            {"organization_id": "%", "person_id": "usr_alone"},
        ):
            assert seen(house, table, **nobody) == set(), (table, nobody)


def test_the_first_organisations_member_is_nobody_in_the_second(house: House) -> None:
    for table in OWN:
        found = seen(house, table, organization_id=house.other_id, person_id="usr_owner")
        # Of memberships one sees one's own, wherever they are.
        assert found == ({house.organization_id} if table == "member" else set()), table


def test_a_revoked_key_sees_nothing_more(house: House) -> None:
    ((key_id,),) = house.rows("SELECT id FROM api_key WHERE organization_id = :of", of=house.organization_id)
    house.run("UPDATE api_key SET revoked_at = now() WHERE id = :key_id", key_id=key_id)
    assert seen(house, "organization_gift", organization_id=house.organization_id, key_id=key_id) == set()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE member SET role = 'owner'",
        "DELETE FROM member",
        "DELETE FROM member_invitation",
        "DELETE FROM ownership_offer",
        "UPDATE api_key SET revoked_at = now()",
        "UPDATE organization SET name = 'Mine'",
        "UPDATE organization SET state = 'submitted'",
        "UPDATE organization_application SET purpose = 'Mine'",
        "UPDATE organization_document SET removed_at = now()",
        "UPDATE organization SET pictures = '{}'",
        "UPDATE organization_image SET removed_at = now()",
        "UPDATE fund SET name = 'Mine'",
        "UPDATE webhook_endpoint SET url = 'https://mine.example/'",
        "DELETE FROM webhook_endpoint",
        "UPDATE webhook_delivery SET state = 'pending', finished_at = NULL",
    ],
)
def test_who_forgets_the_filter_of_a_change_changes_nothing_of_others(change: str, house: House) -> None:
    for bound in ({}, {"organization_id": house.other_id, "person_id": "usr_owner"}):
        with house.own.transaction(**bound) as session:
            assert session.execute(text(change)).rowcount == 0, bound  # type: ignore[attr-defined] # of a cursor


def test_nothing_is_added_to_another_organisation(house: House) -> None:
    fund = """
        INSERT INTO fund (id, organization_id, name, kind, created_at)
        VALUES ('fund_00000000000000000000000000', :of, 'Mine', 'fund', now())
    """
    for statement in (fund, "INSERT INTO member VALUES (:of, 'usr_owner', 'owner', now())"):
        with (
            pytest.raises(ProgrammingError, match=r"row-level security|permission denied"),
            house.own.transaction(organization_id=house.other_id, person_id="usr_owner") as session,
        ):
            session.execute(text(statement), {"of": house.other_id})


def test_a_connection_forgets_who_acted(house: House) -> None:
    single = house.databases.as_role("amply_api", pool_size=1)
    with single.transaction(organization_id=house.organization_id, person_id="usr_owner") as session:
        assert session.scalar(text("SELECT count(*) FROM member")) == 6
    with single.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM member")) == 0


def test_a_key_is_found_by_its_digest_and_by_nothing_else(house: House) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), house.own.transaction() as session:
        session.execute(text("SELECT digest FROM api_key"))
    with house.own.transaction() as session:
        assert session.execute(text("SELECT * FROM find_api_key(sha256('x'))")).all() == []


def door(house: House, permission: Permission, **who: Any) -> Access:
    """Somebody who was let in a moment ago, as an owner or with every scope."""
    now = house.clock()
    caller: Any = (
        PersonCaller(person_id=who["person"], session_id="ses_1", signed_in_at=now, confirmed_at=now)
        if "person" in who
        else KeyCaller(
            key_id=who["key"], organization_id=house.organization_id, scopes=frozenset(Scope), is_live=False
        )
    )
    return Access(
        caller=caller,
        organization_id=house.organization_id,
        permission=permission,
        role=Role.OWNER,
        now=now,
        database=house.own,
    )


def test_what_was_taken_after_the_door_is_missed_by_the_statement(house: House) -> None:
    """The database lets members and keys see these rows; what their role or scope is for, the statement decides."""
    ((key_id,),) = house.rows("SELECT id FROM api_key WHERE organization_id = :of", of=house.organization_id)

    def keys_seen(person_id: str) -> int:
        access = door(house, Permission.KEYS_READ, person=person_id)
        with access.transaction() as session:
            return len(keys_of(session, access))

    def gifts_seen(**who: Any) -> list[str | None]:
        access = door(house, Permission.GIFTS_READ, **who)
        with access.transaction() as session:
            page = received(session, access, wanted=GiftFilter(), cursor=None, limit=10)
        return [gift.donor_name for gift in page.items]

    assert [keys_seen(f"usr_{role}") for role in Role] == [1, 1, 0, 0, 0]
    assert [gifts_seen(person=f"usr_{role}") for role in Role] == [["Ada"], ["Ada"], ["Ada"], [], [None]]
    assert gifts_seen(key=key_id) == [], "its scope is another one"
    house.run("UPDATE api_key SET scopes = '{donations:read}' WHERE id = :key_id", key_id=key_id)
    assert gifts_seen(key=key_id) == ["Ada"]
    house.run("UPDATE api_key SET expires_at = :now WHERE id = :key_id", key_id=key_id, now=house.clock())
    assert gifts_seen(key=key_id) == []
