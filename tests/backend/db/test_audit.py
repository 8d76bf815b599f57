"""The audit log: one unbroken chain whoever writes at once, and nothing that is changed stays unseen."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from amply.infra.database import Database
from amply.kernel.ids import new_id
from amply.modules import audit
from amply.modules.audit import chain, domain, sealing
from tests.backend.audit_shelf import AuditShelf
from tests.backend.conftest import Databases
from tests.backend.ledger_world import until

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
ORG, OTHER = f"org_{'0' * 26}", f"org_{'1' * 26}"
PERSONAL = "zoe.lindqvist@example.org"


def deed(**changes: object) -> audit.AuditedAction:
    made: dict[str, object] = {
        "actor": audit.Actor(kind=audit.ActorKind.OPERATOR, id="local"),
        "action": audit.Action.FUND_CLOSED,
        "organization_id": ORG,
        **changes,
    }
    return audit.AuditedAction(**made)  # type: ignore[arg-type] # named as the fields


def append(database: Database, *deeds: audit.AuditedAction, now: datetime = NOW) -> None:
    for each in deeds or (deed(),):
        with database.transaction() as session:
            audit.record(session, each, now=now)


@pytest.fixture
def master(databases: Databases) -> Iterator[Database]:
    opened = databases.as_role("master")
    yield opened
    opened.close()


def test_writers_at_once_make_one_unbroken_chain(database: Database, databases: Databases) -> None:
    roles = [databases.as_role(role) for role in ("amply_app", "amply_api", "amply_operator")]
    together = threading.Barrier(6)

    def write(number: int) -> None:
        together.wait(timeout=30)
        for _ in range(5):
            with roles[number % 3].transaction() as session:
                audit.record(session, deed(), now=NOW)
                audit.record(session, deed(action=audit.Action.FUND_CREATED), now=NOW)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(6)))
    assert audit.verify(database).records == 60


def test_nobody_waits_for_a_record_until_its_transaction_commits(
    database: Database, databases: Databases
) -> None:
    """Else whoever records first and works on for long would hold up everybody: this would wait for ever."""
    other = databases.as_role("amply_api")

    def write_meanwhile() -> None:
        append(other)

    with database.transaction() as session:
        audit.record(session, deed(), now=NOW)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(write_meanwhile).result(timeout=30)
    assert audit.verify(database).records == 2


def test_what_is_rolled_back_leaves_neither_record_nor_gap(database: Database) -> None:
    append(database)
    with suppress(ConnectionError), database.transaction() as session:
        audit.record(session, deed(), now=NOW)
        raise ConnectionError
    append(database)
    assert audit.verify(database).records == 2


TAMPERINGS = {
    "changed": "UPDATE audit_record SET content = replace(content, 'fund.closed', 'fund.opened') WHERE id = :second",
    "removed": "DELETE FROM audit_record WHERE id = :second",
    "removed with its link": "DELETE FROM audit_link WHERE position = 2",
    "reordered": """
        UPDATE audit_link SET record_id = CASE position WHEN 2 THEN CAST(:third AS text) ELSE CAST(:second AS text) END
        WHERE position IN (2, 3)
    """,
    "inserted beside the chain": """
        INSERT INTO audit_record (content) SELECT replace(content, :second, 'aud_x') FROM audit_record WHERE id = :second
    """,
    "inserted at the end": "INSERT INTO audit_link VALUES (5, 'aud_x', sha256('x'))",
    "hash changed": "UPDATE audit_link SET hash = sha256('x') WHERE position = 4",
    "gone from the end": "DELETE FROM audit_link WHERE position = 4",
}


@pytest.mark.parametrize("change", TAMPERINGS.values(), ids=TAMPERINGS.keys())
def test_what_somebody_with_all_power_does_is_found(
    change: str, database: Database, master: Database
) -> None:
    append(database, *(deed(targets=(new_id("fund"),)) for _ in range(4)))
    with database.transaction() as session:
        ids = session.scalars(text("SELECT record_id FROM audit_link ORDER BY position")).all()
    assert audit.verify(database).records == 4
    with master.transaction() as session:
        # Triggers and foreign keys are off for whoever owns the server: the chain is what is left.
        session.execute(text("ALTER TABLE audit_link DROP CONSTRAINT uq_audit_link_record_id"))
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text(change), {"second": ids[1], "third": ids[2]})

    with pytest.raises(audit.ChainBroken):
        audit.verify(database)


@given(
    contents=st.lists(st.binary(min_size=1, max_size=8), min_size=1, max_size=6),
    data=st.data(),
)
def test_no_other_list_of_records_leads_to_the_same_head(contents: list[bytes], data: st.DataObject) -> None:
    others = data.draw(
        st.one_of(
            st.permutations(contents),
            st.lists(st.binary(min_size=1, max_size=8), max_size=7),
            st.just([*contents, b"x"]),
            st.just(contents[:-1]),
        )
    )
    same = domain.chained(domain.GENESIS, contents) == domain.chained(domain.GENESIS, others)
    assert same == (list(others) == contents)


@pytest.mark.parametrize("role", ["amply_api", "amply_app", "amply_operator"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_record SET content = '{}'",
        "DELETE FROM audit_record",
        "TRUNCATE audit_record CASCADE",
        "INSERT INTO audit_link VALUES (1, 'aud_x', sha256('x'))",
        "UPDATE audit_link SET hash = sha256('x')",
        "DELETE FROM audit_link",
        "DELETE FROM audit_seal",
        "UPDATE audit_seal SET hash = sha256('x')",
        "SELECT chain_audit_record()",
    ],
)
def test_who_appends_changes_nothing(statement: str, role: str, databases: Databases) -> None:
    opened = databases.as_role(role)
    with (
        pytest.raises(ProgrammingError, match=r"permission denied|trigger functions"),
        opened.transaction() as session,
    ):
        session.execute(text(statement))


def test_the_owner_does_not_change_a_seal_either(database: Database, master: Database) -> None:
    audit.seal_and_archive(database, AuditShelf(), now=NOW)
    for change in ("hash = sha256('x')", "archived_at = now()", "archived_at = NULL"):
        with pytest.raises(IntegrityError, match="append-only"), master.transaction() as session:
            session.execute(text(f"UPDATE audit_seal SET {change}"))  # noqa: S608 -- the words above


def test_the_api_sees_records_of_no_organisation_that_nobody_asks_for_as_its_member(
    database: Database, databases: Databases
) -> None:
    """Members and keys see their own organisation's: tests/backend/db/test_member_isolation.py."""
    append(database, deed(), deed(organization_id=OTHER), deed(organization_id=None))
    api = databases.as_role("amply_api")
    for bound in ({}, {"organization_id": ORG}, {"organization_id": ORG, "person_id": "usr_nobody"}):
        with api.transaction(**bound) as session:
            assert audit.search(session, audit.Search()).items == [], bound


