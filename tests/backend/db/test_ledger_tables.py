"""What the database itself refuses, whoever asks."""
# ruff: noqa: S608 -- statements are put together from this file's own words

import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError

from amply.infra.database import Database
from amply.modules.ledger.chart import CHART
from ledger_format.entries import MAX_TRANSFERS
from tests.backend.conftest import Databases
from tests.backend.ledger_world import NOW, ORG, OTHER_ORG, LedgerWorld

FUND = "fund_" + "0" * 26


@pytest.fixture
def owner(databases: Databases) -> Iterator[Database]:
    """The master user, who may act as the tables' owner."""
    opened = databases.as_role("master")
    yield opened
    opened.close()


@pytest.fixture
def full(books: LedgerWorld) -> LedgerWorld:
    """Every table has rows."""
    books.post(personal={"donor_name": "Zoë"})
    books.post()
    books.sequence()
    books.publish()
    return books


def execute(database: Database, statement: str, **parameters: Any) -> None:
    with database.transaction() as session:
        if database.engine.url.username == "master":
            session.execute(text("SET ROLE amply_owner"))
        session.execute(text(statement), parameters)


def refused(database: Database, statement: str, **parameters: Any) -> str:
    """The name of the rule that refuses a statement."""
    with pytest.raises(IntegrityError) as caught:
        execute(database, statement, **parameters)
    cause = caught.value.orig
    assert isinstance(cause, psycopg.Error)
    return str(cause.diag.constraint_name)


def test_the_chart_is_the_codes(books: LedgerWorld) -> None:
    with books.app.transaction() as session:
        rows = session.execute(text("SELECT code, normal_side FROM chart"))
        assert {row.code: row.normal_side for row in rows} == CHART


def test_writers_cannot_write_the_log(books: LedgerWorld) -> None:
    for table in ("leaf", "tile", "checkpoint", "balance", "posting"):
        with pytest.raises(ProgrammingError, match="permission denied"):
            execute(books.app, f"INSERT INTO {table} DEFAULT VALUES")


def test_neither_sequencer_nor_readers_see_what_a_commitment_hides(
    full: LedgerWorld, databases: Databases
) -> None:
    reader = databases.as_role("amply_read")
    for role in (full.sequencer, reader):
        with pytest.raises(ProgrammingError, match="permission denied"):
            execute(role, "SELECT * FROM opening")
    execute(reader, "SELECT * FROM entry, transfer, leaf, balance, tile, checkpoint")
    reader.close()


ENTRY = """
    INSERT INTO entry (id, kind, organization_id, idempotency_key, event_at, created_at, commitments)
    VALUES (:id, 'a.b', :org, :id, :now, :now, '{}')
"""
SPELLED = """
    INSERT INTO entry
        (id, kind, organization_id, idempotency_key, event_at, created_at, reference, reverses, commitments)
    VALUES
        (:id, :kind, :organization_id, :key, :now, :now, :reference, :reverses, CAST(:commitments AS jsonb))
"""
TRANSFER = """
    INSERT INTO transfer (entry_id, line, debit, credit, currency, amount_minor)
    VALUES (:id, 0, :debit, :credit, :currency, :amount)
"""
BOTH = f"WITH posted AS ({ENTRY}) {TRANSFER}"


def row(**changed: Any) -> dict[str, Any]:
    return {
        "id": "ent_" + "a" * 26,
        "org": ORG,
        "now": NOW,
        "debit": f"{ORG}/processor_balance",
        "credit": f"{ORG}/gifts",
        "currency": "EUR",
        "amount": 1,
    } | changed


def test_an_entry_and_its_transfers_are_one_statement(full: LedgerWorld) -> None:
    execute(full.app, BOTH, **row())


def test_an_entry_moves_something(full: LedgerWorld) -> None:
    assert refused(full.app, ENTRY, **row()) == "entry_has_transfers"


