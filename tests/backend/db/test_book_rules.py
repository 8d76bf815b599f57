"""The rules of the books, each refused by its name, whoever asks."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from amply.kernel.ids import new_random_id
from amply.modules import ledger
from amply.modules.ledger import postings
from tests.backend.book_rows import BALANCE, ENTRY, gift, insert, payout, refund, refused, row
from tests.backend.conftest import Databases
from tests.backend.ledger_world import ORG, LedgerWorld
from tests.backend.unit.test_postings import euros


class TestTwoPhases:
    @pytest.mark.parametrize(
        ("changed", "rule"),
        [
            pytest.param({"phase": "settled"}, "transfer_phase", id="no phase"),
            pytest.param({"phase": "post"}, "transfer_phase", id="posts nothing"),
            pytest.param({"phase": "void"}, "transfer_phase", id="voids nothing"),
            pytest.param({"pending_line": 0}, "transfer_phase", id="a line of nothing"),
            pytest.param(
                {"phase": "post", "pending_entry_id": "ent_" + "9" * 26, "pending_line": 0},
                "transfer_pending_exists",
                id="of no entry",
            ),
        ],
    )
    def test_a_step_is_whole(self, changed: dict[str, Any], rule: str, books: LedgerWorld) -> None:
        assert refused(books.app, **changed) == rule

    @pytest.mark.parametrize(
        ("changed", "rule"),
        [
            pytest.param({"pending_line": 1}, "transfer_pending_exists", id="another line"),
            pytest.param({"debit": f"{ORG}/bank"}, "transfer_pending_accounts", id="another debit"),
            pytest.param({"credit": f"{ORG}/bank"}, "transfer_pending_accounts", id="another credit"),
            pytest.param(
                {"debit": f"{ORG}/gifts", "credit": BALANCE}, "transfer_pending_accounts", id="backwards"
            ),
            pytest.param({"currency": "USD"}, "transfer_pending_accounts", id="another currency"),
            pytest.param({"amount": 1001}, "transfer_pending_amount", id="posts too much"),
            pytest.param({"phase": "void", "amount": 999}, "transfer_pending_amount", id="voids too little"),
            pytest.param({"phase": "void", "amount": 1001}, "transfer_pending_amount", id="voids too much"),
            pytest.param({"phase": "pending"}, "transfer_phase", id="reserves what was reserved"),
            pytest.param({"phase": None}, "transfer_phase", id="no phase"),
        ],
    )
    def test_a_step_fits_the_one_before(self, changed: dict[str, Any], rule: str, books: LedgerWorld) -> None:
        pending = insert(books.app, phase="pending")
        step = {"phase": "post", "pending_entry_id": pending, "pending_line": 0}

        assert refused(books.app, **step | changed) == rule
        insert(books.app, **step | {"amount": 1})

    @pytest.mark.parametrize("first", ["post", "void"])
    @pytest.mark.parametrize("second", ["post", "void"])
    def test_a_pending_transfer_is_resolved_once(self, first: str, second: str, books: LedgerWorld) -> None:
        step = {"pending_entry_id": insert(books.app, phase="pending"), "pending_line": 0}
        insert(books.app, phase=first, **step)

        assert refused(books.app, phase=second, **step) == "uq_transfer_pending"

    def test_only_what_is_pending_is_resolved(self, books: LedgerWorld) -> None:
        for phase in (None, "pending"):
            moved = insert(books.app, phase=phase)
            step = {"phase": "post", "pending_entry_id": moved, "pending_line": 0}
            if phase is None:
                assert refused(books.app, **step) == "transfer_pending_exists"
            else:
                posted = insert(books.app, **step)
                assert refused(books.app, **step | {"pending_entry_id": posted}) == "transfer_pending_exists"

    def test_nothing_resolves_a_line_of_its_own_entry(self, books: LedgerWorld) -> None:
        entry_id = new_random_id("ent")
        step = {"phase": "post", "pending_entry_id": entry_id, "pending_line": 0}

        assert refused(books.app, id=entry_id, **step) == "transfer_pending_exists"


class TestReversals:
    def test_what_we_want_to_take_back_is_at_most_what_was_given(self, books: LedgerWorld) -> None:
        given = books.book(gift())
        back = {"reverses": given.id, "debit": f"{ORG}/gifts", "credit": BALANCE, "phase": "pending"}

        assert refused(books.app, **back | {"amount": 1001}) == "reversal_within_original"
        insert(books.app, **back | {"amount": 600})
        assert refused(books.app, **back | {"amount": 401}) == "reversal_within_original"
        insert(books.app, **back | {"amount": 400})
        assert refused(books.app, **back | {"amount": 1}) == "reversal_within_original"

    def test_it_comes_from_an_account_that_got_something(self, books: LedgerWorld) -> None:
        given = books.book(gift())

        assert (
            refused(
                books.app,
                reverses=given.id,
                debit=f"{ORG}/fee_cover",
                credit=BALANCE,
                phase="pending",
                amount=1,
            )
            == "reversal_within_original"
        )

    def test_what_was_released_can_be_taken_back_again(self, books: LedgerWorld) -> None:
        given = books.book(gift())
        pending = postings.reserve(refund(1000))
        first = books.book(pending, reverses=given.id)
        with pytest.raises(ledger.ReversalExceedsOriginal):
            books.book(postings.reserve(refund(1)), reverses=given.id)

        books.book(postings.post(entry_id=first.id, pending=pending, moved=refund(300)), reverses=given.id)
        with pytest.raises(ledger.ReversalExceedsOriginal):
            books.book(postings.reserve(refund(701)), reverses=given.id)
        second = books.book(postings.reserve(refund(700)), reverses=given.id)
        books.book(
            postings.void(entry_id=second.id, pending=postings.reserve(refund(700))), reverses=given.id
        )
        books.book(postings.reserve(refund(700)), reverses=given.id)

    def test_a_refund_that_failed_can_be_made_again(self, books: LedgerWorld) -> None:
        given = books.book(gift())
        failed = books.book(refund(1000), reverses=given.id)
        with pytest.raises(ledger.ReversalExceedsOriginal):
            books.book(postings.reserve(refund(1)), reverses=given.id)

        books.book(postings.reverse(refund(1000)), reverses=failed.id)
        books.book(postings.reserve(refund(1000)), reverses=given.id)
        with pytest.raises(ledger.ReversalExceedsOriginal):
            books.book(postings.reserve(refund(1)), reverses=given.id)

    def test_what_the_processor_took_back_is_recorded_whatever_it_is(self, books: LedgerWorld) -> None:
        given = books.book(gift())
        for _ in range(2):
            books.book(refund(1000), reverses=given.id)

        assert books.standing(f"{ORG}/gifts").minor_units == -1000
        with pytest.raises(ledger.ReversalExceedsOriginal, match="at most what is left"):
            books.book(postings.reserve(refund(1)), reverses=given.id)


class TestPayouts:
    def test_ours_leaves_the_balance_at_zero_or_above(self, books: LedgerWorld) -> None:
        books.book(gift(1000))
        out = {"debit": f"{ORG}/payout_in_transit", "credit": BALANCE, "phase": "pending"}

        assert refused(books.app, **out | {"amount": 1001}) == "ck_spendable_available"
        insert(books.app, **out | {"amount": 1000})
        assert refused(books.app, **out | {"amount": 1}) == "ck_spendable_available"

    @pytest.mark.parametrize("sequenced", [False, True])
    def test_it_counts_what_has_arrived_and_what_is_reserved(
        self, *, sequenced: bool, books: LedgerWorld
    ) -> None:
        given = books.book(gift(1000))
        books.book(postings.processor_fee(organization_id=ORG, amount=euros(100)))
        books.book(postings.reserve(gift(5000)))
        books.book(postings.reserve(refund(300)), reverses=given.id)
        if sequenced:
            books.sequence()

        with pytest.raises(ledger.BalanceInsufficient, match="at most what is available"):
            books.book(postings.reserve(payout(601)))
        books.book(postings.reserve(payout(600)))
        assert books.standing(BALANCE).available_minor_units == 0

    def test_a_payout_that_fails_gives_its_money_back(self, books: LedgerWorld) -> None:
        books.book(gift(1000))
        pending = postings.reserve(payout(1000))
        first = books.book(pending)
        books.book(postings.void(entry_id=first.id, pending=pending))

        books.book(pending)

    def test_the_processors_is_recorded_whatever_it_leaves(self, books: LedgerWorld) -> None:
        books.book(payout(1000))

        assert books.standing(BALANCE).minor_units == -1000
        books.sequence()
        assert books.standing(BALANCE).minor_units == -1000

    def test_each_currency_is_a_balance_of_its_own(self, books: LedgerWorld) -> None:
        books.book(gift(1000))
        out = {"debit": f"{ORG}/payout_in_transit", "credit": BALANCE, "phase": "pending"}

        assert refused(books.app, **out | {"amount": 1, "currency": "USD"}) == "ck_spendable_available"

    def test_each_step_of_a_payout_is_booked_once_by_its_name(self, books: LedgerWorld) -> None:
        named = {"kind": "payout.created", "reference": "stripe:payout:po_1"}
        insert(books.app, **named)

        assert refused(books.app, **named) == "uq_entry_payout"
        assert refused(books.app, **named | {"reference": None}) == "entry_payout_reference"
        insert(books.app, **named | {"kind": "payout.paid"})
        insert(books.app, **named | {"reference": "stripe:payout:po_2"})


class TestLinks:
    @pytest.mark.parametrize(
        ("changed", "rule"),
        [
            pytest.param({"reverses": "ent_" + "9" * 26}, "entry_reverses", id="reverses nothing"),
            pytest.param({"matches": "ent_" + "9" * 26}, "entry_matches", id="matches nothing"),
            pytest.param(
                {"supersedes": "ent_" + "9" * 26, "reason": "x"}, "entry_supersedes", id="supersedes nothing"
            ),
            pytest.param({"reason": "Because"}, "entry_reason", id="no code"),
            pytest.param({"reason": "x" * 65}, "entry_reason", id="too long a code"),
            pytest.param({"reason": ""}, "entry_reason", id="an empty code"),
        ],
    )
    def test_what_is_named_exists(self, changed: dict[str, Any], rule: str, books: LedgerWorld) -> None:
        assert refused(books.app, **changed) == rule

    @pytest.mark.parametrize("link", ["reverses", "supersedes", "matches"])
    def test_nothing_names_itself(self, link: str, books: LedgerWorld) -> None:
        entry_id = new_random_id("ent")

        assert refused(books.app, id=entry_id, reason="x", **{link: entry_id}) == f"entry_{link}"

    def test_a_correction_gives_its_reason_and_is_the_only_one(self, books: LedgerWorld) -> None:
        wrong = books.book(gift())

        assert refused(books.app, supersedes=wrong.id) == "entry_reason"
        insert(books.app, supersedes=wrong.id, reason="wrong_amount")
        assert refused(books.app, supersedes=wrong.id, reason="again") == "uq_entry_supersedes"

    def test_an_older_transaction_names_nothing_younger(self, books: LedgerWorld) -> None:
        """In the log it would come first, and name what follows it."""
        for link in ("reverses", "matches", "pending_entry_id"):
            older = books.app.engine.connect()
            older.execute(text("SELECT pg_current_xact_id()"))
            younger = insert(books.app, phase="pending" if link == "pending_entry_id" else None)
            step = {"phase": "post", "pending_line": 0} if link == "pending_entry_id" else {}

            with pytest.raises(OperationalError, match="begin it again"):
                older.execute(text(ENTRY), row(**step | {link: younger}))
            older.rollback()
            older.close()
            insert(books.app, **step | {link: younger})

    def test_what_has_its_place_can_be_named_by_anybody(
        self, books: LedgerWorld, databases: Databases
    ) -> None:
        """Rows of a restored dump carry transactions that lie ahead of the counter."""
        given = books.book(gift())
        books.sequence()
        master = databases.as_role("master")
        with master.transaction() as session:
            session.execute(text("SET LOCAL session_replication_role = replica"))
            session.execute(text("UPDATE entry SET xid = '999999999999'"))
        master.close()

        insert(books.app, reverses=given.id)