def test_what_is_not_archived_is_counted_once_it_is_late(database: Database) -> None:
    class Away(AuditShelf):
        def keep(self, path: str, body: bytes) -> None:
            raise OSError(path)

    append(database)

    def late(**later: float) -> int:
        with database.transaction() as session:
            return audit.count_unarchived(session, now=NOW + timedelta(**later))

    assert (late(), late(days=1)) == (0, 0), "today is sealed tomorrow"
    assert late(days=2) == 1, "nobody sealed it"
    with suppress(OSError):
        audit.seal_and_archive(database, Away(), now=NOW + timedelta(days=1))
    assert (late(days=1), late(days=1, hours=13)) == (0, 1)
    audit.seal_and_archive(database, AuditShelf(), now=NOW + timedelta(days=1, hours=6))
    assert late(days=1, hours=13) == 0


def test_nothing_personal_stands_in_a_record_in_clear(database: Database) -> None:
    append(
        database,
        deed(
            actor=audit.Actor(kind=audit.ActorKind.PERSON, id=PERSONAL),
            targets=(PERSONAL, "Zoë Lindqvist", "198.51.100.7", f"{ORG}/{PERSONAL}"),
            organization_id=PERSONAL,
            reason="Zoë asked for it, 0171 2345678",
            error=PERSONAL,
            request_id=PERSONAL,
            task_id=PERSONAL,
        ),
        deed(actor=audit.Actor(kind=audit.ActorKind.OPERATOR, id=PERSONAL)),
    )
    with database.transaction() as session:
        written = "".join(session.scalars(text("SELECT CAST(audit_record AS text) FROM audit_record")))
    for word in ("zoe", "Zo", "indqvist", "198.51", "asked", "0171"):
        assert word not in written
    assert audit.digested(PERSONAL) in written, "who knows the address finds it again"