def test_no_line_is_added_to_an_entry_of_the_past(full: LedgerWorld) -> None:
    late = text("""
        INSERT INTO transfer (entry_id, line, debit, credit, currency, amount_minor)
        SELECT entry_id, 7, debit, credit, currency, amount_minor FROM transfer LIMIT 1
    """)
    with pytest.raises(IntegrityError, match="transfer is written with its entry"):
        execute(full.app, late.text)


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        pytest.param({"amount": 0}, "ck_transfer_moves", id="nothing"),
        pytest.param({"amount": -1}, "ck_transfer_moves", id="backwards"),
        pytest.param({"debit": f"{ORG}/gifts"}, "ck_transfer_moves", id="to itself"),
        pytest.param({"currency": "Euro"}, "ck_account_currency", id="no currency"),
        pytest.param({"debit": f"{ORG}/pocket"}, "fk_account_code", id="not in the chart"),
        pytest.param({"debit": "me/gifts"}, "ck_account_owner", id="nobody's account"),
        pytest.param({"debit": "gifts"}, "ck_account_owner", id="no owner"),
        pytest.param({"debit": f"{ORG}/gifts/x"}, "ck_account_part", id="half an account"),
        pytest.param({"debit": f"{ORG}/bank/{FUND}"}, "ck_account_part", id="a part of what has none"),
        pytest.param({"debit": f"{ORG}/in_kind/{FUND}"}, "ck_account_part", id="the other side of things"),
    ],
)
def test_an_unsound_transfer_is_refused(changed: dict[str, Any], rule: str, full: LedgerWorld) -> None:
    assert refused(full.app, BOTH, **row(**changed)) == rule


def test_nobody_chooses_the_transaction_a_row_comes_from(books: LedgerWorld) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"):
        execute(books.app, "INSERT INTO entry (id, xid) VALUES ('ent_x', '5')")


def test_an_account_is_in_the_chart_and_has_an_owner(books: LedgerWorld) -> None:
    account = "INSERT INTO account (owner, code, currency, opened_by) VALUES (:owner, :code, 'EUR', '')"

    assert refused(books.app, account, owner=ORG, code="pocket") == "fk_account_code"
    assert refused(books.app, account, owner="me", code="gifts") == "ck_account_owner"


def test_a_transfer_in_another_currency_is_between_other_accounts(full: LedgerWorld) -> None:
    execute(full.app, BOTH, **row(currency="USD"))

    with full.app.transaction() as session:
        accounts = session.execute(text("SELECT code, currency FROM account")).all()
    assert {(account.code, account.currency) for account in accounts} == {
        ("processor_balance", "EUR"),
        ("gifts", "EUR"),
        ("processor_balance", "USD"),
        ("gifts", "USD"),
    }


DIGEST = "ab" * 32
MANY = f"""
    WITH posted AS ({SPELLED})
    INSERT INTO transfer (entry_id, line, debit, credit, currency, amount_minor)
    SELECT :id, line, :debit, :credit, :currency, :amount FROM generate_series(CAST(:first_line AS integer), CAST(:last_line AS integer)) AS line
"""


def committed(**fields: Any) -> str:
    return json.dumps(fields)


def spelled(**changed: Any) -> dict[str, Any]:
    given = row(
        organization_id=ORG, kind="a.b", reference=None, reverses=None, key="k", commitments="{}", **changed
    )
    given.pop("org")
    return given


@pytest.mark.parametrize(
    ("first_line", "last_line"),
    [
        pytest.param(0, MAX_TRANSFERS, id="one too many"),
        pytest.param(1, 2, id="not from 0"),
        pytest.param(256, 256, id="a line no leaf can name"),
    ],
)
def test_an_entry_has_at_most_so_many_lines_from_0(
    first_line: int, last_line: int, books: LedgerWorld
) -> None:
    assert refused(books.app, MANY, **spelled(first_line=first_line, last_line=last_line)) == "entry_lines"


RESOLVED = f"""
    WITH posted AS ({SPELLED})
    INSERT INTO transfer
        (entry_id, line, debit, credit, currency, amount_minor, phase, pending_entry_id, pending_line)
    SELECT :id, line, debit, credit, currency, amount_minor, 'post', entry_id, line
    FROM transfer WHERE entry_id = :pending
"""


