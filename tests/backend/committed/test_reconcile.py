"""`amply-verify reconcile`: the database against the log it has published."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from amply.kernel.money import Money
from amply.modules.ledger import postings
from amply_verify.cli import cli
from amply_verify.outcome import Exit
from tests.backend.books_model import Life
from tests.backend.conftest import PASSWORD, Databases
from tests.backend.ledger_world import BIZ, OTHER_ORG, LedgerWorld

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


def dsn(databases: Databases, *, user: str = "amply_read") -> str:
    settings = databases.server.settings(name=databases.name, user=user)
    return f"host={settings.host} port={settings.port} dbname={settings.name} user={user} password={PASSWORD}"


def reconcile(books: LedgerWorld, databases: Databases, log: Path) -> Result:
    command = ["reconcile", str(log), "--key", str(books.verifier), "--json"]
    return CliRunner().invoke(cli, command, env={"AMPLY_DATABASE_DSN": dsn(databases)})


def alter(databases: Databases, *statements: str) -> None:
    """Change rows as nobody may: the superuser, with every trigger off."""
    master = databases.as_role("master")
    with master.transaction() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            session.execute(text(statement))
    master.close()


@pytest.fixture
def log(books: LedgerWorld, tmp_path: Path) -> Path:
    """A published log of 300 entries of two organisations, as files."""
    for number in range(40):
        books.post(personal={"donor_name": f"Donor {number}"})
    books.post_many(220)
    for _ in range(40):
        books.post(organization_id=OTHER_ORG)
    publish(books, tmp_path)
    return tmp_path


def test_a_database_and_its_log_agree(books: LedgerWorld, databases: Databases, log: Path) -> None:
    result = reconcile(books, databases, log)
    told = json.loads(result.stdout)
    assert result.exit_code == Exit.VERIFIED, told
    assert (told["published"], told["unpublished"], told["waiting"]) == (300, 0, 0)
    assert told["balances"] == 4


LIFE = (
    ("gift", 5_000, 40),
    ("gift", 3_000, 0),
    ("processing", 2_000, 0),
    ("arrives", 1_900, 0),
    ("processing", 700, 0),
    ("fails", 1, 0),
    ("ask_refund", 1_000, 0),
    ("refunded", 1, 0),
    ("ask_refund", 500, 1),
    ("refund_fails", 1, 0),
    ("refunded_elsewhere", 250, 0),
    ("dispute", 300, 0),
    ("dispute_won", 1, 0),
    ("ask_payout", 4_000, 0),
    ("payout_sent", 1, 0),
    ("payout_failed", 1, 0),
    ("exchange", 800, 7),
    ("correct", 2_500, 1),
    ("processing", 900, 0),
    ("ask_refund", 100, 0),
    ("ask_payout", 200, 0),
)
"""What leaves entries of every form: in two phases, reversing, superseding, with a reason; some still pending."""


def lived(books: LedgerWorld) -> Life:
    """The books after LIFE, and a business that matched the first gift."""
    life = Life(books)
    for event in LIFE:
        life.live(*event)
    matched = Money(minor_units=500, currency="EUR")
    books.book(
        postings.match_paid(business_id=BIZ, organization_id=life.org, amount=matched),
        kind="match.paid",
        organization_id=life.org,
        matches=life.gifts[0].entry_id,
    )
    assert life.refused == 0
    return life


def publish(books: LedgerWorld, directory: Path) -> None:
    """Sequence and publish what there is, and write the log's files into a directory."""
    books.sequence()
    books.publish()
    for path, body in books.public_log.objects.items():
        file = directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
    assert books.public_log.note is not None
    (directory / "checkpoint").write_text(books.public_log.note)


def audit(books: LedgerWorld, log: Path) -> Result:
    return CliRunner().invoke(cli, ["audit", str(log), "--key", str(books.verifier), "--json"])


def test_entries_of_every_form_agree_and_pass_an_audit(
    books: LedgerWorld, databases: Databases, tmp_path: Path
) -> None:
    life = lived(books)
    publish(books, tmp_path)
    told = json.loads(reconcile(books, databases, tmp_path).stdout)
    assert told["exit_code"] == Exit.VERIFIED, told
    assert told["published"] == len(life.history) + 1
    audited = json.loads(audit(books, tmp_path).stdout)
    assert audited["exit_code"] == Exit.VERIFIED, audited
    assert audited["books"]["pending"] == {"EUR": "1200"}


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("UPDATE transfer SET phase = NULL WHERE phase = 'pending'", "do not give the bytes"),
        ("UPDATE transfer SET pending_line = 1 WHERE pending_line = 0", "do not give the bytes"),
        ("UPDATE transfer SET phase = 'void' WHERE phase = 'post'", "do not give the bytes"),
        ("UPDATE entry SET reverses = NULL", "do not give the bytes"),
        ("UPDATE entry SET supersedes = NULL, reason = NULL", "do not give the bytes"),
        ("UPDATE entry SET reason = 'another' WHERE reason IS NOT NULL", "do not give the bytes"),
        ("UPDATE entry SET matches = NULL", "do not give the bytes"),
        (
            "UPDATE balance SET debits_pending = debits_pending + 1 WHERE account LIKE '%/gifts'",
            "the balance of",
        ),
        ("UPDATE balance SET credits_pending = 0 WHERE account LIKE '%/processor_balance'", "the balance of"),
    ],
)
def test_a_change_of_what_few_entries_have_is_found(
    books: LedgerWorld, databases: Databases, tmp_path: Path, statement: str, sentence: str
) -> None:
    lived(books)
    publish(books, tmp_path)
    alter(databases, statement)
    told = json.loads(reconcile(books, databases, tmp_path).stdout)
    assert told["exit_code"] == Exit.DIFFERENT, told
    assert sentence in told["message"]


