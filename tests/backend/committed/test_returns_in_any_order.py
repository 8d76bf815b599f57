"""One gift, two refunds and a dispute: however their events are late, repeated, reordered and at once, the books end the same."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from random import Random
from typing import Any, Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amply.kernel.ids import new_id
from amply.modules import ledger
from tests.backend.committed.each_example import all_at_once, database_of_its_own
from tests.backend.committed.money_back import COVER, DISPUTE, INTENT, Returns
from tests.backend.conftest import Server
from tests.backend.ledger_world import LedgerWorld
from tests.backend.world import FakeProcessor
from tests.hypothesis_profiles import examples

Step = tuple[Callable[[FakeProcessor], object], tuple[str, ...]]
"""What happens at the processor, and the events that tell of it."""

WITHDRAWN, REINSTATED = (-2500, 1500), (2500, 0)
KINDS: Final = Counter(
    {
        "donation.succeeded": 1,
        "processor.fee": 1,
        "donation.refunded": 2,
        "refund.failed": 1,
        "dispute.opened": 1,
        "dispute.fee": 1,
    }
)
ENDS: Final = {
    "won": (
        {"dispute_fees": 1500, "gifts": 2000, "processor_balance": 437, "processor_fees": 63},
        ("partially_refunded", 500),
        "dispute.won",
    ),
    "lost": (
        {"dispute_fees": 1500, "gifts": -500, "processor_balance": -2063, "processor_fees": 63},
        ("charged_back", 500),
        "dispute.lost",
    ),
}


def refund(name: str, minor_units: int, status: str = "succeeded", *, has_moved: bool = True) -> Step:
    events = {
        "pending": ("refund.created",),
        "succeeded": ("refund.updated", "charge.refunded"),
        "failed": ("refund.failed", "charge.refund.updated"),
    }

    def happen(processor: FakeProcessor) -> None:
        processor.tell_refund(INTENT, name, minor_units=minor_units, status=status, has_moved=has_moved)

    return happen, events[status]


def dispute(status: str, *movements: tuple[int, int], events: tuple[str, ...] = ("updated",)) -> Step:
    def happen(processor: FakeProcessor) -> None:
        processor.tell_dispute(INTENT, DISPUTE, *movements, status=status)

    return happen, tuple(f"charge.dispute.{name}" for name in events)


def history(verdict: str) -> Sequence[Step]:
    """As Stripe tells it; a charge that was refunded in part is disputed as a whole."""
    closing = (WITHDRAWN, REINSTATED) if verdict == "won" else (WITHDRAWN,)
    return (
        (lambda _: None, ("payment_intent.succeeded", "charge.updated")),
        refund("re_1", 500, "pending", has_moved=False),
        refund("re_1", 500),
        refund("re_2", 700),
        refund("re_2", 700, "failed"),
        dispute("warning_needs_response", events=("created",)),
        dispute("needs_response", WITHDRAWN, events=("funds_withdrawn", "updated")),
        dispute("under_review", WITHDRAWN),
        dispute(verdict, *closing, events=("closed", "funds_reinstated")),
    )


@contextmanager
def fresh(server: Server, *, covered: bool) -> Iterator[tuple[Returns, LedgerWorld]]:
    """A database of its own for each example."""
    with database_of_its_own(server) as (app, world):
        yield Returns(app, arrives=False, covered=covered), world


@given(
    verdict=st.sampled_from(sorted(ENDS)),
    covered=st.booleans(),
    delays=st.lists(st.tuples(st.integers(0, 9), st.integers(1, 3)), min_size=16, max_size=16),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=examples(day=4, night=60), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_in_whatever_order_events_come_the_books_end_the_same(
    verdict: str,
    covered: bool,  # noqa: FBT001 -- drawn by name
    delays: list[tuple[int, int]],
    seed: int,
    server: Server,
) -> None:
    """`delays`: for each event, after how many further steps it is handled, and how often."""
    balances, shown, ending = ENDS[verdict]
    if covered and verdict == "won":  # the gift goes back first: what covers the fee is still there
        balances = balances | {"gifts": balances["gifts"] - COVER, "fee_cover": COVER}
    late = iter(delays)
    # Which of them come too early is a matter of threads: nothing may be drawn by it.
    order = Random(seed)  # noqa: S311 -- an order of events, nothing secret
    with fresh(server, covered=covered) as (books, world):
        waiting: list[tuple[int, str]] = []
        for now, (happen, events) in enumerate(history(verdict)):
            happen(books.processor)
            for event_type in events:
                delay, times = next(late)
                waiting += [(now + delay + each, store(books, event_type)) for each in range(times)]
            due = [event_id for at, event_id in waiting if at <= now]
            order.shuffle(due)
            early = all_at_once(books.handle, due)
            waiting = [(at, event_id) for at, event_id in waiting if at > now]
            waiting += [(now + 1, event_id) for event_id in early]
        left = [event_id for _, event_id in waiting]
        order.shuffle(left)
        for _ in range(2):  # what came before its gift comes again
            left = all_at_once(books.handle, left)
        assert left == []

        assert books.balances() == balances
        assert books.shown() == shown
        assert Counter(books.kinds()) == KINDS + Counter([ending])
        world.sequence()
        with world.app.transaction() as session:
            (trial,) = ledger.trial_balance(session, size=ledger.sequenced_size(session))
        assert trial.sums.is_balanced


def store(books: Returns, event_type: str) -> str:
    """An event about the gift, or about money that went back of it."""
    if not event_type.startswith("payment_intent") and event_type != "charge.updated":
        return books.store(event_type)
    event_id = new_id("evt")
    about: dict[str, Any] = {} if event_type.startswith("payment_intent") else {"object": books.charge()}
    books.deliver(event_id, event_type, **about)
    return event_id
