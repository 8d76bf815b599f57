"""What a rehearsal of a restore checks in PostgreSQL: a whole ledger passes, and each way of being broken is named."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
import pytest

from ledger_format.merkle import leaf_hash, root_of
from ledger_format.notes import VerifierKey
from operations.restore.checks import check_root, read_head, root_of_leaves
from operations.restore.migrations import Migrations, read_migrations
from operations.restore.outcome import Exit, Finding, NotChecked, Verdict, judge
from operations.restore.published import hold_against
from operations.restore.rehearsal import check_database
from tests.backend.conftest import PASSWORD, Databases
from tests.backend.ledger_world import OTHER_ORG, LedgerWorld

ROOT = Path(__file__).parents[3]
MIGRATIONS = read_migrations(ROOT / "services/backend/src/amply/migrations/versions")


@pytest.fixture
def restored(databases: Databases) -> Iterator[psycopg.Connection]:
    """The test's database as the master user of a restored instance sees it."""
    with psycopg.connect(
        host="127.0.0.1",
        port=databases.server.running.cluster.port,
        dbname=databases.name,
        user="master",
        password=PASSWORD,
        autocommit=True,
    ) as connection:
        yield connection


@pytest.fixture
def kept(books: LedgerWorld) -> LedgerWorld:
    """Five entries of two organisations, published."""
    books.post_many(3)
    books.post(organization_id=OTHER_ORG)
    books.post()
    books.sequence()
    books.publish()
    return books


def _wrong(findings: list[Finding]) -> set[str]:
    return {finding.check for finding in findings if finding.verdict is Verdict.WRONG}


def _look(connection: psycopg.Connection) -> list[Finding]:
    return list(check_database(connection, MIGRATIONS))


def _note(books: LedgerWorld) -> bytes:
    return books.archive.objects["checkpoints/5"]


@pytest.mark.usefixtures("kept")
def test_a_whole_ledger_passes_every_check(restored: psycopg.Connection) -> None:
    findings = _look(restored)
    assert judge(findings) is Exit.REHEARSED
    assert {finding.check for finding in findings} == {
        "schema",
        "entries",
        "transfers",
        "indexes",
        "chains",
        "balances",
        "root",
    }


def test_entries_that_came_after_the_last_checkpoint_are_no_mistake(
    kept: LedgerWorld, restored: psycopg.Connection
) -> None:
    kept.post_many(2)
    kept.sequence()
    kept.post()
    assert judge(_look(restored)) is Exit.REHEARSED


BROKEN: Mapping[str, tuple[str, set[str]]] = {
    "a leaf lost": ("DELETE FROM leaf WHERE idx = 1", {"indexes", "chains", "balances", "root"}),
    "a byte turned": (
        "UPDATE leaf SET bytes = set_byte(bytes, 10, get_byte(bytes, 10) # 1) WHERE idx = 4",
        {"root"},
    ),
    "a transfer lost": (
        "DELETE FROM transfer WHERE entry_id = (SELECT min(id) FROM entry)",
        {"entries", "balances"},
    ),
    "an entry lost": ("DELETE FROM entry WHERE id = (SELECT min(id) FROM entry)", {"transfers"}),
    "a balance of yesterday": ("UPDATE balance SET debits_posted = debits_posted + 1", {"balances"}),
    "a balance lost": ("DELETE FROM balance", {"balances"}),
    "a schema of the future": ("UPDATE alembic_version SET version_num = '9999'", {"schema"}),
    "no schema at all": ("DELETE FROM alembic_version", {"schema"}),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.usefixtures("kept")
def test_what_is_broken_is_named(name: str, restored: psycopg.Connection) -> None:
    statement, checks = BROKEN[name]
    for table in ("leaf", "transfer", "entry", "balance"):
        restored.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL".encode())
    restored.execute(statement.encode())

    findings = _look(restored)

    assert _wrong(findings) == checks
    assert judge(findings) is Exit.WRONG


@pytest.mark.usefixtures("kept")
def test_an_older_schema_is_right_and_says_what_to_do(restored: psycopg.Connection) -> None:
    ahead = Migrations(known=MIGRATIONS.known | {"0999"}, newest="0999")
    schema = next(iter(check_database(restored, ahead)))
    assert schema.verdict is Verdict.RIGHT
    assert "migrate after a restore" in schema.sentence


def test_the_verifier_agrees_with_the_restored_tree(kept: LedgerWorld, restored: psycopg.Connection) -> None:
    head = read_head(restored)
    assert head is not None
    finding = hold_against(_note(kept), head=head, key=str(kept.verifier))
    assert finding.verdict is Verdict.RIGHT
    assert "5 entries" in finding.sentence


def test_any_of_the_pinned_keys_will_do(kept: LedgerWorld, restored: psycopg.Connection) -> None:
    """Former ones are pinned too; a task is told them on lines."""
    head = read_head(restored)
    assert head is not None
    another = VerifierKey.from_ed25519(kept.verifier.name, bytes(range(32)))
    assert hold_against(_note(kept), head=head, key=f"{another}\n{kept.verifier}").verdict is Verdict.RIGHT
    assert hold_against(_note(kept), head=head, key=f"{another}\n").verdict is not Verdict.RIGHT


def test_a_tree_the_public_has_not_seen_is_wrong(kept: LedgerWorld, restored: psycopg.Connection) -> None:
    """Another log signed by the same key: as if the database had gone on from an older backup."""
    head = read_head(restored)
    assert head is not None
    forked = type(head)(size=head.size, root=bytes(32))
    assert hold_against(_note(kept), head=forked, key=str(kept.verifier)).verdict is Verdict.WRONG
    assert check_root(restored, forked).verdict is Verdict.WRONG


def test_a_checkpoint_with_a_false_signature_is_wrong(
    kept: LedgerWorld, restored: psycopg.Connection
) -> None:
    head = read_head(restored)
    assert head is not None
    forged = _note(kept).replace(b"\n5\n", b"\n6\n")
    assert hold_against(forged, head=head, key=str(kept.verifier)).verdict is Verdict.WRONG


def test_without_a_key_nothing_is_known(kept: LedgerWorld, restored: psycopg.Connection) -> None:
    head = read_head(restored)
    assert head is not None
    with pytest.raises(NotChecked, match="could not check"):
        hold_against(_note(kept), head=head, key="/no/such/key")


def test_a_ledger_that_published_nothing_has_no_head(restored: psycopg.Connection) -> None:
    assert read_head(restored) is None


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 100, 257])
def test_the_root_grows_as_the_format_says(size: int) -> None:
    raws = [str(number).encode() for number in range(size)]
    assert root_of_leaves(raws) == root_of([leaf_hash(raw) for raw in raws])