def test_a_refund_above_its_gift_is_a_fact_and_a_breach(
    books: LedgerWorld, databases: Databases, tmp_path: Path
) -> None:
    """What the processor did is booked, and an audit names it: somebody must look at it."""
    life = Life(books)
    life.live("gift", 1_000, 0)
    life.live("refunded_elsewhere", 1_001, 0)
    publish(books, tmp_path)
    assert reconcile(books, databases, tmp_path).exit_code == Exit.VERIFIED
    told = json.loads(audit(books, tmp_path).stdout)
    assert told["exit_code"] == Exit.BREACH
    assert life.history[-1][0] in told["message"]
    assert [breach["by"] for breach in told["books"]["breaches_told"]] == [life.history[-1][0]]
    assert "somebody has to look at it" in told["next"]


def test_what_is_newer_than_the_checkpoint_is_counted(
    books: LedgerWorld, databases: Databases, log: Path
) -> None:
    books.post_many(3)
    books.sequence()
    books.post_many(2)
    told = json.loads(reconcile(books, databases, log).stdout)
    assert (told["exit_code"], told["published"], told["unpublished"], told["waiting"]) == (0, 300, 3, 2)


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        (
            "UPDATE transfer SET amount_minor = amount_minor + 1 WHERE entry_id = {id}",
            "do not give the bytes",
        ),
        ("UPDATE transfer SET line = 1 WHERE entry_id = {id}", None),
        ("DELETE FROM transfer WHERE entry_id = {id}", "are no entry"),
        ("UPDATE entry SET kind = 'donation.forged' WHERE id = {id}", "do not give the bytes"),
        (
            "UPDATE entry SET event_at = event_at + interval '1 minute' WHERE id = {id}",
            "do not give the bytes",
        ),
        ("UPDATE entry SET organization_id = 'Org' WHERE id = {id}", "are no entry"),
        ("UPDATE entry SET commitments = '{{}}' WHERE id = {id}", "do not give the bytes"),
        ("DELETE FROM entry WHERE id = {id}", "has no such entry"),
        ("DELETE FROM leaf WHERE entry_id = {id}", "has no leaf 7"),
        ("DELETE FROM leaf WHERE idx >= 290", "the log has 300 entries, and the database only 290"),
        ("UPDATE balance SET debits_posted = debits_posted + 1 WHERE debits_posted > 0", "the balance of"),
        ("DELETE FROM balance", "the balance of"),
    ],
)
def test_a_change_behind_the_ledger_s_back_is_found(
    books: LedgerWorld, databases: Databases, log: Path, statement: str, sentence: str | None
) -> None:
    alter(databases, statement.format(id="(SELECT entry_id FROM leaf WHERE idx = 7)"))
    told = json.loads(reconcile(books, databases, log).stdout)
    if sentence is None:  # a line's number is no part of a leaf with one line
        assert told["exit_code"] == Exit.VERIFIED
    else:
        assert told["exit_code"] == Exit.DIFFERENT, told
        assert sentence in told["message"]


def test_leaves_rewritten_together_with_their_rows_are_found(
    books: LedgerWorld, databases: Databases, log: Path
) -> None:
    """The administrator who rewrites everything in the database: the log has said otherwise."""
    alter(
        databases,
        "UPDATE transfer SET amount_minor = 9999 WHERE entry_id = (SELECT entry_id FROM leaf WHERE idx = 299)",
        """
        UPDATE leaf SET bytes = convert_to(replace(convert_from(bytes, 'UTF8'), '"amt":"2500"', '"amt":"9999"'), 'UTF8')
        WHERE idx = 299
        """,
    )
    told = json.loads(reconcile(books, databases, log).stdout)
    assert told["exit_code"] == Exit.DIFFERENT
    assert "leaf 299 is another one in the database than in the log" in told["message"]


def test_a_database_that_cannot_be_read_was_not_checked(
    books: LedgerWorld, databases: Databases, log: Path
) -> None:
    command = ["reconcile", str(log), "--key", str(books.verifier), "--json"]
    for given in (dsn(databases).replace(PASSWORD, "wrong"), dsn(databases, user="amply_api"), "host="):
        result = CliRunner().invoke(cli, command, env={"AMPLY_DATABASE_DSN": given})
        assert result.exit_code == Exit.UNREACHABLE, result.stdout
        assert PASSWORD not in result.stdout
    assert CliRunner().invoke(cli, command).exit_code == Exit.USAGE


def test_nothing_can_be_written_on_the_way(books: LedgerWorld, databases: Databases, log: Path) -> None:
    before = (books.sequence(), reconcile(books, databases, log).exit_code)
    command = ["reconcile", str(log), "--key", str(books.verifier)]
    as_master = {"AMPLY_DATABASE_DSN": dsn(databases, user="master")}
    assert CliRunner().invoke(cli, command, env=as_master).exit_code == before[1] == Exit.VERIFIED
