"""Files of an organisation's own: for whoever may read what is in them, made once, and gone after a week."""

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from amply.entrypoints import scheduler, task_names
from amply.infra import outbox
from amply.infra.database import Database
from amply.infra.vault import Keyring
from amply.modules import donations, exports, mail
from amply.modules.access import POLICY, Permission, Role
from amply.modules.donations.models import DonationRow
from amply.modules.exports.files import Row, csv_file, parquet_file
from amply.modules.payouts import PayoutStatus
from tests.backend.committed.test_personal_keys import Away
from tests.backend.committed.test_provider_events import SECRETS
from tests.backend.conftest import Databases
from tests.backend.member_world import House
from tests.backend.payout_world import PAYOUT, RECONCILED, Treasury, of_payout, transaction
from tests.backend.world import NOW

PERSONAL: Final = ("donor_name", "donor_email", "message")
SEES_DONORS: Final = POLICY[Permission.DONORS_READ].roles


@pytest.fixture
def house(database: Database, databases: Databases) -> Iterator[House]:
    made = House(database, databases)
    yield made
    made.close()


def give(house: House, number: int, **changes: Any) -> str:
    body = {
        "organization_id": house.organization_id,
        "amount": {"minor_units": "2500", "currency": "EUR"},
        "donor": {"name": f"Ada {number}", "email": f"ada{number}@example.org"},
        **changes,
    }
    given = house.client.post("/v1/donations", json=body, headers={"Idempotency-Key": f"key-{number}"})
    assert given.status_code == 201, given.text
    donation_id: str = given.json()["id"]
    return donation_id


def work(house: House, **later: float) -> int:
    making = exports.ExportJobs(database=house.database, store=house.exports)
    return exports.make_exports(making, now=house.clock() + timedelta(**later))


def asked(house: House, kind: str = "gifts", *, by: str = "usr_owner", **more: Any) -> str:
    answer = house.ask("POST", "/exports", by=by, json={"kind": kind, **more})
    assert answer.status_code == 202, answer.text
    assert answer.json()["state"] == "waiting"
    export_id: str = answer.json()["id"]
    return export_id


def content(house: House, export_id: str) -> bytes:
    return house.exports.files[f"organisations/{house.organization_id}/{export_id}"]


def rows(house: House, export_id: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content(house, export_id).decode())))


def read_back(house: House, export_id: str) -> list[dict[str, Any]]:
    """Of either format; what is empty is None."""
    (row,) = house.rows("SELECT format FROM organization_export WHERE id = :id", id=export_id)
    if row.format == "parquet":
        found: list[dict[str, Any]] = pq.read_table(io.BytesIO(content(house, export_id))).to_pylist()
        return found
    return [{name: value or None for name, value in each.items()} for each in rows(house, export_id)]


def assert_sealed(house: House) -> None:
    """Nothing of any donor is in a column of its own."""
    (row,) = house.rows("""
        SELECT count(*) FILTER (WHERE sealed IS NULL) AS unsealed, count(*) AS gifts FROM donation
    """)
    assert row.unsealed == 0
    assert row.gifts > 0


def erase(house: House, address: str) -> None:
    """As the command does it."""
    donations.erase_donor(
        house.database,
        SECRETS,
        email_sha256=mail.address_digest(address),
        donation_id=None,
        now=house.clock(),
        also=lambda session, of: exports.withdraw(session, organization_ids=of),
    )


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_a_file_is_asked_for_made_looked_at_and_fetched(house: House) -> None:
    for number in range(3):
        give(house, number, message="=cmd|'/c calc'!A1" if number == 0 else "word")
    house.arrive()
    export_id = asked(house)
    assert code(house.ask("POST", f"/exports/{export_id}/links", by="usr_owner")) == (409, "export_not_ready")
    assert work(house) == 1
    shown = house.ask("GET", f"/exports/{export_id}", by="usr_owner").json()
    assert (shown["state"], shown["rows"], shown["bytes"]) == ("ready", 3, len(content(house, export_id)))
    assert house.ask("GET", "/exports", by="usr_owner").json()["data"] == [shown]
    found = rows(house, export_id)
    assert [row["donor_email"] for row in found] == [f"ada{number}@example.org" for number in range(3)]
    assert found[0]["message"] == "'=cmd|'/c calc'!A1", "no spreadsheet runs what a donor wrote"
    assert {row["amount_minor"] for row in found} == {"2500"}
    link = house.ask("POST", f"/exports/{export_id}/links", by="usr_owner")
    assert link.status_code == 201
    assert link.json()["url"].endswith(f"{export_id}?as=gifts-{export_id}.csv&for=300&text")