def test_ids_and_codes_are_kept_as_they_are(database: Database) -> None:
    request = f"req_{'0' * 32}"
    append(
        database,
        deed(targets=(ORG, f"{ORG}/gifts", "evt_1ABCdef"), reason="left_the_platform", request_id=request),
    )
    with database.transaction() as session:
        (said,) = audit.search(session, audit.Search()).items
    assert (said["targets"], said["reason"], said["request"]) == (
        [ORG, f"{ORG}/gifts", "evt_1ABCdef"],
        "left_the_platform",
        request,
    )


def test_records_are_searched_a_page_at_a_time(database: Database) -> None:
    closed = [deed(targets=(new_id("fund"),)) for _ in range(5)]
    for number, each in enumerate(closed):
        append(database, each, now=NOW + timedelta(days=number))
    append(database, deed(organization_id=OTHER, action=audit.Action.FUND_CREATED), now=NOW)
    wanted = audit.Search(
        organization_id=ORG,
        actor="operator:local",
        action="fund.closed",
        since=NOW + timedelta(days=1),
        until=NOW + timedelta(days=4),
    )
    found: list[str] = []
    cursor: str | None = None
    with database.transaction() as session:
        while True:
            page = audit.search(session, wanted, cursor=cursor, limit=2)
            found += [said["targets"][0] for said in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
    assert found == [each.targets[0] for each in (closed[3], closed[2], closed[1])]


def test_a_day_is_sealed_once_whoever_seals_it(database: Database, databases: Databases) -> None:
    append(database, deed(), deed())
    shelf, second = AuditShelf(), databases.as_role("amply_app")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda each: audit.seal_and_archive(each, shelf, now=NOW), (database, second)))
    append(database)
    audit.seal_and_archive(database, shelf, now=NOW + timedelta(hours=1))
    (first,) = shelf.files
    assert first.startswith("audit/2026-11-25.00000.")
    audit.seal_and_archive(database, shelf, now=NOW + timedelta(days=2))
    (second_day,) = shelf.files.keys() - {first}
    heading, *records = map(json.loads, shelf.files[second_day].splitlines())
    assert (heading["first"], heading["last"], len(records)) == (3, 3, 1)
    assert audit.verify(database, shelf) == audit.Verified(records=3, head=heading["head"], seals=2, files=2)


def test_who_seals_a_day_meanwhile_waits_and_finds_it_sealed(
    database: Database, databases: Databases
) -> None:
    append(database)
    shelf, second = AuditShelf(), databases.as_role("amply_app")
    waiting = text("""
        SELECT count(*)
        FROM pg_locks
        WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    """)
    with ThreadPoolExecutor(1) as pool:
        with database.transaction() as session:
            sealing._seal(session, day=(NOW - timedelta(days=1)).date(), now=NOW)
            other = pool.submit(audit.seal_and_archive, second, shelf, now=NOW)
            until(lambda: bool(session.scalar(waiting)) or other.done())
            assert not other.done()
        assert other.result(timeout=30) == 1
    assert audit.verify(database, shelf).seals == 1


