"""Two at the same moment: one of them waits, and then one is refused, or neither notices the other."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from amply.modules import ledger
from amply.modules.ledger import postings
from tests.backend.conftest import Databases
from tests.backend.ledger_world import NOW, ORG, LedgerWorld
from tests.backend.unit.test_postings import euros

WRITERS = 8


@pytest.fixture
def crowd(books: LedgerWorld, databases: Databases) -> Iterator[LedgerWorld]:
    """A ledger with a connection for each writer."""
    app = databases.as_role("amply_app", pool_size=WRITERS)
    yield LedgerWorld(app=app, sequencer=books.sequencer, secrets=books.secrets)
    app.close()


def at_once(act: Callable[[int], object], *refusals: type[Exception]) -> list[bool]:
    """Let all writers act at the same moment; whose act was not refused."""
    ready = Barrier(WRITERS)

    def run(writer: int) -> bool:
        ready.wait(timeout=60)
        try:
            act(writer)
        except refusals:
            return False
        return True

    with ThreadPoolExecutor(WRITERS) as pool:
        return list(pool.map(run, range(WRITERS)))


def test_refunds_of_one_gift_never_take_more_than_it_gave(crowd: LedgerWorld) -> None:
    given = crowd.book(postings.donation_succeeded(organization_id=ORG, amount=euros(1000)))
    back = postings.reserve(postings.refund(organization_id=ORG, amount=euros(300)))

    made = at_once(lambda _: crowd.book(back, reverses=given.id), ledger.ReversalExceedsOriginal)

    assert sum(made) == 3
    assert crowd.standing(f"{ORG}/gifts").sums.debits_pending == 900


@pytest.mark.parametrize("sequenced", [False, True])
def test_payouts_of_one_balance_never_take_more_than_it_holds(*, sequenced: bool, crowd: LedgerWorld) -> None:
    crowd.book(postings.donation_succeeded(organization_id=ORG, amount=euros(1000)))
    if sequenced:
        crowd.sequence()
    out = postings.reserve(postings.payout_created(owner=ORG, amount=euros(300)))

    made = at_once(lambda _: crowd.book(out), ledger.BalanceInsufficient)

    assert sum(made) == 3
    assert crowd.standing(f"{ORG}/processor_balance").available_minor_units == 100


def test_payouts_and_the_sequencer_do_not_lose_sight_of_each_other(crowd: LedgerWorld) -> None:
    """What is folded between the lock and the sum is counted once."""
    out = postings.reserve(postings.payout_created(owner=ORG, amount=euros(100)))

    def act(writer: int) -> None:
        if writer == 0:
            for _ in range(20):
                crowd.sequence()
            return
        for _ in range(5):
            crowd.book(postings.donation_succeeded(organization_id=ORG, amount=euros(100)))
            crowd.book(out)

    assert all(at_once(act))
    crowd.sequence()
    assert crowd.standing(f"{ORG}/processor_balance").available_minor_units == 0


def test_a_pending_transfer_is_resolved_by_one_of_them(crowd: LedgerWorld) -> None:
    pending = postings.reserve(postings.donation_succeeded(organization_id=ORG, amount=euros(1000)))
    reserved = crowd.book(pending)

    def resolve(writer: int) -> None:
        moved = () if writer % 2 else postings.donation_succeeded(organization_id=ORG, amount=euros(1000))
        crowd.book(postings.post(entry_id=reserved.id, pending=pending, moved=moved))

    assert sum(at_once(resolve, ledger.PendingResolved)) == 1


def test_accounts_are_opened_in_one_order_by_all(crowd: LedgerWorld) -> None:
    """The same new accounts, named in opposite order by different writers: nobody waits in a circle."""
    for round_ in range(5):
        org = f"org_{round_:026d}"
        lines = (
            *postings.donation_succeeded(
                organization_id=org, amount=euros(1), fee_cover=euros(1), contribution=euros(1)
            ),
            *postings.processor_fee(organization_id=org, amount=euros(1)),
            *postings.payout_created(owner=org, amount=euros(1)),
            *postings.payout_paid(owner=org, amount=euros(1)),
        )

        def act(writer: int, lines: postings.Lines = lines, org: str = org) -> None:
            ordered = lines if writer % 2 else tuple(reversed(lines))
            crowd.book(ordered, organization_id=org)

        assert all(at_once(act))


def test_an_account_closes_between_two_postings_never_during_one(crowd: LedgerWorld) -> None:
    """Who posts while it closes comes before it, and is counted by the closing, or after it, and is refused."""
    account = f"{ORG}/gifts"
    crowd.book(postings.donation_succeeded(organization_id=ORG, amount=euros(1)))
    at_closing: list[int] = []

    def act(writer: int) -> None:
        if writer == 0:
            with crowd.app.transaction() as session:
                ledger.close_account(session, account=account, currency="EUR", reason="left", now=NOW)
                seen = ledger.standing_balance(session, account=account, currency="EUR")
                at_closing.append(seen.minor_units)
            return
        for _ in range(20):
            crowd.book(postings.donation_succeeded(organization_id=ORG, amount=euros(1)))

    at_once(act, ledger.AccountClosed)

    assert crowd.standing(account).minor_units == at_closing[0]
    with pytest.raises(ledger.AccountClosed):
        crowd.book(postings.donation_succeeded(organization_id=ORG, amount=euros(1)))
