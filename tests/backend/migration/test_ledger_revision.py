"""The ledger's revision can be taken back while it is empty, and applied again."""

import pytest
from alembic import command
from sqlalchemy import text

from amply.infra.migrate import configuration, migrate
from amply.modules import ledger
from amply.modules.ledger import postings
from tests.backend.conftest import Databases, let_bookings_in
from tests.backend.ledger_world import ORG, OTHER_ORG, LedgerWorld
from tests.backend.unit.test_postings import euros


def test_the_revision_goes_down_and_up_again(databases: Databases) -> None:
    master = databases.as_role("master")
    with master.engine.connect() as connection:
        command.downgrade(configuration(connection), "0001")
    with master.transaction() as session:
        assert session.scalar(text("SELECT to_regclass('entry')")) is None
        assert session.scalar(text("SELECT count(*) FROM pg_proc WHERE proname LIKE 'check\\_%'")) == 0

    master.close()  # its connections act as the owner now
    migrate(master.engine)

    with master.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM chart")) == 23
    master.close()


def test_the_books_of_a_ledger_that_is_in_use_are_filled_from_its_log(
    books: LedgerWorld, databases: Databases
) -> None:
    """Revision 0006 on a database that has taken gifts: as if postings had been written from the start."""
    books.post_many(3)
    books.book(postings.processor_fee(organization_id=ORG, amount=euros(63)))
    books.sequence()
    books.post(organization_id=OTHER_ORG)
    books.sequence()
    kept = text("""
        SELECT account.reference, idx, line, posting.debits_posted, posting.credits_posted, trial_balance.*
        FROM posting JOIN account ON account.number = posting.account, trial_balance
        ORDER BY 1, 2, 3
    """)
    with books.app.transaction() as session:
        before = [tuple(row) for row in session.execute(kept)]
    books.app.close()
    books.sequencer.close()

    master = databases.as_role("master")
    with master.engine.connect() as connection:
        command.downgrade(configuration(connection), "0005")
    master.close()
    migrate(master.engine)
    with pytest.raises(ledger.BookingsPaused):
        books.post()
    let_bookings_in(master)
    master.close()

    with books.app.transaction() as session:
        assert [tuple(row) for row in session.execute(kept)] == before
        assert ledger.misfolded(session, size=5) == []
    books.post()
    assert books.sequence() == 1
    with books.app.transaction() as session:
        assert ledger.misfolded(session, size=6) == []