def test_a_file_is_enough_to_recompute_its_part_of_the_chain(database: Database) -> None:
    append(database, deed(), deed())
    shelf = AuditShelf()
    audit.seal_and_archive(database, shelf, now=NOW)
    (body,) = shelf.files.values()
    heading, *records = body.splitlines()
    said = json.loads(heading)
    assert domain.chained(bytes.fromhex(said["previous"]), records).hex() == said["head"]


def test_a_run_that_ended_before_its_mark_is_carried_on(database: Database) -> None:
    append(database)
    shelf = AuditShelf()

    class Away(AuditShelf):
        def keep(self, path: str, body: bytes) -> None:
            shelf.keep(path, body)
            raise ConnectionError

    with pytest.raises(ConnectionError):
        audit.seal_and_archive(database, Away(), now=NOW)
    append(database)
    assert audit.seal_and_archive(database, shelf, now=NOW) == 1
    assert audit.seal_and_archive(database, shelf, now=NOW) == 0
    assert audit.verify(database, shelf).files == 1


def test_many_records_make_several_files(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "PART_RECORDS", 2)
    append(database, *(deed() for _ in range(5)))
    shelf = AuditShelf()
    assert audit.seal_and_archive(database, shelf, now=NOW) == 3
    assert audit.verify(database, shelf).files == 3


def test_a_chain_that_was_made_anew_is_found_by_the_archive(database: Database, master: Database) -> None:
    """Who has all power in the database can write another chain that holds; not in the archive."""
    append(database, deed(), deed())
    shelf = AuditShelf()
    audit.seal_and_archive(database, shelf, now=NOW)
    with master.transaction() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        for table in ("audit_seal", "audit_link", "audit_record"):
            session.execute(text(f"DELETE FROM {table}"))  # noqa: S608 -- the names above
    append(database)
    assert audit.verify(database).records == 1
    with pytest.raises(audit.ArchiveDiffers, match="2026-11-25"):
        audit.verify(database, shelf)


def test_a_restored_database_seals_on_and_the_archive_tells_of_what_it_lost(
    database: Database, master: Database
) -> None:
    shelf = AuditShelf()
    append(database)
    audit.seal_and_archive(database, shelf, now=NOW)
    append(database)
    audit.seal_and_archive(database, shelf, now=NOW + timedelta(days=1))
    with master.transaction() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text("DELETE FROM audit_seal WHERE first_position = 2"))
        session.execute(
            text("DELETE FROM audit_record WHERE id = (SELECT record_id FROM audit_link WHERE position = 2)")
        )
        session.execute(text("DELETE FROM audit_link WHERE position = 2"))
    append(database)
    assert audit.seal_and_archive(database, shelf, now=NOW + timedelta(days=1)) == 1
    assert len(shelf.files) == 3
    assert audit.verify(database).records == 2
    with pytest.raises(audit.ArchiveDiffers):
        audit.verify(database, shelf)


@pytest.mark.parametrize("harm", ["lost", "changed", "added"])
def test_a_file_that_is_not_what_was_sealed_is_found(harm: str, database: Database) -> None:
    append(database)
    shelf = AuditShelf()
    audit.seal_and_archive(database, shelf, now=NOW)
    (name,) = shelf.files
    if harm == "lost":
        del shelf.files[name]
    else:
        shelf.files[name if harm == "changed" else "audit/2026-11-26.00000.0.jsonl"] = b"x"
    with pytest.raises(audit.ArchiveDiffers):
        audit.verify(database, shelf)


def test_what_was_sealed_and_is_gone_from_the_end_is_found(database: Database, master: Database) -> None:
    append(database, deed(), deed())
    audit.seal_and_archive(database, AuditShelf(), now=NOW)
    with master.transaction() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(
            text("DELETE FROM audit_record WHERE id = (SELECT record_id FROM audit_link WHERE position = 2)")
        )
        session.execute(text("DELETE FROM audit_link WHERE position = 2"))
    with pytest.raises(chain.ChainBroken, match="gone from the end"):
        audit.verify(database)