def test_the_largest_entry_the_tables_take_has_a_place_in_the_log(
    books: LedgerWorld, databases: Databases
) -> None:
    """Whatever passes the checks can be sequenced; anything else would stop the log for everyone."""
    code = "z" * 32
    master = databases.as_role("master")
    execute(master, "INSERT INTO chart (code, normal_side) VALUES (:code, 'debit')", code=code)
    assert refused(master, "INSERT INTO chart VALUES (:code, 'debit')", code=code + "z") == "ck_chart_code"
    master.close()
    lines = {
        "debit": f"{ORG}/{code}",
        "credit": f"{OTHER_ORG}/{code}",
        "amount": 2**63 - 1,
        "first_line": 0,
        "last_line": MAX_TRANSFERS - 1,
    }
    reserved = spelled(**lines) | {"id": "ent_" + "b" * 26, "key": "reserved"}
    reserving = MANY.replace("amount_minor)", "amount_minor, phase)").replace(
        ":amount FROM", ":amount, 'pending' FROM"
    )
    execute(books.app, reserving, **reserved)
    given = books.post().id
    largest = spelled() | {
        "pending": reserved["id"],
        "kind": "k" * 32 + "." + "k" * 31,
        "reference": "r" * 127 + ":" + "R" * 127,
        "reverses": given,
        "supersedes": given,
        "matches": given,
        "reason": "y" * 64,
        "commitments": committed(**{"f" * 62 + f"{number:02}": DIGEST for number in range(32)}),
    }
    execute(
        books.app,
        RESOLVED.replace("reverses, comm", LINKS).replace(":reverses, CAST", f"{VALUES}, CAST"),
        **largest,
    )

    assert books.sequence() == 3
    assert 50_000 < len(books.leaves()[2]) < 65_535
    debited, credited = books.balance(f"{ORG}/{code}")
    assert (debited, credited) == (200 * (2**63 - 1), 0)


LINKS = "reverses, supersedes, matches, reason, comm"
VALUES = ":reverses, :supersedes, :matches, :reason"


def test_what_the_log_cannot_spell_is_no_entry(full: LedgerWorld) -> None:
    for column, value, rule in (
        ("id", "ent_" + "A" * 26, "entry_id"),
        ("id", "ent_a", "entry_id"),
        ("organization_id", "org_" + "-" * 26, "entry_organization_id"),
        ("organization_id", "don_" + "a" * 26, "entry_organization_id"),
        ("kind", "Donation", "entry_kind"),
        ("reference", "two words", "entry_reference"),
        ("reference", "a:" + "b" * 254, "entry_reference"),
        ("reverses", "ent_" + "b" * 26, "entry_reverses"),
        ("reverses", "ent_" + "a" * 26, "entry_reverses"),
        ("key", "", "entry_idempotency_key"),
        ("commitments", "[]", "entry_commitments"),
        ("commitments", committed(Name=DIGEST), "entry_commitments"),
        ("commitments", committed(**{"n" * 65: DIGEST}), "entry_commitments"),
        ("commitments", committed(**{"": DIGEST}), "entry_commitments"),
        ("commitments", committed(name=DIGEST.upper()), "entry_commitments"),
        ("commitments", committed(name=DIGEST[1:]), "entry_commitments"),
        ("commitments", committed(name=DIGEST + "00"), "entry_commitments"),
        ("commitments", committed(name=1), "entry_commitments"),
        ("commitments", committed(name=None), "entry_commitments"),
        ("commitments", committed(**{f"n{number}": DIGEST for number in range(33)}), "entry_commitments"),
        ("now", "infinity", "entry_event_at"),
        ("now", "10000-01-01T00:00Z", "entry_event_at"),
        ("now", "0001-01-01T00:00Z BC", "entry_event_at"),
    ):
        statement = BOTH.replace(ENTRY, SPELLED)
        assert refused(full.app, statement, **spelled() | {column: value}) == rule