def test_who_may_not_see_donors_has_files_without_them_and_none_of_others(house: House) -> None:
    give(house, 1)
    house.arrive()
    theirs, owners = asked(house, by="usr_viewer"), asked(house)
    packed = asked(house, by="usr_viewer", format="parquet")
    work(house)
    assert rows(house, theirs)[0].keys() == rows(house, owners)[0].keys()
    assert {rows(house, theirs)[0][column] for column in PERSONAL} == {""}
    assert b"ada1" not in content(house, theirs)
    table = pq.read_table(io.BytesIO(content(house, packed)))
    assert [table.column(column).to_pylist() for column in sorted(PERSONAL)] == [[None]] * 3
    listed = house.ask("GET", "/exports", by="usr_viewer").json()["data"]
    assert [each["id"] for each in listed] == [packed, theirs]
    for method, path in (("GET", f"/exports/{owners}"), ("POST", f"/exports/{owners}/links")):
        assert code(house.ask(method, path, by="usr_viewer")) == (404, "export_not_found")
    assert code(house.ask("POST", "/exports", by="usr_content", json={"kind": "gifts"})) == (
        403,
        "not_allowed",
    )


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_sealed_gifts_are_opened_for_each_role_as_far_as_it_may_see_donors(
    house: House, file_format: str
) -> None:
    house.run("UPDATE organization SET takes_anonymous_gifts = true")
    told = give(house, 1, message="for the river")
    kept = give(house, 2, anonymity="organization", message="from a friend")
    house.arrive()
    begun = give(house, 3, message="not paid yet")
    assert_sealed(house)
    asked_by = {
        role: asked(house, by=f"usr_{role}", format=file_format)
        for role in (Role.OWNER, Role.ADMIN, Role.FINANCE, Role.VIEWER)
    }
    work(house)
    for role, export_id in asked_by.items():
        found = {row["id"]: [row[column] for column in PERSONAL] for row in read_back(house, export_id)}
        if role in SEES_DONORS:
            assert found == {
                told: ["Ada 1", "ada1@example.org", "for the river"],
                kept: [None, None, "from a friend"],
                begun: [None] * 3,
            }
        else:
            assert found == {told: [None] * 3, kept: [None] * 3, begun: [None] * 3}
    assert {role in SEES_DONORS for role in asked_by} == {True, False}, "some see donors, and some do not"


def test_many_sealed_gifts_are_opened_a_thousand_at_a_time(house: House) -> None:
    give(house, 0)
    house.arrive()
    house.run("""
        INSERT INTO donation (id, organization_id, minor_units, currency, status, entry_id, created_at, updated_at)
        SELECT 'don_' || lpad(n::text, 26, '0'), organization_id, n, currency, status, 'ent_many_' || n,
               created_at + n * interval '1 millisecond', updated_at
        FROM donation, generate_series(1, 2100) n
    """)
    with house.database.transaction() as session:
        for row in session.scalars(select(DonationRow).where(DonationRow.sealed.is_(None))):
            row.donor_email = f"many{int(row.id.removeprefix('don_'))}@example.org"
    assert_sealed(house)
    house.clock.advance(minutes=1)
    export_id = asked(house)
    assert work(house) == 1
    addresses = [row["donor_email"] for row in rows(house, export_id)]
    assert addresses == ["ada0@example.org", *(f"many{n}@example.org" for n in range(1, 2_101))]
    assert house.exports.pieces == 4, "three batches, and the end"


def test_without_the_keys_a_file_waits_and_one_that_names_nobody_does_not(house: House) -> None:
    give(house, 1)
    house.arrive()
    named, unnamed = asked(house), asked(house, by="usr_viewer")
    keyring, house.database.keyring = house.database.keyring, Keyring(house.database.engine, Away())
    assert work(house) == 1
    assert len(rows(house, unnamed)) == 1
    assert house.ask("GET", f"/exports/{named}", by="usr_owner").json()["state"] == "waiting"
    house.database.keyring = keyring
    assert work(house, minutes=11) == 1
    assert rows(house, named)[0]["donor_email"] == "ada1@example.org"


