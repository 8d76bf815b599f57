"""Rows, log and balances are held together piece by piece; whatever somebody changed past the triggers is found."""

from contextlib import closing
from datetime import timedelta
from typing import Final

import pytest
from sqlalchemy import text

from amply.entrypoints import backlog
from amply.modules import ledger
from amply.modules.ledger import reconciling
from tests.backend.committed.test_reconcile import lived as everything_that_happens
from tests.backend.conftest import Databases
from tests.backend.ledger_world import NOW, OTHER_ORG, LedgerWorld

LATER: Final = NOW + timedelta(days=400)
"""After the migrations, by whatever clock they ran."""


@pytest.fixture
def lived(books: LedgerWorld, monkeypatch: pytest.MonkeyPatch) -> LedgerWorld:
    """Entries of every form, of two organisations, in a log of more than a tile; pieces that end within tiles."""
    monkeypatch.setattr(reconciling, "PIECE_ENTRIES_MAX", 100)
    everything_that_happens(books)
    books.post_many(250)
    for _ in range(10):
        books.post(organization_id=OTHER_ORG)
    books.sequence()
    with books.app.transaction() as session:
        session.execute(text("UPDATE reconciliation SET began_at = :now"), {"now": LATER})
    return books


def walk(books: LedgerWorld, *, later: timedelta = timedelta()) -> ledger.Reconciled:
    return ledger.reconcile_on(books.app, now=LATER + later)


def size(books: LedgerWorld) -> int:
    return len(books.leaves())


def alter(databases: Databases, *statements: str) -> None:
    """Change rows as nobody may: the superuser, with every trigger off."""
    with closing(databases.as_role("master")) as master, master.transaction() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            assert session.execute(text(statement)).rowcount, "something is changed"  # type: ignore[attr-defined] # a statement's result has it


def test_what_was_only_ever_appended_agrees(lived: LedgerWorld) -> None:
    entries = size(lived)
    assert walk(lived) == ledger.Reconciled(entries=entries, checked_to=entries, difference=None)


def test_a_walk_follows_what_is_new_and_begins_again_after_an_hour(lived: LedgerWorld) -> None:
    entries = size(lived)
    walk(lived)
    lived.post_many(5)
    lived.sequence()
    assert walk(lived).entries == 5

    assert walk(lived, later=timedelta(hours=2)).checked_to == 0
    assert walk(lived, later=timedelta(hours=2)).entries == entries + 5


def test_a_run_is_bounded_and_the_next_one_continues(
    lived: LedgerWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciling, "PIECES_MAX", 2)
    assert walk(lived).checked_to == 200
    assert walk(lived).checked_to == size(lived)


def test_how_long_ago_a_whole_walk_ended_is_measured(lived: LedgerWorld) -> None:
    walk(lived)
    measured = backlog.measure(lived.app, now=LATER + timedelta(minutes=7))
    assert measured.reconciled_seconds == 420


TAMPERED: Final = {
    "an amount": "UPDATE transfer SET amount_minor = amount_minor + 1 WHERE entry_id = (SELECT entry_id FROM leaf WHERE idx = 150)",
    "an account": """
        UPDATE transfer SET credit = 'platform/contributions'
        WHERE entry_id = (SELECT entry_id FROM leaf WHERE idx = 150)
    """,
    "a kind": "UPDATE entry SET kind = 'gift.taken' WHERE id = (SELECT entry_id FROM leaf WHERE idx = 7)",
    "a reason": "UPDATE entry SET reason = 'other' WHERE reason IS NOT NULL",
    "a transfer taken away": "DELETE FROM transfer WHERE entry_id = (SELECT entry_id FROM leaf WHERE idx = 150)",
    "an entry taken away": "DELETE FROM entry WHERE id = (SELECT entry_id FROM leaf WHERE idx = 150)",
    "another organisation": """
        UPDATE entry SET organization_id = 'org_11111111111111111111111111' WHERE id = (SELECT entry_id FROM leaf WHERE idx = 150)
    """,
    "a leaf": "UPDATE leaf SET bytes = set_byte(bytes, 40, get_byte(bytes, 40) # 1) WHERE idx = 150",
    "a leaf taken away": "DELETE FROM leaf WHERE idx = 150",
    "a hash": "UPDATE tile SET hashes = set_byte(hashes, 32 * 150, get_byte(hashes, 32 * 150) # 1) WHERE (level, index) = (0, 0)",
    "an upper hash": "UPDATE tile SET hashes = set_byte(hashes, 3, get_byte(hashes, 3) # 1) WHERE (level, index) = (1, 0)",
    "a posting": "UPDATE posting SET debits_posted = debits_posted + 1 WHERE idx = 150 AND debits_posted > 0",
    "a posting taken away": "DELETE FROM posting WHERE idx = 150",
    "a posting too many": """
        INSERT INTO posting SELECT account, idx, 99, debits_posted, credits_posted, debits_pending, credits_pending
        FROM posting WHERE idx = 150
    """,
    "a balance": "UPDATE balance SET credits_posted = credits_posted + 1 WHERE account LIKE '%/gifts'",
    "a balance taken away": "DELETE FROM balance WHERE account LIKE '%/gifts'",
}


@pytest.mark.parametrize("name", TAMPERED)
def test_what_somebody_changed_past_the_triggers_is_found_and_stays_found(
    name: str, lived: LedgerWorld, databases: Databases
) -> None:
    alter(databases, TAMPERED[name])

    found = walk(lived)
    assert found.difference is not None
    assert walk(lived, later=timedelta(days=1)).difference == found.difference


def test_a_row_and_its_leaf_that_agree_with_each_other_do_not_agree_with_the_tree(
    lived: LedgerWorld, databases: Databases
) -> None:
    alter(
        databases,
        "UPDATE entry SET kind = 'donation.succeedee' WHERE id = (SELECT entry_id FROM leaf WHERE idx = 150)",
        """
        UPDATE leaf SET bytes = convert_to(replace(convert_from(bytes, 'UTF8'), 'succeeded', 'succeedee'), 'UTF8')
        WHERE idx = 150
        """,
    )
    assert walk(lived).difference == "tile/0/000.p/200 is not made of the leaves below it"


def test_two_at_once_come_as_far_as_one(lived: LedgerWorld) -> None:
    """The second has looked at the same piece, and moves nothing back."""
    with lived.app.transaction() as session:
        session.execute(text("UPDATE reconciliation SET checked_to = 100"))
        before = session.execute(text("SELECT checked_to, began_at FROM reconciliation")).one()
    walk(lived)
    with lived.app.transaction() as session:
        reconciling._move_on(
            session,
            reconciling._State(checked_to=before.checked_to, began_at=before.began_at, completed_at=None),
            reconciling._State(checked_to=200, began_at=before.began_at, completed_at=None),
            difference=None,
        )
    assert walk(lived) == ledger.Reconciled(entries=0, checked_to=size(lived), difference=None)