LEAF = """
    INSERT INTO leaf (idx, entry_id, org, org_seq, org_prev, bytes)
    VALUES (:idx, :entry_id, :org, :org_seq, :org_prev, :raw)
"""


def leaf(books: LedgerWorld, **changed: Any) -> dict[str, Any]:
    """A third leaf that would be right, for an entry that is not sequenced."""
    entry_id = books.post().id
    with books.app.transaction() as session:
        before = session.execute(text("SELECT leaf_hash FROM leaf WHERE idx = 1")).one()
    return {
        "idx": 2,
        "entry_id": entry_id,
        "org": ORG,
        "org_seq": 2,
        "org_prev": before.leaf_hash,
        "raw": b"{}",
    } | changed


def test_a_leaf_that_continues_the_log_is_taken(full: LedgerWorld) -> None:
    execute(full.sequencer, LEAF, **leaf(full))

    with full.app.transaction() as session:
        hashed = session.scalar(text("SELECT leaf_hash FROM leaf WHERE idx = 2"))
    assert hashed == sha256(b"\0{}").digest()


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        pytest.param({"idx": 3}, "leaf_contiguous", id="gap"),
        pytest.param({"idx": 1}, "pk_leaf", id="taken"),
        pytest.param({"org_seq": 3}, "leaf_org_chain", id="gap in the chain"),
        pytest.param({"org_seq": 1}, "uq_leaf_org_seq", id="fork of the chain"),
        pytest.param({"org_prev": b"\0" * 32}, "leaf_org_chain", id="another previous"),
        pytest.param({"org_seq": 0, "org_prev": None}, "uq_leaf_org_seq", id="second beginning"),
        pytest.param({"entry_id": "ent_unknown"}, "leaf_of_entry", id="no entry"),
        pytest.param(
            {"org": OTHER_ORG, "org_seq": 0, "org_prev": None}, "leaf_of_entry", id="another's entry"
        ),
        pytest.param({"raw": b""}, "ck_leaf_bytes", id="nothing"),
    ],
)
def test_a_leaf_that_does_not_continue_the_log_is_refused(
    changed: dict[str, Any], rule: str, full: LedgerWorld
) -> None:
    assert refused(full.sequencer, LEAF, **leaf(full, **changed)) == rule


def test_a_tile_only_grows(full: LedgerWorld) -> None:
    execute(full.sequencer, "UPDATE tile SET hashes = hashes || :more", more=b"\1" * 32)
    for worse in ("substr(hashes, 1, 32)", "overlay(hashes placing '\\x00' from 1)", "hashes || '\\x01'"):
        with pytest.raises(IntegrityError):
            execute(full.sequencer, f"UPDATE tile SET hashes = {worse}")


def test_a_checkpoint_is_completed_and_never_changed(full: LedgerWorld, owner: Database) -> None:
    for change in ("note = 'x'", "published_at = now()"):
        assert refused(full.sequencer, f"UPDATE checkpoint SET {change}") == "checkpoint_completed"
    assert refused(owner, "UPDATE checkpoint SET size = 1, root = root") == "checkpoint_completed"


CHECKPOINT = """
    INSERT INTO checkpoint (size, previous_size, root, created_at) VALUES (:size, :previous, :root, :now)
"""


def test_checkpoints_form_one_growing_line(full: LedgerWorld) -> None:
    full.post()
    full.sequence()
    rest = {"root": b"\0" * 32, "now": NOW}

    assert refused(full.sequencer, CHECKPOINT, size=4, previous=2, **rest) == "fk_checkpoint_last_index"
    assert refused(full.sequencer, CHECKPOINT, size=1, previous=2, **rest) == "ck_checkpoint_grows"
    assert refused(full.sequencer, CHECKPOINT, size=3, previous=None, **rest) == "uq_checkpoint_previous_size"
    execute(full.sequencer, CHECKPOINT, size=3, previous=2, **rest)


def test_balances_never_go_below_zero_on_a_side(full: LedgerWorld) -> None:
    with pytest.raises(DBAPIError):
        execute(full.sequencer, "UPDATE balance SET debits_posted = -1")