def test_after_an_erasure_no_file_names_the_donor(house: House) -> None:
    for number in (1, 2):
        give(house, number, message=f"word {number}")
    house.arrive()
    before, unnamed, later = asked(house), asked(house, by="usr_viewer"), asked(house, "ledger")
    work(house)
    erase(house, "ada1@example.org")
    assert code(house.ask("POST", f"/exports/{before}/links", by="usr_owner")) == (409, "export_not_ready")
    assert house.ask("GET", f"/exports/{before}", by="usr_owner").json()["state"] == "failed"
    for still in (unnamed, later):
        assert house.ask("POST", f"/exports/{still}/links", by="usr_owner").status_code == 201
    after = {kind: asked(house, format=kind) for kind in ("csv", "parquet")}
    work(house, minutes=1)
    for export_id in after.values():
        said = [tuple(row[column] for column in PERSONAL) for row in read_back(house, export_id)]
        assert sorted(said, key=str) == [
            ("Ada 2", "ada2@example.org", "word 2"),
            (None, None, None),
        ]


def test_files_from_before_a_gift_was_kept_from_its_organisation_are_taken_back(
    house: House, databases: Databases
) -> None:
    house.run("UPDATE organization SET takes_anonymous_gifts = true")
    given = give(house, 1)
    house.arrive()
    before, unnamed, later = asked(house), asked(house, by="usr_viewer"), asked(house)
    assert work(house) == 3
    house.run(
        "UPDATE organization_export SET begun_at = begun_at + interval '1 hour' WHERE id = :id", id=later
    )
    api = databases.as_role("amply_api")
    for anonymity in (donations.Anonymity.NONE, donations.Anonymity.ORGANIZATION):
        assert work(house, minutes=1) == 0
        assert house.ask("GET", f"/exports/{before}", by="usr_owner").json()["state"] == "ready"
        with api.transaction() as session:
            donations.change_anonymity(
                session,
                donation_id=given,
                email_sha256=mail.address_digest("ada1@example.org"),
                anonymity=anonymity,
                now=house.clock() + timedelta(minutes=1),
            )
    api.close()
    facts: list[outbox.Fact] = []
    outbox.relay_batch(house.database, publish=facts.append, now=house.clock() + timedelta(minutes=2))
    (fact,) = (each for each in facts if each.topic == donations.TOPIC_HIDDEN)
    assert scheduler.TASKS_OF[fact.topic][0] == task_names.MAKE_EXPORTS
    work(house, minutes=2)
    states = [
        house.ask("GET", f"/exports/{each}", by="usr_owner").json()["state"]
        for each in (before, unnamed, later)
    ]
    assert states == ["failed", "ready", "ready"]


def test_a_file_that_is_being_made_while_a_donor_in_it_is_forgotten_is_not_handed_out(house: House) -> None:
    give(house, 1)
    house.arrive()
    export_id = asked(house)
    house.exports.meanwhile = lambda: erase(house, "ada1@example.org")
    work(house)
    assert b"ada1@" in content(house, export_id), "it was read before"
    assert code(house.ask("POST", f"/exports/{export_id}/links", by="usr_owner")) == (409, "export_not_ready")
    assert work(house, minutes=60) == 0


def test_of_an_erasure_elsewhere_files_know_nothing(house: House) -> None:
    give(house, 1)
    give(house, 2, organization_id=house.other_id)
    house.arrive()
    export_id = asked(house)
    work(house)
    erase(house, "ada2@example.org")
    assert house.ask("POST", f"/exports/{export_id}/links", by="usr_owner").status_code == 201


def test_a_key_has_files_of_what_its_scopes_read(house: House) -> None:
    give(house, 1)
    _, secret = house.key("payouts:read")
    assert code(house.ask("POST", "/exports", key=secret, json={"kind": "gifts"})) == (403, "not_allowed")
    assert house.ask("POST", "/exports", key=secret, json={"kind": "payouts"}).status_code == 202
    asked(house)
    work(house)
    assert [each["kind"] for each in house.ask("GET", "/exports", key=secret).json()["data"]] == ["payouts"]


def test_what_was_taken_meanwhile_is_not_handed_out(house: House) -> None:
    give(house, 1)
    house.arrive()
    export_id = asked(house, by="usr_finance")
    house.put("usr_finance", Role.VIEWER)
    assert work(house) == 0
    assert house.exports.files == {}
    (row,) = house.rows("SELECT state FROM organization_export WHERE id = :id", id=export_id)
    assert row.state == "failed"


