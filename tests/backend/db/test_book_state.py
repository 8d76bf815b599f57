"""Closed accounts, and what the sequencer derives: held to what was booked."""
# ruff: noqa: S608 -- statements are put together from this file's own words

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from amply.kernel.ids import new_id
from amply.modules import ledger
from amply.modules.ledger import postings
from tests.backend.book_rows import BALANCE, gift, insert, refund, refused
from tests.backend.conftest import Databases
from tests.backend.ledger_world import NOW, ORG, OTHER_ORG, LedgerWorld


class TestClosedAccounts:
    def close(self, books: LedgerWorld, *, is_open: bool = False, account: str = f"{ORG}/gifts") -> None:
        decide = ledger.reopen_account if is_open else ledger.close_account
        with books.app.transaction() as session:
            decide(session, account=account, currency="EUR", reason="organization_left", now=NOW)

    def test_a_closed_account_takes_nothing_until_it_is_opened_again(self, books: LedgerWorld) -> None:
        books.book(gift())
        self.close(books)

        assert refused(books.app) == "account_open"
        with pytest.raises(ledger.AccountClosed):
            books.book(refund(1))
        insert(books.app, currency="USD")
        insert(books.app, debit=f"{OTHER_ORG}/processor_balance", credit=f"{OTHER_ORG}/gifts")
        self.close(books, is_open=True)
        insert(books.app)

    def test_an_account_with_money_reserved_is_not_closed(self, books: LedgerWorld) -> None:
        pending = postings.reserve(gift())
        reserved = books.book(pending)
        for account in (f"{ORG}/gifts", BALANCE):
            with pytest.raises(ledger.AccountUnsettled):
                self.close(books, account=account)
        books.sequence()
        with pytest.raises(ledger.AccountUnsettled):
            self.close(books)

        books.book(postings.void(entry_id=reserved.id, pending=pending))
        self.close(books)

    def test_an_account_that_never_was_cannot_be_closed(self, books: LedgerWorld) -> None:
        with pytest.raises(DBAPIError, match="fk_account_closure_account"):
            self.close(books)


ONE_SIDE = """
    INSERT INTO posting
    SELECT account, 1, 0, debits_posted, credits_posted + 1, 0, 0 FROM posting
    WHERE account = (SELECT number FROM account WHERE code = 'gifts')
"""


class TestDerived:
    """What the sequencer writes is held to what was booked."""

    @pytest.mark.parametrize(
        "change", ["debits_posted = debits_posted + 1", "credits_posted = 0", "debits_pending = 1"]
    )
    def test_a_balance_is_its_last_posting(
        self, change: str, books: LedgerWorld, databases: Databases
    ) -> None:
        books.post()
        books.sequence()
        owner = databases.as_role("master")
        for database in (books.sequencer, owner):
            with pytest.raises(DBAPIError, match="last posting"), database.transaction() as session:
                session.execute(text(f"UPDATE balance SET {change} WHERE account LIKE '%/gifts'"))
        owner.close()

    def test_a_batch_that_does_not_balance_never_commits(self, books: LedgerWorld) -> None:
        books.post()
        books.sequence()

        def book_one_side() -> None:
            with books.sequencer.transaction() as session:
                session.execute(text(ONE_SIDE))
                session.execute(
                    text(
                        "UPDATE balance SET credits_posted = credits_posted + 1 WHERE account LIKE '%/gifts'"
                    )
                )

        with pytest.raises(DBAPIError, match="EUR differ"):
            book_one_side()

    def test_the_kept_trial_balance_is_the_sum_of_the_balances(self, books: LedgerWorld) -> None:
        books.post_many(3)
        books.book(postings.reserve(gift(700)), idempotency_key=new_id("key"))
        books.sequence()
        books.post(organization_id=OTHER_ORG)
        books.sequence()

        with books.app.transaction() as session:
            kept = session.execute(text("SELECT * FROM trial_balance")).all()
            summed = session.execute(
                text("""
                    SELECT currency, sum(debits_posted), sum(credits_posted), sum(debits_pending), sum(credits_pending)
                    FROM balance GROUP BY currency
                """)
            ).all()
        assert [tuple(each) for each in kept] == [tuple(each) for each in summed]
        assert tuple(kept[0]) == ("EUR", 10_000, 10_000, 700, 700)
