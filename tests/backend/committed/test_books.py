"""Whatever happens to an organisation's money, in whatever order: the books agree with it, balance, and come to rest."""

from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from amply.modules import ledger
from ledger_format.entries import decode
from tests.backend.books_model import EVENTS, Life, Side
from tests.backend.ledger_world import LedgerWorld
from tests.hypothesis_profiles import examples

LIFE = st.lists(
    st.tuples(st.sampled_from(EVENTS), st.integers(1, 5_000), st.integers(0, 200)), min_size=1, max_size=25
)
CLEARING = ("dispute_hold", "payout_in_transit", "platform_contributions_due")
"""Codes of accounts that only hold what is on its way."""


@given(events=LIFE)
@settings(
    max_examples=examples(day=15, night=300), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_life_keeps_the_books(events: list[tuple[str, int, int]], books: LedgerWorld) -> None:
    life = Life(books)
    for event in events:
        life.live(*event)
        assert books.standing(f"{life.org}/processor_balance").available_minor_units == life.available()
    life.settle()
    books.sequence()

    assert_agree(books, life)
    assert_at_rest(books, life)
    assert_as_it_was(books, life)
    assert_statements(books, life)
    assert_audit(books)


def sums(balance: ledger.Balance) -> Counter[Side]:
    key = (balance.account, balance.currency)
    return Counter(
        {
            (*key, "debits", "posted"): balance.sums.debits_posted,
            (*key, "credits", "posted"): balance.sums.credits_posted,
            (*key, "debits", "pending"): balance.sums.debits_pending,
            (*key, "credits", "pending"): balance.sums.credits_pending,
        }
    )


def own(model: Counter[Side], owner: str) -> Counter[Side]:
    return +Counter({side: amount for side, amount in model.items() if side[0].startswith(f"{owner}/")})


def held(books: LedgerWorld, owner: str, *, size: int | None = None) -> Counter[Side]:
    with books.app.transaction() as session:
        found = ledger.balances_of(session, owner=owner, size=size)
    return +sum((sums(balance) for balance in found), Counter[Side]())


def assert_agree(books: LedgerWorld, life: Life) -> None:
    assert held(books, life.org) == own(life.sums, life.org)


def assert_at_rest(books: LedgerWorld, life: Life) -> None:
    """What is only on its way has arrived: nothing reserved, clearing accounts at zero."""
    with books.app.transaction() as session:
        found = ledger.balances_of(session, owner=life.org)
    for balance in found:
        assert (balance.sums.debits_pending, balance.sums.credits_pending) == (0, 0)
        if balance.account.partition("/")[2] in CLEARING:
            assert balance.minor_units == 0, balance.account


def assert_as_it_was(books: LedgerWorld, life: Life) -> None:
    """After each of its entries, an account held what the model says."""
    with books.app.transaction() as session:
        index = {row.entry_id: row.idx for row in session.execute(text("SELECT entry_id, idx FROM leaf"))}
    for entry_id, model in life.history[:: max(1, len(life.history) // 5)]:
        assert held(books, life.org, size=index[entry_id] + 1) == own(model, life.org)


def assert_statements(books: LedgerWorld, life: Life) -> None:
    """Each account's lines, page by page, lead from nothing to what it holds, each by its own amount."""
    with books.app.transaction() as session:
        for balance in ledger.balances_of(session, owner=life.org):
            running, cursor = 0, None
            while True:
                page = ledger.statement(
                    session, account=balance.account, currency=balance.currency, cursor=cursor, limit=3
                )
                for line in page.lines:
                    moved = line.amount_minor if line.phase in (None, "post") else 0
                    running += moved if line.side == balance.normal_side else -moved
                    assert balance_after(balance, line.after) == running
                cursor = page.next_cursor
                if cursor is None:
                    break
            assert running == balance.minor_units == page.closing.minor_units
            assert page.opening.minor_units == 0


def balance_after(balance: ledger.Balance, after: ledger.Sums) -> int:
    return ledger.Balance(account=balance.account, currency=balance.currency, sums=after).minor_units


def assert_audit(books: LedgerWorld) -> None:
    """What anyone can replay from the log: each entry is well-formed and names only what came before it."""
    seen: dict[str, int] = {}
    leaves = [decode(raw) for raw in books.leaves()]
    for index, entry in enumerate(leaves):
        named = {entry.reverses, entry.supersedes, entry.matches} - {None}
        named |= {transfer.pending.partition("#")[0] for transfer in entry.transfers if transfer.pending}
        assert all(other in seen for other in named)
        seen[entry.id] = index
    with books.app.transaction() as session:
        assert ledger.misfolded(session, size=len(leaves)) == []
        for trial in ledger.trial_balance(session, size=len(leaves)):
            assert trial.sums.is_balanced


def test_debits_equal_credits_at_every_checkpoint(books: LedgerWorld) -> None:
    life = Life(books)
    for number, event in enumerate(EVENTS * 3):
        life.live(event, 100 + number, number % 7)
        if number % 5 == 0:
            books.sequence()
            books.publish()

    with books.app.transaction() as session:
        sizes = ledger.published_sizes(session)
        assert len(sizes) > 5
        for size in sizes:
            for trial in ledger.trial_balance(session, size=size):
                assert trial.sums.is_balanced, (size, trial)
            assert ledger.misfolded(session, size=size) == []


def test_a_life_is_also_refused_things(books: LedgerWorld) -> None:
    """The model's noes are exercised: otherwise the test above would prove less than it says."""
    life = Life(books)
    for event in (("ask_payout", 1, 0), ("gift", 100, 0), ("ask_refund", 101, 0), ("ask_payout", 101, 0)):
        life.live(*event)

    assert life.refused == 3