def test_a_worker_that_is_killed_makes_the_same_file_in_the_same_place(house: House) -> None:
    give(house, 1)
    export_id = asked(house)
    house.exports.dies_after = 1
    with pytest.raises(KeyboardInterrupt):
        work(house)
    assert house.exports.files == {}
    house.exports.dies_after = None
    assert work(house, minutes=9) == 0, "its turn has not come again"
    assert work(house, minutes=11) == 1
    assert work(house, minutes=60) == 0
    assert list(house.exports.files) == [f"organisations/{house.organization_id}/{export_id}"]


def test_a_worker_that_another_one_has_overtaken_does_not_replace_its_file(house: House) -> None:
    export_id = asked(house)

    def overtaken() -> None:
        house.exports.first = lambda: None
        assert work(house, minutes=11) == 1
        house.exports.files = dict.fromkeys(house.exports.files, b"of the other one")

    house.exports.first = overtaken
    assert work(house) == 0
    assert content(house, export_id) == b"of the other one"


def test_a_worker_that_is_late_does_not_say_that_the_other_ones_file_is_ready(house: House) -> None:
    export_id = asked(house)
    house.exports.meanwhile = lambda: house.run("UPDATE organization_export SET attempts = attempts + 1")
    assert work(house) == 0
    (row,) = house.rows("SELECT state, sha256 FROM organization_export WHERE id = :id", id=export_id)
    assert tuple(row) == ("waiting", None)


def test_a_week_later_it_is_gone(house: House) -> None:
    export_id = asked(house)
    work(house)
    house.clock.advance(days=7)
    assert code(house.ask("GET", f"/exports/{export_id}", by="usr_owner")) == (404, "export_not_found")
    work(house)
    assert house.rows("SELECT id FROM organization_export") == []


def test_parquet_is_read_back(house: House) -> None:
    give(house, 1)
    house.arrive()
    export_id = asked(house, format="parquet", since=(NOW - timedelta(days=1)).isoformat())
    work(house)
    table = pq.read_table(io.BytesIO(content(house, export_id)))
    assert table.column("amount_minor").to_pylist() == [2500]
    assert table.column("donor_name").to_pylist() == ["Ada 1"]
    nothing = asked(house, format="parquet", before=(NOW - timedelta(days=1)).isoformat())
    work(house)
    assert pq.read_table(io.BytesIO(content(house, nothing))).num_rows == 0


def test_the_ledger_and_payouts_are_files_too_and_journals_are_for_accountants(house: House) -> None:
    treasury = Treasury(house.database)
    assert treasury.organization_id == house.organization_id
    treasury.succeed()
    treasury.remote.items = [of_payout(), transaction()]
    treasury.hear(RECONCILED, PayoutStatus.PAID, bank_reference="TRACE7")
    treasury.sequencer = house.databases.as_role("amply_sequencer")
    treasury.sequence()
    of_ledger, of_payouts = asked(house, "ledger"), asked(house, "payouts")
    journal = asked(house, "payouts", format="accounting")
    assert work(house) == 3
    assert content(house, of_ledger).decode().startswith("index,sequence,entry_id,kind")
    (payout,) = rows(house, of_payouts)
    assert (payout["id"], payout["amount_minor"], payout["bank_reference"]) == (PAYOUT, "2437", "TRACE7")
    one = house.ask("GET", f"/payouts/{PAYOUT}/report?format=journal", by="usr_owner")
    assert content(house, journal).decode() == one.content.decode()


def test_what_is_no_file_is_refused_in_one_sentence(house: House) -> None:
    backwards = {"since": NOW.isoformat(), "before": (NOW - timedelta(days=1)).isoformat()}
    for body in ({"kind": "gifts", "format": "accounting"}, {"kind": "gifts", **backwards}):
        answer = house.ask("POST", "/exports", by="usr_owner", json=body)
        assert code(answer) == (422, "export_not_acceptable")


def test_many_rows_are_written_a_piece_at_a_time() -> None:
    pieces: list[list[Row]] = [
        [{"id": f"don_{piece}_{row}", "amount_minor": row} for row in range(1_000)] for piece in range(25)
    ]
    written = list(csv_file(("id", "amount_minor"), iter(pieces)))
    assert len(written) == 26
    assert max(map(len, written)) < 30_000
    packed = b"".join(parquet_file(("id", "amount_minor"), iter(pieces)))
    table = pq.read_table(io.BytesIO(packed))
    assert (table.num_rows, table.column("amount_minor").to_pylist()[-1]) == (25_000, 999)
